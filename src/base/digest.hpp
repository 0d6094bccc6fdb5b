// SPDX-License-Identifier: LGPL-2.1-or-later
// Content digests as OCI image-spec 1.1 descriptors write them.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_stream.hpp"
#include "base/error.hpp"

namespace berth::base {

enum class DigestAlgorithm { sha256, sha512 };

/// A parsed digest, `ALGORITHM:HEX`; holds nothing but lower-case hex of the right length.
class Digest {
 public:
  /// @throws Error(verification) naming `document` for an unknown algorithm, wrong length or letters
  static Digest parse(std::string_view text, std::string_view document = "digest");
  /// @param hex as many lower-case hex digits as the algorithm has
  Digest(DigestAlgorithm algorithm, std::string hex);

  [[nodiscard]] DigestAlgorithm algorithm() const noexcept { return algorithm_; }
  [[nodiscard]] const std::string& hex() const noexcept { return hex_; }
  /// The first 12 hex digits, for display.
  [[nodiscard]] std::string short_hex() const { return hex_.substr(0, 12); }
  /// `sha256:…`
  [[nodiscard]] std::string text() const;

  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  DigestAlgorithm algorithm_;
  std::string hex_;
};

/// Computes a digest step by step.
class Hasher {
 public:
  explicit Hasher(DigestAlgorithm algorithm = DigestAlgorithm::sha256);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();
  void update(std::span<const std::byte> bytes);
  void update(std::string_view bytes);
  /// Ends the computation; the hasher cannot be used afterwards.
  [[nodiscard]] Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// sha256 of a text.
[[nodiscard]] Digest digest_of(std::string_view bytes, DigestAlgorithm algorithm = DigestAlgorithm::sha256);

/// Passes bytes through and checks that their digest is `expected` and their number is `size`. With a known size the
/// last bytes are returned only after the digest has been checked; otherwise it is checked at the end of the stream.
/// Bytes beyond `size` are refused at once. The caller must read to the end for the checks to be complete.
class VerifyingStream final : public ByteStream {
 public:
  /// @param size in bytes; negative when unknown
  /// @param name of the content, for the error ("layer sha256:… of docker.io/…")
  VerifyingStream(std::unique_ptr<ByteStream> inner, Digest expected, std::int64_t size, std::string name);
  std::size_t read(std::span<std::byte> buffer) override;

 private:
  std::size_t read_checked(std::span<std::byte> buffer);
  void verify();

  std::unique_ptr<ByteStream> inner_;
  Digest expected_;
  std::int64_t size_;
  std::string name_;
  Hasher hasher_;
  std::int64_t seen_ = 0;
  bool verified_ = false;
  std::optional<Error> failure_;  ///< thrown by each read after the first failure
};

}  // namespace berth::base
