// The volumes of an image whose config.json berth makes, and where on the host they are.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "image/manifest.hpp"
#include "render/template/values.hpp"

namespace berth::render {

/// A volume and the directory of the host that is bound there.
struct Volume {
  std::string destination;  ///< in the container, absolute
  std::string source;       ///< on the host, absolute
  mode_t mode = 0755;       ///< of the image's own directory at that place, else 0755 and the image's user, so that a
  uid_t uid = 0;            ///< service that is not root can write there
  gid_t gid = 0;
  std::string content;  ///< what a new one is filled from, absolute inside the image and without links; empty: nothing
};

/// Where the volumes of a container are, unless its layout says otherwise: STATE_DIRECTORY/berth/NAME.
std::string volume_directory(const Values& values);
/// Where they were in the first versions: STATE_DIRECTORY/NAME, which others could enter.
std::string former_volume_directory(const Values& values);

/// The places of the image's volumes, squeezed, outer directories first. @throws Error(verification) for `/`
std::vector<std::string> volume_destinations(const image::ImageConfig& image);

/// The directory in `directory` for a volume: `/var/lib/x` → `DIRECTORY/var_2Flib_2Fx`.
std::string volume_source(const std::string& directory, std::string_view destination);

/// @param rootfs descriptor of the image's root file system
std::vector<Volume> volumes_of(const image::ImageConfig& image, int rootfs, const std::string& directory);

/// tmpfiles.d lines that make the volumes.
/// @param origin of a container that is part of the operating system: its rootfs on the booted host, from which
///   systemd-tmpfiles fills a volume that is made new; else empty
std::string volume_tmpfiles(const std::vector<Volume>& volumes, const std::string& origin = {});

/// tmpfiles.d lines for the directory of the volumes and the one of all containers around it: nobody but their owner
/// may enter, since what a container writes may be setuid programs.
std::string closed_tmpfiles(const std::string& directory);

}  // namespace berth::render
