// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/rootfs.hpp"

#include <fcntl.h>

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::render {
namespace {

constexpr std::uint64_t account_size_limit = 4U << 20U;  ///< bytes of /etc/passwd and /etc/group

std::string read_account_file(int rootfs, const std::string& path) {
  const auto status = stat_in_root(rootfs, path);
  if (!status || !S_ISREG(status->st_mode)) {
    return {};
  }
  const base::Fd file = base::open_in_root(rootfs, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  return base::read_all(file.get(), account_size_limit, path + " in the image");
}

}  // namespace

std::optional<struct stat> stat_in_root(int rootfs, std::string_view path) {
  const auto found = base::find_in_root(rootfs, path, O_PATH);
  if (!found) {
    return std::nullopt;
  }
  struct stat status {};
  base::check_errno(::fstat(found->get(), &status), "examine " + std::string(path));
  return status;
}

ImageUser user_of_image(std::string_view user, int rootfs) {
  return resolve_user(user, read_account_file(rootfs, "/etc/passwd"), read_account_file(rootfs, "/etc/group"));
}

}  // namespace berth::render
