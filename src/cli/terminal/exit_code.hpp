// SPDX-License-Identifier: LGPL-2.1-or-later
// Exit codes by kind of error, as documented in berth(8). A test compares the two.
#pragma once

#include "base/error.hpp"

namespace berth::cli {

inline constexpr int exit_ok = 0;
inline constexpr int exit_interrupted = 130;  ///< of base::Interrupted

int exit_code(base::ErrorKind kind);

}  // namespace berth::cli
