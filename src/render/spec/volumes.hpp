// SPDX-License-Identifier: LGPL-2.1-or-later
// The volumes of an image whose config.json berth makes, and their directories on the host.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "image/manifest.hpp"
#include "render/template/values.hpp"

namespace berth::render {

/// A volume and the host directory that is bound to it.
struct Volume {
  std::string destination;  ///< in the container, absolute
  std::string source;       ///< on the host, absolute
  mode_t mode = 0755;       ///< mode and owner of the image's own directory at that path, else 0755 and the image's
  uid_t uid = 0;            ///< user, so that a service that is not root can write there
  gid_t gid = 0;
  /// The directory that a new volume is filled from, absolute inside the image and without links; empty: none.
  std::string content;
};

/// The default directory for the volumes of a container: STATE_DIRECTORY/berth/NAME.
std::string volume_directory(const Values& values);
/// The directory that the first versions used: STATE_DIRECTORY/NAME, which other users could enter.
std::string former_volume_directory(const Values& values);

/// The normalized paths of the image's volumes, outer directories first. @throws Error(verification) for `/`
std::vector<std::string> volume_destinations(const image::ImageConfig& image);

/// The directory in `directory` for a volume: `/var/lib/x` → `DIRECTORY/var_2Flib_2Fx`.
std::string volume_source(const std::string& directory, std::string_view destination);

/// @param rootfs descriptor of the image's root file system
std::vector<Volume> volumes_of(const image::ImageConfig& image, int rootfs, const std::string& directory);

/// tmpfiles.d lines that create the volumes.
/// @param origin the root file system of a preinstalled container on the booted host, from which systemd-tmpfiles fills
///   a new volume; empty for other containers
std::string volume_tmpfiles(const std::vector<Volume>& volumes, const std::string& origin = {});

/// tmpfiles.d lines for the directory of a container's volumes and its parent: only their owner may enter, since a
/// container may write setuid programs.
std::string closed_tmpfiles(const std::string& directory);

}  // namespace berth::render
