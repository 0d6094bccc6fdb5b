// --rootfs: a root file system that somebody else keeps, used in place of a checkout.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "host/layout.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// The root file system that `given` means: the directory itself, or the directory `rootfs` in it when there is one.
/// Links on the way are followed as the administrator set them up, but a link called `rootfs` in the directory is
/// refused.
/// @param given what the user wrote, or `remote` of an info file. Relative to the current directory; for another root a
///   path inside it, which must be absolute.
/// @return absolute path inside the root, without links
/// @throws Error(not_found), Error(usage) when it is no directory, or the root of the host itself
std::string find_remote_rootfs(const host::Layout& layout, const std::string& given);

/// The root file system at `path` below the deployments, e.g. `web.0/rootfs`: a checkout, or the link to a remote one,
/// which is followed as the booted host would.
base::Fd open_rootfs(const host::Layout& layout, const std::string& path);

/// What is known of an image that need not be stored: everything when it is, else its name.
store::StoredImage named_image(const Context& context, const image::ImageName& name);

}  // namespace berth::ops
