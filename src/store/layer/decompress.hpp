// Unpacking a layer's bytes while they stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/byte_stream.hpp"
#include "image/manifest.hpp"

namespace berth::store {

/// Unpacks `packed`: gzip (RFC 1952, any number of members), zstd (RFC 8878, any number of frames, windows up to
/// 128 MiB), bzip2, xz, or nothing at all. Reads `packed` to its end, so that a check there takes place.
/// Its first bytes are read at once.
/// @param label how it is said to be packed, which counts only when the first bytes do not tell: tools get it wrong
/// @param limit bytes of output (base::unpacked_limit); more is an error
/// @param name what is unpacked, for errors
/// Reading throws Error(verification) for damaged, truncated or trailing bytes.
std::unique_ptr<base::ByteStream> decompress(image::Compression label, std::unique_ptr<base::ByteStream> packed,
                                             std::uint64_t limit, std::string name);

}  // namespace berth::store
