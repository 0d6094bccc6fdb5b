// SPDX-License-Identifier: LGPL-2.1-or-later
// Removal of the files and directories that systemd-tmpfiles created for a deployment.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

/// Removes empty directories, and files and links whose content is what the lines create. Files that were changed, or
/// whose original content is not known, are kept, with a warning.
/// @param paths created by systemd-tmpfiles, absolute inside the root, outermost first
/// @param lines the tmpfiles.d(5) lines that created them
void undo_tmpfiles(const Context& context, const std::vector<std::string>& paths, std::string_view lines);

}  // namespace berth::ops
