// SPDX-License-Identifier: LGPL-2.1-or-later
// A directory tree as text, for comparing two states of it.
#pragma once

#include <string>

namespace berth::test {

/// One line per entry below `path`, sorted: name, type, mode, owner, link count, xattrs, and content or link target.
/// @param without paths relative to `path` that are omitted with their contents, separated by `:`
std::string tree_text(const std::string& path, const std::string& without = "");

}  // namespace berth::test
