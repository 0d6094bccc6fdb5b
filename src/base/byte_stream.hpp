// The one interface through which bytes flow: registry → digest → decompressor → digest → tar reader.
#pragma once

#include <cstddef>
#include <span>

namespace berth::base {

/// A sequence of bytes that is read once, front to back, by one thread.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  /// Reads at least one byte, unless the stream has ended.
  /// @param buffer not empty
  /// @return the number of bytes stored; 0 at the end
  /// @throws Error when the bytes cannot be had or are not what they should be
  virtual std::size_t read(std::span<std::byte> buffer) = 0;
};

}  // namespace berth::base
