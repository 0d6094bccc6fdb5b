// SPDX-License-Identifier: LGPL-2.1-or-later
// Compressed bytes, and streams of them.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_stream.hpp"
#include "base/error.hpp"

namespace berth::test {

/// One compressed stream. @param filter ARCHIVE_FILTER_GZIP …
inline std::string compress(const std::string& bytes, int filter) {
  std::string result(bytes.size() * 2 + 10'000, '\0');
  std::size_t used = 0;
  archive* writer = archive_write_new();
  archive_write_add_filter(writer, filter);
  archive_write_set_format_raw(writer);
  archive_write_set_bytes_in_last_block(writer, 1);
  archive_write_open_memory(writer, result.data(), result.size(), &used);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_write_header(writer, entry);
  archive_write_data(writer, bytes.data(), bytes.size());
  archive_entry_free(entry);
  archive_write_close(writer);
  archive_write_free(writer);
  result.resize(used);
  return result;
}

/// A stream that returns a text in pieces of at most `piece` bytes and, with `fails`, throws at its end.
class PieceStream final : public base::ByteStream {
 public:
  explicit PieceStream(std::string text, bool fails = false, std::size_t piece = 1000)
      : text_(std::move(text)), fails_(fails), piece_(piece) {}
  std::size_t read(std::span<std::byte> buffer) override {
    const auto count = std::min<std::size_t>({buffer.size(), piece_, text_.size() - at_});
    if (count == 0 && fails_) {
      throw base::Error(base::ErrorKind::not_permitted, "the inner one failed");
    }
    std::copy_n(std::as_bytes(std::span(text_)).begin() + static_cast<std::ptrdiff_t>(at_), count, buffer.begin());
    at_ += count;
    return count;
  }

 private:
  std::string text_;
  bool fails_;
  std::size_t piece_;
  std::size_t at_ = 0;
};

/// Reads a stream to its end, at most `piece` bytes at a time.
inline std::string drain(base::ByteStream& stream, std::size_t piece = 10'000) {
  std::string text;
  std::vector<std::byte> buffer(piece);
  while (const auto count = stream.read(buffer)) {
    text.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return text;
}

}  // namespace berth::test
