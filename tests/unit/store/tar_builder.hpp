// SPDX-License-Identifier: LGPL-2.1-or-later
// Layers for tests: archives written by libarchive, and raw headers, also invalid ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "image/manifest.hpp"
#include "store/tree/tree.hpp"

namespace berth::store::testing {

/// A pax archive, entry by entry.
class TarBuilder {
 public:
  enum class Format { pax, gnu };
  explicit TarBuilder(Format format = Format::pax) : format_(format) {}

  TarBuilder& file(const std::string& path, const std::string& content, Ownership ownership = {0, 0, 0644, {}});
  TarBuilder& directory(const std::string& path, Ownership ownership = {0, 0, 0755, {}});
  TarBuilder& link(const std::string& path, const std::string& target, std::uint32_t uid = 0);
  TarBuilder& hard_link(const std::string& path, const std::string& target);
  TarBuilder& device(const std::string& path);
  TarBuilder& fifo(const std::string& path);
  /// A file of `size` bytes of which only `content` at `offset` is data.
  TarBuilder& sparse(const std::string& path, std::int64_t size, std::int64_t offset, const std::string& content);

  /// The archive so far with its end blocks.
  [[nodiscard]] std::string bytes() const;
  operator std::string() const { return bytes(); }  // NOLINT(google-explicit-constructor): tests read better

 private:
  struct Item;
  void append(const Item& item);

  Format format_;
  std::string entries_;
};

/// An archive of one file.
inline std::string tar_with(const std::string& name) {
  return TarBuilder().file(name, "content of " + name);
}

/// One ustar header with any bytes in name and link, and padded content. @param size_field octal text; empty for that
/// of `content`
std::string raw_entry(std::string_view name, char type, std::string_view content = "", std::string_view link = "",
                      std::string_view size_field = "");
/// One header for a name of any length, preceded by an `L` entry of GNU tar.
std::string raw_long_entry(std::string_view name, char type, std::string_view content = "");
/// Two zero blocks.
std::string tar_end();

std::string pack(std::string_view bytes, image::Compression compression);

}  // namespace berth::store::testing
