// SPDX-License-Identifier: LGPL-2.1-or-later
// Privileges of tmpfiles.d(5) lines.
#pragma once

#include <string_view>
#include <vector>

#include "render/spec/privilege.hpp"

namespace berth::render {

/// Lines that change or remove existing files, or create files outside /run, /srv, /tmp and /var.
std::vector<Privilege> tmpfiles_privileges(std::string_view lines);

}  // namespace berth::render
