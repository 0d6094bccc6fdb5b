// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/openssl_digest.hpp"
#include "base/sha256.hpp"

namespace berth::base {

namespace {

struct AlgorithmFacts {
  DigestAlgorithm algorithm;
  std::string_view name;
  std::size_t hex_length;
};

constexpr std::array algorithms{
    AlgorithmFacts{DigestAlgorithm::sha256, "sha256", 64},
    AlgorithmFacts{DigestAlgorithm::sha512, "sha512", 128},
};

const AlgorithmFacts& facts_of(DigestAlgorithm algorithm) {
  return algorithms.at(static_cast<std::size_t>(algorithm));
}

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

[[noreturn]] void refuse(std::string_view document, std::string_view text, std::string_view reason) {
  throw Error(ErrorKind::verification, fmt::format("{}: '{}' is not a digest: {}", document, printable(text), reason));
}

std::string to_hex(std::span<const unsigned char> bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    hex += digits[byte >> 4U];
    hex += digits[byte & 0xFU];
  }
  return hex;
}

}  // namespace

Digest Digest::parse(std::string_view text, std::string_view document) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    refuse(document, text, "there is no ':' after an algorithm");
  }
  const auto* const facts = std::find_if(algorithms.begin(), algorithms.end(), [&](const AlgorithmFacts& candidate) {
    return candidate.name == text.substr(0, colon);
  });
  if (facts == algorithms.end()) {
    refuse(document, text, "the algorithm is neither sha256 nor sha512");
  }
  const std::string_view hex = text.substr(colon + 1);
  if (hex.size() != facts->hex_length || !is_lower_hex(hex)) {
    refuse(document, text, fmt::format("{} has {} lower-case hex digits", facts->name, facts->hex_length));
  }
  return {facts->algorithm, std::string(hex)};
}

Digest::Digest(DigestAlgorithm algorithm, std::string hex) : algorithm_(algorithm), hex_(std::move(hex)) {
  const AlgorithmFacts& facts = facts_of(algorithm_);
  if (hex_.size() != facts.hex_length || !is_lower_hex(hex_)) {
    refuse("digest", hex_, fmt::format("{} has {} lower-case hex digits", facts.name, facts.hex_length));
  }
}

std::string Digest::text() const {
  return fmt::format("{}:{}", facts_of(algorithm_).name, hex_);
}

struct Hasher::State {
  explicit State(DigestAlgorithm algorithm) {
    if (algorithm == DigestAlgorithm::sha512) {
      sha512.emplace(OpensslDigest::Algorithm::sha512);
    }
  }
  Sha256 sha256;
  std::optional<OpensslDigest> sha512;
};

Hasher::Hasher(DigestAlgorithm algorithm) : state_(std::make_unique<State>(algorithm)) {}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> bytes) {
  if (state_->sha512) {
    state_->sha512->update(bytes);
  } else {
    state_->sha256.update(bytes);
  }
}

void Hasher::update(std::string_view bytes) {
  update(std::as_bytes(std::span(bytes)));
}

Digest Hasher::finish() {
  if (!state_->sha512) {
    return {DigestAlgorithm::sha256, to_hex(state_->sha256.finish())};
  }
  std::array<unsigned char, 64> bytes{};
  state_->sha512->finish(bytes);
  return {DigestAlgorithm::sha512, to_hex(bytes)};
}

Digest digest_of(std::string_view bytes, DigestAlgorithm algorithm) {
  Hasher hasher(algorithm);
  hasher.update(bytes);
  return hasher.finish();
}

namespace {

constexpr const char* not_itself_hint = "try again; if it happens again, do not trust where it comes from";

}  // namespace

VerifyingStream::VerifyingStream(std::unique_ptr<ByteStream> inner, Digest expected, std::int64_t size,
                                 std::string name)
    : inner_(std::move(inner)),
      expected_(std::move(expected)),
      size_(size),
      name_(std::move(name)),
      hasher_(expected_.algorithm()) {}

std::size_t VerifyingStream::read(std::span<std::byte> buffer) {
  if (failure_) {
    throw Error(*failure_);
  }
  try {
    return read_checked(buffer);
  } catch (const Error& error) {
    failure_ = error;
    throw;
  }
}

std::size_t VerifyingStream::read_checked(std::span<std::byte> buffer) {
  const std::size_t count = inner_->read(buffer);
  seen_ += static_cast<std::int64_t>(count);
  if (size_ >= 0 && seen_ > size_) {
    throw Error(ErrorKind::verification, fmt::format("{} is longer than the {} bytes it should have", name_, size_),
                not_itself_hint);
  }
  if (count == 0 && seen_ < size_) {
    throw Error(ErrorKind::verification, fmt::format("{} is truncated: {} of {} bytes came", name_, seen_, size_),
                not_itself_hint);
  }
  if (!verified_) {
    hasher_.update(buffer.first(count));
    if (count == 0 || seen_ == size_) {
      verify();
    }
  }
  return count;
}

void VerifyingStream::verify() {
  const Digest found = hasher_.finish();
  if (found != expected_) {
    throw Error(ErrorKind::verification,
                fmt::format("{} has the wrong content: expected the digest {}, found {}", name_, expected_.text(),
                            found.text()),
                not_itself_hint);
  }
  verified_ = true;
}

}  // namespace berth::base
