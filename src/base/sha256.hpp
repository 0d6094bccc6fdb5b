// SPDX-License-Identifier: LGPL-2.1-or-later
// SHA-256 (FIPS 180-4) for many short inputs, and for two at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace berth::base {

class OpensslDigest;

/// Computes one digest after another without a new setup for each: with the SHA instructions of the processor, or with
/// OpenSSL on processors without them.
class Sha256 {
 public:
  using Result = std::array<std::uint8_t, 32>;
  enum class Engine { best, openssl };

  explicit Sha256(Engine engine = Engine::best);
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  /// Begins a digest and discards an unfinished one. The constructor has already begun the first.
  void begin();
  void update(std::span<const std::byte> bytes);
  /// Ends the digest; call begin() before the next one.
  [[nodiscard]] Result finish();

  /// As `first.update(one); second.update(two)`. The two chains of instructions run in parallel, so that both take
  /// little longer than the longer one. @param first not the same object as `second`
  static void update_both(Sha256& first, std::span<const std::byte> one, Sha256& second,
                          std::span<const std::byte> two);

 private:
  static constexpr std::size_t block_size = 64;
  using Words = std::array<std::uint32_t, 8>;

  [[nodiscard]] std::span<const std::byte> complete_block(std::span<const std::byte> bytes);

  std::unique_ptr<OpensslDigest> openssl_;  ///< null: the members below hold the state
  Words words_{};
  std::array<std::byte, block_size> partial_{};
  std::size_t partial_size_ = 0;
  std::uint64_t total_ = 0;  ///< bytes
};

}  // namespace berth::base
