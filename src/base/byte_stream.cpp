// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/byte_stream.hpp"

#include <fmt/format.h>

#include <array>

#include "base/error.hpp"

namespace berth::base {

std::string read_text(ByteStream& stream, std::uint64_t limit, std::string_view document) {
  std::string text;
  std::array<std::byte, std::size_t{16} << 10U> buffer{};
  while (const auto count = stream.read(buffer)) {
    if (count > limit - text.size()) {
      throw Error(ErrorKind::verification, fmt::format("{} has more than {} bytes", document, limit));
    }
    text.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return text;
}

std::string read_beginning(ByteStream& stream, std::size_t size) {
  std::string beginning(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const auto count = stream.read(std::as_writable_bytes(std::span(beginning)).subspan(filled));
    if (count == 0) {
      break;
    }
    filled += count;
  }
  beginning.resize(filled);
  return beginning;
}

}  // namespace berth::base
