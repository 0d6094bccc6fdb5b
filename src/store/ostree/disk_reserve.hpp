// How much of the disk a pull may use.
#pragma once

#include <atomic>
#include <cstdint>

namespace berth::store {

/// What is written is counted, and the file system asked again whenever much was: others write, too. Safe for several
/// threads.
class DiskReserve {
 public:
  /// @param directory on the file system in question; must outlive this
  /// @param reserve bytes that are to stay free
  DiskReserve(int directory, std::uint64_t reserve) : directory_(directory), reserve_(reserve) {}

  /// Asks whether a file of `bytes` fits, before any of it is written.
  /// @throws Error(failed) with the remedy when the reserve would be touched
  void require(std::uint64_t bytes) const;
  /// Accounts for `bytes` that are about to be written. @throws Error as require
  void take(std::uint64_t bytes);

 private:
  [[nodiscard]] std::uint64_t room() const;
  [[noreturn]] void refuse(std::uint64_t bytes, std::uint64_t room) const;

  int directory_;
  std::uint64_t reserve_;
  std::atomic<std::int64_t> left_{0};  ///< bytes until the file system is asked again
};

}  // namespace berth::store
