// A whole tree as text, so that two states of it can be compared byte by byte.
#pragma once

#include <string>

namespace berth::test {

/// One line an entry below `path`, sorted: name, type, mode, owner, link count, xattrs and content or link target.
/// @param without names relative to `path` that are left out with all below them, separated by `:`
std::string tree_text(const std::string& path, const std::string& without = "");

}  // namespace berth::test
