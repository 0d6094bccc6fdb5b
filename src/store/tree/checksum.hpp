// SPDX-License-Identifier: LGPL-2.1-or-later
// Names of OSTree objects.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace berth::store {

/// sha256 of an OSTree object, in 32 bytes: trees of millions of entries hold one each.
struct Checksum {
  std::array<std::uint8_t, 32> bytes{};

  [[nodiscard]] std::string hex() const;
  /// @throws Error(verification) unless `text` is 64 lower-case hex digits
  static Checksum from_hex(std::string_view text);
  /// @throws Error(verification) unless there are 32 bytes
  static Checksum from_bytes(std::span<const std::uint8_t> raw);

  friend auto operator<=>(const Checksum&, const Checksum&) = default;
};

}  // namespace berth::store
