// Kind of an error → exit code; the table stands in berth(8) too, and a test compares the two.
#pragma once

#include "base/error.hpp"

namespace berth::cli {

inline constexpr int exit_ok = 0;

int exit_code(base::ErrorKind kind);

}  // namespace berth::cli
