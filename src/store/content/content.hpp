// SPDX-License-Identifier: LGPL-2.1-or-later
// The bytes of one file on their way into the repository.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

namespace berth::store {

/// Exactly `size` bytes from a source that may end early.
class Content {
 public:
  /// Stores up to as many bytes as fit and gives their number; 0 at the end.
  using Read = std::function<std::size_t(std::span<std::byte>)>;

  Content(std::uint64_t size, Read read) : size_(size), read_(std::move(read)) {}

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t left() const { return size_ - done_; }

  /// Reads the next bytes into `buffer`: as many as are available, at least one unless nothing is left.
  /// @throws Error(verification) when the source ends early
  std::span<const std::byte> next(std::span<std::byte> buffer);
  /// As next, but fills `buffer` unless nothing is left.
  std::span<const std::byte> fill(std::span<std::byte> buffer);

 private:
  std::uint64_t size_;
  std::uint64_t done_ = 0;
  Read read_;
};

}  // namespace berth::store
