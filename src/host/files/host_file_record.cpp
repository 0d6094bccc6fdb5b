// SPDX-License-Identifier: LGPL-2.1-or-later
// The functions of host_file.hpp that inspect files on the host and remove recorded ones.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "host/files/file_copy.hpp"
#include "host/files/host_file.hpp"
#include "host/files/root_directory.hpp"

namespace berth::host {

namespace {

/// The opened parent directory of a path, and its last component.
struct Place {
  base::Fd directory;
  std::string name;
};

/// @param find find_directory_in_root, or find_trusted_directory to change something
std::optional<Place> find_place(int root, const std::string& path,
                                std::optional<base::Fd> (*find)(int, std::string_view) = find_directory_in_root) {
  auto [parent, name] = base::split_path(path);
  auto directory = find(root, parent);
  if (!directory || name == "..") {
    return std::nullopt;
  }
  return Place{std::move(*directory), std::move(name)};
}

std::string file_checksum(int directory, const std::string& name) {
  return content_checksum(base::open_at(directory, name, O_RDONLY | O_NONBLOCK).get(), name);
}

/// nullopt for directories, devices, fifos and sockets, which have no content.
std::optional<std::string> checksum_at(int directory, const std::string& name, mode_t type) {
  if (S_ISLNK(type)) {
    const auto target = base::read_link_at(directory, name);
    return target ? std::optional(base::digest_of(*target).hex()) : std::nullopt;
  }
  return S_ISREG(type) ? std::optional(file_checksum(directory, name)) : std::nullopt;
}

RemoveOutcome remove_directory(const Place& place, const std::string& path) {
  if (::unlinkat(place.directory.get(), place.name.c_str(), AT_REMOVEDIR) == 0) {
    return RemoveOutcome::removed;
  }
  if (errno == ENOENT) {
    return RemoveOutcome::absent;
  }
  if (errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY) {  // EBUSY: a file system is mounted on it
    return RemoveOutcome::modified;
  }
  base::throw_errno("remove the directory " + path);
}

RemoveOutcome remove_at(const Place& place, const std::string& path, const std::string& checksum) {
  const auto status = base::stat_at(place.directory.get(), place.name);
  if (!status) {
    return RemoveOutcome::absent;
  }
  if (S_ISDIR(status->st_mode)) {
    return checksum.empty() ? remove_directory(place, path) : RemoveOutcome::modified;
  }
  if (checksum.empty() || checksum_at(place.directory.get(), place.name, status->st_mode) != checksum) {
    return RemoveOutcome::modified;
  }
  return base::unlink_at(place.directory.get(), place.name) ? RemoveOutcome::removed : RemoveOutcome::absent;
}

}  // namespace

RemoveOutcome remove_host_file(int root, const std::string& path, const std::string& checksum,
                               const std::string& secret) {
  const auto place = find_place(root, path, find_trusted_directory);
  if (!place) {
    return RemoveOutcome::absent;
  }
  const bool unfinished = base::unlink_at(place->directory.get(), unfinished_name(secret, path));
  const RemoveOutcome outcome = remove_at(*place, path, checksum);
  if (outcome == RemoveOutcome::removed || unfinished) {
    base::sync_at(place->directory.get(), ".");
  }
  return outcome;
}

bool host_is(int root, const HostFile& file, const std::string& checksum) {
  const auto place = find_place(root, file.destination);
  const auto found = place ? base::stat_at(place->directory.get(), place->name) : std::nullopt;
  if (!found) {
    return false;
  }
  if (file.kind == HostFile::Kind::directory) {
    return S_ISDIR(found->st_mode);
  }
  const bool link = file.kind == HostFile::Kind::link;
  const bool same_mode =
      link ? S_ISLNK(found->st_mode) : S_ISREG(found->st_mode) && (found->st_mode & 07777U) == (file.mode & 07777U);
  return same_mode && found->st_uid == file.uid && found->st_gid == file.gid &&
         checksum_at(place->directory.get(), place->name, found->st_mode) == checksum;
}

std::optional<std::string> host_checksum(int root, const std::string& path) {
  const auto place = find_place(root, path);
  return place ? checksum_in(place->directory.get(), place->name) : std::nullopt;
}

std::optional<std::string> checksum_in(int directory, const std::string& name) {
  const auto status = base::stat_at(directory, name);
  return status ? checksum_at(directory, name, status->st_mode) : std::nullopt;
}

std::optional<uid_t> trusted_directory_owner(int root, const std::string& path) {
  const auto directory = find_trusted_directory(root, path);
  if (!directory) {
    return std::nullopt;
  }
  struct stat status {};
  base::check_errno(::fstat(directory->get(), &status), "examine " + path);
  return status.st_uid;
}

bool host_exists(int root, const std::string& path) {
  const auto place = find_place(root, path);
  return place && base::stat_at(place->directory.get(), place->name);
}

}  // namespace berth::host
