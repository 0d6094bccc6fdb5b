// Unpacking a layer's bytes while they stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/byte_stream.hpp"
#include "image/manifest.hpp"

namespace berth::store {

/// The most bytes a layer may unpack to: 1100 times its packed size (gzip's own bound is 1032), and 4 GiB for small
/// ones. What it may store is bounded by the disk reserve besides.
std::uint64_t unpacked_limit(std::uint64_t packed_size);

/// Unpacks `packed`: gzip (RFC 1952, any number of members), zstd (RFC 8878, any number of frames, windows up to
/// 128 MiB) or nothing at all. Reads `packed` to its end, so that a check there takes place.
/// @param limit bytes of output; more is an error
/// @param name what is unpacked, for errors
/// Reading throws Error(verification) for damaged, truncated or trailing bytes.
std::unique_ptr<base::ByteStream> decompress(image::Compression compression, std::unique_ptr<base::ByteStream> packed,
                                             std::uint64_t limit, std::string name);

}  // namespace berth::store
