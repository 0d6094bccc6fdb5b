// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/sha256.hpp"

#include <algorithm>
#include <utility>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#include "base/openssl_digest.hpp"

namespace berth::base {

#if defined(__x86_64__)

// The functions in this region may use the instructions that has_instructions() checks for.
#define BERTH_SHA __attribute__((target("sha,sse4.1,ssse3")))
#define BERTH_SHA_INLINE BERTH_SHA __attribute__((always_inline)) inline

namespace {

using Words = std::array<std::uint32_t, 8>;

bool has_instructions() {
  unsigned int a = 0;
  unsigned int b = 0;
  unsigned int c = 0;
  unsigned int d = 0;
  constexpr unsigned int sha_bit = 1U << 29U;    // leaf 7, EBX
  constexpr unsigned int sse41_bit = 1U << 19U;  // leaf 1, ECX
  constexpr unsigned int ssse3_bit = 1U << 9U;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & sse41_bit) == 0 || (c & ssse3_bit) == 0) {
    return false;
  }
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & sha_bit) != 0;
}

alignas(16) constexpr std::array<std::uint32_t, 64> round_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// One chain: the eight words in the order of the instructions, and the last sixteen words of the schedule.
struct Chain {
  __m128i abef;
  __m128i cdgh;
  __m128i schedule[4];  // std::array drops the alignment that its type asks for
};

BERTH_SHA_INLINE void load_state(Chain& chain, const Words& words) {
  const __m128i dcba = _mm_loadu_si128(reinterpret_cast<const __m128i*>(words.data()));
  const __m128i hgfe = _mm_loadu_si128(reinterpret_cast<const __m128i*>(words.data() + 4));
  const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
  chain.abef = _mm_alignr_epi8(cdab, efgh, 8);
  chain.cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
}

BERTH_SHA_INLINE void store_state(const Chain& chain, Words& words) {
  const __m128i feba = _mm_shuffle_epi32(chain.abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(chain.cdgh, 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words.data()), _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words.data() + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/// Rounds 4 * Group to 4 * Group + 3 of one block.
template <std::size_t Group>
BERTH_SHA_INLINE void four_rounds(Chain& chain, const std::byte* block) {
  auto& words = chain.schedule[Group % 4];
  if constexpr (Group < 4) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 16 * Group));
    words = _mm_shuffle_epi8(raw, big_endian);
  } else {
    const auto& second = chain.schedule[(Group + 1) % 4];
    const auto& third = chain.schedule[(Group + 2) % 4];
    const auto& fourth = chain.schedule[(Group + 3) % 4];
    const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(words, second), _mm_alignr_epi8(fourth, third, 4));
    words = _mm_sha256msg2_epu32(sum, fourth);
  }
  const __m128i constants = _mm_load_si128(reinterpret_cast<const __m128i*>(round_constants.data() + 4 * Group));
  const __m128i mixed = _mm_add_epi32(words, constants);
  chain.cdgh = _mm_sha256rnds2_epu32(chain.cdgh, chain.abef, mixed);
  chain.abef = _mm_sha256rnds2_epu32(chain.abef, chain.cdgh, _mm_shuffle_epi32(mixed, 0x0e));
}

template <std::size_t... Group>
BERTH_SHA_INLINE void one_block(Chain& chain, const std::byte* block, std::index_sequence<Group...> /*groups*/) {
  const __m128i abef = chain.abef;
  const __m128i cdgh = chain.cdgh;
  (four_rounds<Group>(chain, block), ...);
  chain.abef = _mm_add_epi32(chain.abef, abef);
  chain.cdgh = _mm_add_epi32(chain.cdgh, cdgh);
}

template <std::size_t... Group>
BERTH_SHA_INLINE void two_blocks(Chain& first, const std::byte* one, Chain& second, const std::byte* two,
                                 std::index_sequence<Group...> /*groups*/) {
  const Chain before_first = first;
  const Chain before_second = second;
  ((four_rounds<Group>(first, one), four_rounds<Group>(second, two)), ...);
  first.abef = _mm_add_epi32(first.abef, before_first.abef);
  first.cdgh = _mm_add_epi32(first.cdgh, before_first.cdgh);
  second.abef = _mm_add_epi32(second.abef, before_second.abef);
  second.cdgh = _mm_add_epi32(second.cdgh, before_second.cdgh);
}

constexpr std::size_t block_bytes = 64;
constexpr std::make_index_sequence<16> all_groups{};

