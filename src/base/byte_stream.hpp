// SPDX-License-Identifier: LGPL-2.1-or-later
// The interface through which bytes flow: registry → digest → decompressor → digest → tar reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace berth::base {

/// A sequence of bytes that is read once, front to back, by one thread.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  /// Reads at least one byte, unless the stream has ended.
  /// @param buffer not empty
  /// @return the number of bytes stored; 0 at the end
  /// @throws Error when the bytes cannot be read or fail a check
  virtual std::size_t read(std::span<std::byte> buffer) = 0;

  /// Passes over bytes without reading them, where that is cheaper.
  /// @param count the most bytes to pass over
  /// @return how many were; 0 when the stream cannot skip or has ended: read instead
  virtual std::uint64_t skip(std::uint64_t /*count*/) { return 0; }
};

/// Reads a stream to its end.
/// @param limit bytes
/// @param document the name of the text, for errors
/// @throws Error(verification) when there are more than `limit` bytes, and what the stream throws
std::string read_text(ByteStream& stream, std::uint64_t limit, std::string_view document);

/// Reads the first bytes of a stream. @return `size` of them, or all when it has fewer
std::string read_beginning(ByteStream& stream, std::size_t size);

}  // namespace berth::base
