// SPDX-License-Identifier: LGPL-2.1-or-later
// What berth uninstall and berth containers delete share.
#pragma once

#include <string>
#include <vector>

#include "cli/options/command_line.hpp"

namespace berth::cli {

/// Uninstalls containers and prints what was kept or stopped. @return the exit code
int uninstall_all(const CommandLine& line, ops::Context& context, const std::vector<std::string>& names);

}  // namespace berth::cli
