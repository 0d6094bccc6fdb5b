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

}  // namespace berth::base
