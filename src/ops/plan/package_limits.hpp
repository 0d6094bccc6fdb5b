// What a package cannot hold as it is.
#pragma once

#include "host/machine/package_tool.hpp"

namespace berth::ops {

/// Makes a tree one that comes out of a package of that kind as it went in. Symbolic links with several names, which
/// dpkg cannot unpack, become links of one name each. File capabilities would be lost and owners are noted by name: a
/// tree that would be another then is refused. @throws Error(verification) naming the file
void make_packable(int tree, host::PackageKind kind);

}  // namespace berth::ops
