// SPDX-License-Identifier: LGPL-2.1-or-later
// The disk space that a pull leaves free.
#pragma once

#include <atomic>
#include <cstdint>

namespace berth::store {

/// Counts written bytes, and queries the free space again after a certain number of them, since other programs write,
/// too. Thread-safe.
class DiskReserve {
 public:
  /// @param directory on the file system in question; must outlive this
  /// @param reserve bytes that must stay free
  DiskReserve(int directory, std::uint64_t reserve) : directory_(directory), reserve_(reserve) {}

  /// Checks that a file of `bytes` fits, before any of it is written.
  /// @throws Error(failed) with the remedy when it would use the reserve
  void require(std::uint64_t bytes) const;
  /// Accounts for `bytes` that are about to be written. @throws Error as require
  void take(std::uint64_t bytes);

 private:
  [[nodiscard]] std::uint64_t room() const;
  [[noreturn]] void refuse(std::uint64_t bytes, std::uint64_t room) const;

  int directory_;
  std::uint64_t reserve_;
  std::atomic<std::int64_t> left_{0};  ///< bytes until the free space is queried again
};

}  // namespace berth::store
