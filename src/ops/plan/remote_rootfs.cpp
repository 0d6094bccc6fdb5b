// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/remote_rootfs.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/root_directory.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

std::string absolute(const host::Layout& layout, const std::string& given) {
  if (given.starts_with('/')) {
    return given;
  }
  if (layout.offline()) {
    throw Error(ErrorKind::usage, fmt::format("--rootfs {} is not an absolute path", given),
                "with --root it is a path inside that system, beginning with /");
  }
  std::error_code failure;
  const auto here = std::filesystem::current_path(failure);
  if (failure) {
    throw Error(ErrorKind::usage, fmt::format("--rootfs {} cannot be found: {}", given, failure.message()),
                "give an absolute path");
  }
  return here / given;
}

base::Fd open_given(int root, const std::string& path) {
  try {
    return base::open_in_root(root, path, O_RDONLY | O_DIRECTORY);
  } catch (Error& error) {
    error.add_context("--rootfs " + path);
    throw;
  }
}

}  // namespace

std::string find_remote_rootfs(const host::Layout& layout, const std::string& given) {
  const auto root = base::open_host_directory(layout.root());
  const auto path = absolute(layout, given);
  auto directory = open_given(root.get(), path);
  if (const auto inner = base::stat_at(directory.get(), "rootfs")) {
    if (S_ISLNK(inner->st_mode)) {
      throw Error(ErrorKind::usage, fmt::format("--rootfs {}: the entry rootfs in it is a symbolic link", given),
                  "give the directory that the link points to");
    }
    if (S_ISDIR(inner->st_mode)) {
      directory = base::open_directory_at(directory.get(), "rootfs");
    }
  }
  auto found = host::path_in_root(root.get(), directory.get());
  if (found == "/") {
    throw Error(ErrorKind::usage, fmt::format("--rootfs {} is the root file system of the host itself", given),
                "give the directory that holds the container's own files");
  }
  return found;
}

base::Fd open_rootfs(const host::Layout& layout, const std::string& path) {
  const auto root = base::open_host_directory(layout.root());
  return base::open_in_root(root.get(), layout.deployments_in_root() + "/" + path, O_RDONLY | O_DIRECTORY);
}

store::StoredImage named_image(const Context& context, const image::ImageName& name) {
  store::StoredImage image;
  image.name = name.text();
  auto store = store::Store::open_existing(store_options(context));
  return store ? store->find(name).value_or(image) : image;
}

}  // namespace berth::ops
