// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/tar_builder.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <locale.h>

#include <cstring>
#include <stdexcept>

namespace berth::store::testing {
namespace {

constexpr std::size_t block_size = 512;

la_ssize_t append_to_string(archive* /*handle*/, void* text, const void* bytes, std::size_t count) {
  static_cast<std::string*>(text)->append(static_cast<const char*>(bytes), count);
  return static_cast<la_ssize_t>(count);
}

void check(archive* handle, int result) {
  if (result != ARCHIVE_OK) {
    throw std::runtime_error(::archive_error_string(handle));
  }
}

/// Writes an archive into a string, in a locale with UTF-8 names.
class Writer {
 public:
  Writer() : utf8_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(::uselocale(utf8_)) {
    ::archive_write_set_bytes_per_block(handle_, 0);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() {
    ::archive_write_free(handle_);
    ::uselocale(before_);
    ::freelocale(utf8_);
  }
  archive* handle() { return handle_; }
  void open() { check(handle_, ::archive_write_open(handle_, &text_, nullptr, append_to_string, nullptr)); }
  std::string close() {
    check(handle_, ::archive_write_close(handle_));
    return std::move(text_);
  }

 private:
  locale_t utf8_;
  locale_t before_;
  archive* handle_ = ::archive_write_new();
  std::string text_;
};

std::string padded(std::string_view content) {
  std::string result(content);
  result.resize((content.size() + block_size - 1) / block_size * block_size, '\0');
  return result;
}

}  // namespace

struct TarBuilder::Item {
  Item(std::string path_, unsigned type_) : path(std::move(path_)), type(type_) {}

  std::string path;
  unsigned type;
  Ownership ownership;
  std::string content;
  std::string link;
  bool hard = false;
  std::int64_t size = -1;
  std::int64_t offset = 0;
};

void TarBuilder::append(const Item& item) {
  Writer writer;
  if (format_ == Format::pax) {
    ::archive_write_set_format_pax(writer.handle());
  } else {
    ::archive_write_set_format_gnutar(writer.handle());
  }
  writer.open();
  archive_entry* entry = ::archive_entry_new();
  ::archive_entry_set_pathname(entry, item.path.c_str());
  ::archive_entry_set_filetype(entry, item.type);
  ::archive_entry_set_perm(entry, static_cast<__LA_MODE_T>(item.ownership.permissions));
  ::archive_entry_set_uid(entry, item.ownership.uid);
  ::archive_entry_set_gid(entry, item.ownership.gid);
  ::archive_entry_set_mtime(entry, 1'000'000'000, 0);
  if (item.type == AE_IFREG && !item.hard) {
    ::archive_entry_set_size(entry, item.size < 0 ? static_cast<la_int64_t>(item.content.size()) : item.size);
  }
  if (item.size >= 0) {
    ::archive_entry_sparse_add_entry(entry, item.offset, static_cast<la_int64_t>(item.content.size()));
  }
  if (item.hard) {
    ::archive_entry_set_hardlink(entry, item.link.c_str());
  } else if (item.type == AE_IFLNK) {
    ::archive_entry_set_symlink(entry, item.link.c_str());
  } else if (item.type == AE_IFCHR) {
    ::archive_entry_set_rdevmajor(entry, 1);
    ::archive_entry_set_rdevminor(entry, 3);
  }
  for (const auto& [key, value] : item.ownership.xattrs) {
    ::archive_entry_xattr_add_entry(entry, key.c_str(), value.data(), value.size());
  }
  check(writer.handle(), ::archive_write_header(writer.handle(), entry));
  std::string data = item.content;
  if (item.size >= 0) {
    data = std::string(static_cast<std::size_t>(item.offset), '\0') + item.content;
    data.resize(static_cast<std::size_t>(item.size), '\0');
  }
  ::archive_write_data(writer.handle(), data.data(), data.size());
  ::archive_entry_free(entry);
  auto text = writer.close();
  text.resize(text.size() - tar_end().size());
  entries_ += text;
}

TarBuilder& TarBuilder::file(const std::string& path, const std::string& content, Ownership ownership) {
  Item item(path, AE_IFREG);
  item.content = content;
  item.ownership = std::move(ownership);
  append(item);
  return *this;
}

TarBuilder& TarBuilder::directory(const std::string& path, Ownership ownership) {
  Item item(path, AE_IFDIR);
  item.ownership = std::move(ownership);
  append(item);
  return *this;
}

TarBuilder& TarBuilder::link(const std::string& path, const std::string& target, std::uint32_t uid) {
  Item item(path, AE_IFLNK);
  item.link = target;
  item.ownership.uid = uid;
  item.ownership.gid = uid;
  append(item);
  return *this;
}

TarBuilder& TarBuilder::hard_link(const std::string& path, const std::string& target) {
  Item item(path, AE_IFREG);
  item.link = target;
  item.hard = true;
  append(item);
  return *this;
}

TarBuilder& TarBuilder::device(const std::string& path) {
  append(Item(path, AE_IFCHR));
  return *this;
}

TarBuilder& TarBuilder::fifo(const std::string& path) {
  append(Item(path, AE_IFIFO));
  return *this;
}

TarBuilder& TarBuilder::sparse(const std::string& path, std::int64_t size, std::int64_t offset,
                               const std::string& content) {
  Item item(path, AE_IFREG);
  item.content = content;
  item.size = size;
  item.offset = offset;
  append(item);
  return *this;
}

std::string TarBuilder::bytes() const {
  return entries_ + tar_end();
}

std::string tar_end() {
  return std::string(2 * block_size, '\0');
}

std::string raw_entry(std::string_view name, char type, std::string_view content, std::string_view link,
                      std::string_view size_field) {
  std::string header(block_size, '\0');
  const auto put = [&](std::size_t at, std::size_t room, std::string_view text) {
    header.replace(at, std::min(room, text.size()), text.substr(0, room));
  };
  put(0, 100, name);
  put(100, 8, "0000644");
  put(108, 8, "0000000");
  put(116, 8, "0000000");
  put(124, 12, size_field.empty() ? fmt::format("{:011o}", content.size()) : std::string(size_field));
  put(136, 12, "00000000000");
  put(148, 8, "        ");
  header[156] = type;
  put(157, 100, link);
  put(257, 8, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char byte : header) {
    sum += static_cast<unsigned char>(byte);
  }
  put(148, 7, fmt::format("{:06o}", sum) + '\0');
  return header + padded(content);
}

std::string raw_long_entry(std::string_view name, char type, std::string_view content) {
  return raw_entry("././@LongLink", 'L', std::string(name) + '\0') + raw_entry(name.substr(0, 99), type, content);
}

std::string pack(std::string_view bytes, image::Compression compression) {
  if (compression == image::Compression::none) {
    return std::string(bytes);
  }
  Writer writer;
  ::archive_write_set_format_raw(writer.handle());
  if (compression == image::Compression::gzip) {
    check(writer.handle(), ::archive_write_add_filter_gzip(writer.handle()));
    // A constant time makes the layers reproducible.
    check(writer.handle(), ::archive_write_set_filter_option(writer.handle(), "gzip", "timestamp", nullptr));
  } else {
    check(writer.handle(), ::archive_write_add_filter_zstd(writer.handle()));
  }
  writer.open();
  archive_entry* entry = ::archive_entry_new();
  ::archive_entry_set_filetype(entry, AE_IFREG);
  check(writer.handle(), ::archive_write_header(writer.handle(), entry));
  ::archive_write_data(writer.handle(), bytes.data(), bytes.size());
  ::archive_entry_free(entry);
  return writer.close();
}

}  // namespace berth::store::testing
