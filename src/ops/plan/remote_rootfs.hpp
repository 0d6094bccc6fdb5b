// SPDX-License-Identifier: LGPL-2.1-or-later
// --rootfs: a remote root file system, which is used in place of a checkout and is not managed by berth.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "host/layout.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Finds the root file system: the directory `given`, or the directory `rootfs` in it when that exists. Symbolic links
/// in the path are followed; a link called `rootfs` is refused.
/// @param given argument of --rootfs, or `remote` of an info file. Relative to the current directory; with --root an
///   absolute path inside that root.
/// @return absolute path inside the root, without links
/// @throws Error(not_found), Error(usage) when it is not a directory, or is the root of the host itself
std::string find_remote_rootfs(const host::Layout& layout, const std::string& given);

/// Opens the root file system at `path` below the deployments, e.g. `web.0/rootfs`: a checkout, or a link to a remote
/// one, which is resolved inside the root.
base::Fd open_rootfs(const host::Layout& layout, const std::string& path);

/// The stored image of that name, or one with only the name when it is not stored.
store::StoredImage named_image(const Context& context, const image::ImageName& name);

}  // namespace berth::ops
