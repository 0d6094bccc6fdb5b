// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/disk_reserve.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "base/error.hpp"

namespace berth::store {
namespace {

/// Bytes written between two queries of the free space.
constexpr std::uint64_t check_interval = std::uint64_t{32} << 20U;
/// Least bytes that a file takes, with its directory entry.
constexpr std::uint64_t least_size = 4096;
constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max() / 2;

}  // namespace

std::uint64_t DiskReserve::room() const {
  struct statvfs disk {};
  base::check_errno(::fstatvfs(directory_, &disk), "examine the file system of the repository");
  const std::uint64_t free_bytes = std::uint64_t{::getuid() == 0 ? disk.f_bfree : disk.f_bavail} * disk.f_bsize;
  return free_bytes > reserve_ ? free_bytes - reserve_ : 0;
}

void DiskReserve::refuse(std::uint64_t bytes, std::uint64_t room) const {
  throw base::Error(base::ErrorKind::failed,
                    fmt::format("a file of {} bytes does not fit: the repository's file system has room for {} bytes "
                                "above its reserve of {}",
                                bytes, room, reserve_),
                    "free space on the file system of the repository");
}

void DiskReserve::require(std::uint64_t bytes) const {
  if (const auto found = room(); bytes > found) {
    refuse(bytes, found);
  }
}

void DiskReserve::take(std::uint64_t bytes) {
  const auto taken = static_cast<std::int64_t>(std::min(bytes, most) + least_size);
  if (left_.fetch_sub(taken) >= taken) {
    return;
  }
  const auto found = room();
  if (bytes > found || found == 0) {
    refuse(bytes, found);
  }
  left_ = static_cast<std::int64_t>(std::min(found - bytes, check_interval));
}

}  // namespace berth::store
