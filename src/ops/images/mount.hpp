// berth mount and berth umount: read-only views of images.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

/// Shows an image, or what the container NAME was made from, at `directory`: a checkout of its own, mounted read-only,
/// without setuid and devices. A record in .mounts keeps prune from taking it away; a reboot ends it and leaves the
/// checkout to the next prune. A user, who cannot mount, gets a copy in the directory, which must be empty.
/// @param directory an existing directory
/// @throws Error(not_found), Error(conflict) when such a view is there already
void mount_view(Context& context, const std::string& image, const std::string& directory);

/// Ends the view at `directory`; a copy goes with whatever was changed in it. @throws Error(not_found) when there is
/// none, Error(conflict) when it is in use
void unmount_view(Context& context, const std::string& directory);

/// Directories of views that are not mounted any more, in no mount namespace that can be seen.
std::vector<std::string> stale_mounts(const Context& context);
/// Removes them. To be called under the repository's exclusive lock: a view that is about to be mounted holds the
/// other.
void remove_stale_mounts(const Context& context);

}  // namespace berth::ops
