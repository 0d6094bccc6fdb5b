// SPDX-License-Identifier: LGPL-2.1-or-later
// Decompressing a stream of bytes, with a bound on its output.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_stream.hpp"

namespace berth::base {

enum class Compression { none, gzip, zstd, bzip2, xz };

/// The most bytes that a file of this size may decompress to: 1100 times the size (gzip reaches 1032 times at most),
/// but at least 4 GiB.
std::uint64_t unpacked_limit(std::uint64_t packed_size);

/// The number of bytes that compression_of needs.
inline constexpr std::size_t magic_size = 10;

/// The compression that the first bytes of a file indicate.
/// @return nullopt when they are those of no known compression
std::optional<Compression> compression_of(std::string_view first_bytes);

struct DecompressOptions {
  std::string name;         ///< of the stream, for errors
  std::uint64_t limit = 0;  ///< bytes of output, see unpacked_limit; more is an error
  std::string hint;         ///< the remedy for damaged input
  /// For input that begins neither as a compressed file nor as a tar archive. Media types are no more than a hint,
  /// since tools set wrong ones.
  Compression fallback = Compression::none;
};

/// Decompresses gzip (RFC 1952, any number of members), zstd (RFC 8878, any number of frames, windows of up to 128
/// MiB), bzip2 or xz; other input is passed through. The first 512 bytes are read immediately. `packed` is read to its
/// end, so that its own check there takes place.
/// Reading throws Error(verification) for damaged, truncated or trailing input, for output above the limit and for
/// input that is compressed more than once, and what `packed` throws.
std::unique_ptr<ByteStream> decompress(std::unique_ptr<ByteStream> packed, DecompressOptions options);

}  // namespace berth::base
