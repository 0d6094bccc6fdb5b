// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that a package cannot hold.
#pragma once

#include "host/machine/package_tool.hpp"

namespace berth::ops {

/// Prepares a tree so that a package of that kind reproduces it. Hard-linked symbolic links, which dpkg cannot unpack,
/// are replaced by separate ones. Packages lose file capabilities and store owners by name: a tree that would change is
/// refused. @throws Error(verification) naming the file
void make_packable(int tree, host::PackageKind kind);

}  // namespace berth::ops
