// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks tmpfiles.d lines without running systemd-tmpfiles.
#pragma once

#include <string_view>

#include "base/finding.hpp"

namespace berth::render {

/// Checks rendered lines against the grammar of tmpfiles.d(5) of systemd 252: types, modifiers, absolute paths, modes,
/// names of users and groups, ages, specifiers, arguments that a type requires.
/// @param file shown in the findings
/// @return errors with the code `tmpfiles-syntax`
base::Findings check_tmpfiles(std::string_view lines, std::string_view file);

}  // namespace berth::render