BERTH_SHA void compress(Words& words, const std::byte* data, std::size_t blocks) {
  Chain chain{};
  load_state(chain, words);
  for (; blocks > 0; --blocks, data += block_bytes) {
    one_block(chain, data, all_groups);
  }
  store_state(chain, words);
}

BERTH_SHA void compress_both(Words& first, const std::byte* one, Words& second, const std::byte* two,
                             std::size_t blocks) {
  Chain chain_one{};
  Chain chain_two{};
  load_state(chain_one, first);
  load_state(chain_two, second);
  for (; blocks > 0; --blocks, one += block_bytes, two += block_bytes) {
    two_blocks(chain_one, one, chain_two, two, all_groups);
  }
  store_state(chain_one, first);
  store_state(chain_two, second);
}

}  // namespace

#undef BERTH_SHA_INLINE
#undef BERTH_SHA

#else

namespace {

using Words = std::array<std::uint32_t, 8>;

bool has_instructions() {
  return false;
}
void compress(Words& /*words*/, const std::byte* /*data*/, std::size_t /*blocks*/) {}
void compress_both(Words& /*first*/, const std::byte* /*one*/, Words& /*second*/, const std::byte* /*two*/,
                   std::size_t /*blocks*/) {}

}  // namespace

#endif

Sha256::Sha256(Engine engine) {
  static const bool instructions = has_instructions();
  if (engine == Engine::openssl || !instructions) {
    openssl_ = std::make_unique<OpensslDigest>(OpensslDigest::Algorithm::sha256);
  }
  begin();
}

Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::begin() {
  if (openssl_) {
    openssl_->restart();
    return;
  }
  words_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  partial_size_ = 0;
  total_ = 0;
}

/// Consumes the bytes that complete a partial block. @return the rest, which begins at a block boundary
std::span<const std::byte> Sha256::complete_block(std::span<const std::byte> bytes) {
  total_ += bytes.size();
  if (partial_size_ == 0) {
    return bytes;
  }
  const auto count = std::min(bytes.size(), block_size - partial_size_);
  std::copy_n(bytes.begin(), count, partial_.begin() + static_cast<std::ptrdiff_t>(partial_size_));
  partial_size_ += count;
  if (partial_size_ == block_size) {
    compress(words_, partial_.data(), 1);
    partial_size_ = 0;
  }
  return bytes.subspan(count);
}

void Sha256::update(std::span<const std::byte> bytes) {
  if (openssl_) {
    openssl_->update(bytes);
    return;
  }
  bytes = complete_block(bytes);
  const auto blocks = bytes.size() / block_size;
  if (blocks > 0) {
    compress(words_, bytes.data(), blocks);
    bytes = bytes.subspan(blocks * block_size);
  }
  if (!bytes.empty()) {
    std::copy(bytes.begin(), bytes.end(), partial_.begin());
    partial_size_ = bytes.size();
  }
}

void Sha256::update_both(Sha256& first, std::span<const std::byte> one, Sha256& second,
                         std::span<const std::byte> two) {
  if (first.openssl_ || second.openssl_) {
    first.update(one);
    second.update(two);
    return;
  }
  one = first.complete_block(one);
  two = second.complete_block(two);
  const auto blocks = std::min(one.size(), two.size()) / block_size;
  compress_both(first.words_, one.data(), second.words_, two.data(), blocks);
  one = one.subspan(blocks * block_size);
  two = two.subspan(blocks * block_size);
  first.total_ -= one.size();  // update() counts these bytes again
  second.total_ -= two.size();
  first.update(one);
  second.update(two);
}

Sha256::Result Sha256::finish() {
  Result result{};
  if (openssl_) {
    openssl_->finish(result);
    return result;
  }
  constexpr std::size_t length_size = 8;
  constexpr unsigned int byte_bits = 8;
  std::array<std::byte, 2 * block_size> tail{};
  std::copy_n(partial_.begin(), partial_size_, tail.begin());
  tail[partial_size_] = std::byte{0x80};
  const std::size_t blocks = partial_size_ + 1 + length_size > block_size ? 2 : 1;
  std::uint64_t bits = total_ * byte_bits;
  for (std::size_t i = 1; i <= length_size; ++i, bits >>= byte_bits) {
    tail[blocks * block_size - i] = static_cast<std::byte>(bits & 0xffU);
  }
  compress(words_, tail.data(), blocks);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto shift = byte_bits * (3 - i % 4);
    result[i] = static_cast<std::uint8_t>(words_[i / 4] >> shift);
  }
  return result;
}

}  // namespace berth::base
