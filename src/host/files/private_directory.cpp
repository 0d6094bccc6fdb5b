#include "host/files/private_directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/root_directory.hpp"

namespace berth::host {

namespace {

constexpr mode_t private_mode = S_IRWXU;
constexpr mode_t others = S_IRWXG | S_IRWXO;

struct stat status_of(int folder) {
  struct stat status {};
  base::check_errno(::fstat(folder, &status), "examine " + base::full_path(folder, "."));
  return status;
}

void set_mode(int folder, mode_t mode) {
  base::check_errno(::fchmod(folder, mode), "set the mode of " + base::full_path(folder, "."));
}

bool is_trusted(uid_t owner) noexcept {
  return owner == 0 || owner == ::geteuid();
}

}  // namespace

bool others_can_enter(const struct stat& status) noexcept {
  return !is_trusted(status.st_uid) || (status.st_mode & others) != 0;
}

bool others_can_reach(int root, std::string_view inside) {
  const auto folder = find_folder_in_root(root, inside);
  if (!folder) {
    return false;
  }
  auto path = path_inside_root(root, folder->get());
  for (; path != "/"; path = base::split_path(path).first) {
    const auto above = find_folder_in_root(root, path);
    if (above && !others_can_enter(status_of(above->get()))) {
      return false;
    }
  }
  return true;
}

bool make_private(int folder, std::optional<gid_t> group) {
  const auto status = status_of(folder);
  const bool passed = group && status.st_gid == *group && is_trusted(status.st_uid) &&
                      (status.st_mode & others) == static_cast<mode_t>(S_IXGRP);
  if (passed || (!group && !others_can_enter(status))) {
    return false;
  }
  if (!is_trusted(status.st_uid)) {
    base::check_errno(::fchown(folder, ::geteuid(), static_cast<gid_t>(-1)),
                      "become the owner of " + base::full_path(folder, "."));
  }
  set_mode(folder, private_mode);
  if (group) {
    base::check_errno(::fchown(folder, static_cast<uid_t>(-1), *group),
                      "set the group of " + base::full_path(folder, "."));
    set_mode(folder, private_mode | S_IXGRP);
  }
  return others_can_enter(status);
}

void let_pass(int deployments, gid_t group) {
  const auto status = status_of(deployments);
  if ((status.st_mode & S_IXOTH) != 0) {
    return;
  }
  if ((status.st_mode & S_IXGRP) == 0) {
    make_private(deployments, group);
  } else if (status.st_gid != group) {
    set_mode(deployments, private_mode | S_IXGRP | S_IXOTH);
  }
}

}  // namespace berth::host
