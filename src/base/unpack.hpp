// Unpacking a stream of bytes, with a bound on what comes out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_stream.hpp"

namespace berth::base {

/// The most bytes that something may unpack to: 1100 times its packed size (gzip's own bound is 1032), and 4 GiB for
/// what is small.
std::uint64_t unpacked_limit(std::uint64_t packed_size);

/// So many first bytes tell what looks_compressed wants to know.
inline constexpr std::size_t magic_size = 10;

/// Whether the first bytes are those of a file packed with gzip, bzip2, xz or zstd.
bool looks_compressed(std::string_view first_bytes);

/// Unpacks gzip, bzip2, xz or zstd, whatever the first bytes say, by libarchive. What is packed twice is refused.
/// @param limit bytes of output; more is an error
/// @param name of the stream, for errors
/// Reading throws Error(verification) for damaged bytes, and what `packed` throws.
std::unique_ptr<ByteStream> unpack(std::unique_ptr<ByteStream> packed, std::uint64_t limit, std::string name);

}  // namespace berth::base
