// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/content/content.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace berth::store {

std::span<const std::byte> Content::next(std::span<std::byte> buffer) {
  const auto wanted = buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left())));
  if (wanted.empty()) {
    return wanted;
  }
  const auto count = read_(wanted);
  if (count == 0) {
    throw base::Error(base::ErrorKind::verification, fmt::format("a file ends after {} of {} bytes", done_, size_));
  }
  done_ += count;
  return wanted.first(count);
}

std::span<const std::byte> Content::fill(std::span<std::byte> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size() && left() > 0) {
    filled += next(buffer.subspan(filled)).size();
  }
  return buffer.first(filled);
}

}  // namespace berth::store
