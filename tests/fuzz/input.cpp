// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>

#include "base/file.hpp"
#include "harness.hpp"

namespace berth::fuzz {

std::size_t InputStream::read(std::span<std::byte> buffer) {
  const auto count = std::min({buffer.size(), bytes_.size(), piece_});
  std::copy_n(bytes_.begin(), count, buffer.begin());
  bytes_ = bytes_.subspan(count);
  return count;
}

InputFile::InputFile(std::string_view bytes) : fd_(::memfd_create("fuzz-input", MFD_CLOEXEC)) {
  base::check_errno(fd_.get(), "create a file in memory");
  base::write_all(fd_.get(), bytes, "a file in memory");
}

std::string InputFile::path() const {
  return fmt::format("/proc/self/fd/{}", fd_.get());
}

}  // namespace berth::fuzz
