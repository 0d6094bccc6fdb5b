// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/volumes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "render/spec/rootfs.hpp"
#include "render/unit/host_path.hpp"
#include "render/unit/tmpfiles.hpp"

namespace berth::render {
namespace {

using base::Error;
using base::ErrorKind;

/// `/var/lib/x` → `var_2Flib_2Fx`: one directory name for each path, encoded like branch names.
std::string encoded(std::string_view path) {
  std::string result;
  for (const char c : path) {
    const bool plain =
        (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    result += plain ? std::string(1, c) : fmt::format("_{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string value_of(const Values& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? "" : found->second;
}

/// The path of a directory in the image with all links resolved; empty when the directory is empty.
std::string content_at(int rootfs, const std::string& path) {
  const base::Fd directory = base::open_in_root(rootfs, path, O_RDONLY | O_DIRECTORY);
  if (base::list_directory(directory.get()).empty()) {
    return {};
  }
  const auto path_of = [](int fd) {
    return base::read_link_at(AT_FDCWD, fmt::format("/proc/self/fd/{}", fd)).value_or("");
  };
  const auto root = path_of(rootfs);
  const auto path_in_host = path_of(directory.get());
  const auto above = root == "/" ? 0 : root.size();
  return path_in_host.size() > above && path_in_host.starts_with(root) ? path_in_host.substr(above) : std::string();
}

}  // namespace

std::string volume_directory(const Values& values) {
  return fmt::format("{}/berth/{}", value_of(values, "STATE_DIRECTORY"), value_of(values, "NAME"));
}

std::string former_volume_directory(const Values& values) {
  return fmt::format("{}/{}", value_of(values, "STATE_DIRECTORY"), value_of(values, "NAME"));
}

std::vector<std::string> volume_destinations(const image::ImageConfig& image) {
  std::set<std::string> destinations;
  for (const auto& volume : image.volumes) {
    auto destination = squeezed_path(volume, "the image's volume");
    if (destination == "/") {
      throw Error(ErrorKind::verification, fmt::format("the image declares `{}` a volume", base::printable(volume)),
                  "a volume must be a directory below /");
    }
    destinations.insert(std::move(destination));
  }
  return {destinations.begin(), destinations.end()};
}

std::string volume_source(const std::string& directory, std::string_view destination) {
  return fmt::format("{}/{}", directory, encoded(destination.substr(1)));
}

std::vector<Volume> volumes_of(const image::ImageConfig& image, int rootfs, const std::string& directory) {
  const auto destinations = volume_destinations(image);
  if (destinations.empty()) {
    return {};
  }
  const ImageUser user = user_of_image(image.user, rootfs);
  std::vector<Volume> volumes;
  for (const auto& destination : destinations) {
    Volume volume{destination, volume_source(directory, destination), 0755, user.uid, user.gid, {}};
    const auto status = stat_in_root(rootfs, destination);
    if (status && S_ISDIR(status->st_mode)) {
      volume.mode = status->st_mode & 07777U;
      volume.uid = status->st_uid;
      volume.gid = status->st_gid;
      volume.content = content_at(rootfs, destination);
    }
    volumes.push_back(std::move(volume));
  }
  return volumes;
}

std::string volume_tmpfiles(const std::vector<Volume>& volumes, const std::string& origin) {
  std::string lines;
  for (const auto& volume : volumes) {
    const bool filled = !origin.empty() && !volume.content.empty();
    lines += fmt::format("{} {} {:04o} {} {} -", filled ? 'C' : 'd', tmpfiles_path(volume.source), volume.mode,
                         volume.uid, volume.gid);
    lines += filled ? fmt::format(" {}\n", tmpfiles_path(origin + volume.content)) : " -\n";
  }
  return lines;
}

std::string closed_tmpfiles(const std::string& directory) {
  const auto above = directory.substr(0, directory.rfind('/'));
  return fmt::format("d {} 0700 0 0 - -\nd {} 0700 0 0 - -\n", tmpfiles_path(above), tmpfiles_path(directory));
}

}  // namespace berth::render
