// SPDX-License-Identifier: LGPL-2.1-or-later
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

struct stat status_of(int directory) {
  struct stat status {};
  base::check_errno(::fstat(directory, &status), "examine " + base::full_path(directory, "."));
  return status;
}

void set_mode(int directory, mode_t mode) {
  base::check_errno(::fchmod(directory, mode), "set the mode of " + base::full_path(directory, "."));
}

}  // namespace

bool others_can_enter(const struct stat& status) noexcept {
  return is_of_others(status.st_uid) || (status.st_mode & others) != 0;
}

bool others_can_reach(int root, std::string_view inside) {
  const auto directory = find_directory_in_root(root, inside);
  if (!directory) {
    return false;
  }
  auto path = path_in_root(root, directory->get());
  for (; path != "/"; path = base::split_path(path).first) {
    const auto above = find_directory_in_root(root, path);
    if (above && !others_can_enter(status_of(above->get()))) {
      return false;
    }
  }
  return true;
}

bool make_private(int directory, std::optional<gid_t> group) {
  const auto status = status_of(directory);
  const bool passed = group && status.st_gid == *group && !is_of_others(status.st_uid) &&
                      (status.st_mode & others) == static_cast<mode_t>(S_IXGRP);
  if (passed || (!group && !others_can_enter(status))) {
    return false;
  }
  if (is_of_others(status.st_uid)) {
    base::check_errno(::fchown(directory, ::geteuid(), static_cast<gid_t>(-1)),
                      "set the owner of " + base::full_path(directory, "."));
  }
  set_mode(directory, private_mode);
  if (group) {
    base::check_errno(::fchown(directory, static_cast<uid_t>(-1), *group),
                      "set the group of " + base::full_path(directory, "."));
    set_mode(directory, private_mode | S_IXGRP);
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
