// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes tar archives member by member.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cstdint>
#include <memory>
#include <string>

namespace berth::test {

class TarBuilder {
 public:
  /// @param filter ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP …
  explicit TarBuilder(int filter = ARCHIVE_FILTER_NONE) : archive_(archive_write_new(), &archive_write_free) {
    archive_write_add_filter(archive_.get(), filter);
    archive_write_set_format_pax_restricted(archive_.get());
    archive_write_set_bytes_in_last_block(archive_.get(), 1);
    archive_write_open2(archive_.get(), this, nullptr, &TarBuilder::on_write, nullptr, nullptr);
  }
  TarBuilder(const TarBuilder&) = delete;
  TarBuilder& operator=(const TarBuilder&) = delete;

  TarBuilder& file(const std::string& name, const std::string& bytes) {
    const auto entry = new_entry(name, AE_IFREG);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
    archive_write_header(archive_.get(), entry.get());
    archive_write_data(archive_.get(), bytes.data(), bytes.size());
    return *this;
  }
  /// A sparse file of `size` bytes, of which only the first one is data.
  TarBuilder& sparse(const std::string& name, std::int64_t size) {
    const auto entry = new_entry(name, AE_IFREG);
    archive_entry_set_size(entry.get(), size);
    archive_entry_sparse_add_entry(entry.get(), 0, 1);
    archive_write_header(archive_.get(), entry.get());
    archive_write_data(archive_.get(), "x", 1);
    return *this;
  }
  TarBuilder& symlink(const std::string& name, const std::string& target) {
    const auto entry = new_entry(name, AE_IFLNK);
    archive_entry_set_symlink(entry.get(), target.c_str());
    archive_write_header(archive_.get(), entry.get());
    return *this;
  }
  TarBuilder& hard_link(const std::string& name, const std::string& target) {
    const auto entry = new_entry(name, AE_IFREG);
    archive_entry_set_hardlink(entry.get(), target.c_str());
    archive_write_header(archive_.get(), entry.get());
    return *this;
  }
  TarBuilder& directory(const std::string& name) {
    archive_write_header(archive_.get(), new_entry(name, AE_IFDIR).get());
    return *this;
  }
  std::string finish() {
    archive_write_close(archive_.get());
    return bytes_;
  }

 private:
  using Entry = std::unique_ptr<archive_entry, void (*)(archive_entry*)>;
  static Entry new_entry(const std::string& name, unsigned type) {
    Entry entry(archive_entry_new(), &archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), type);
    archive_entry_set_perm(entry.get(), 0644);
    return entry;
  }
  static la_ssize_t on_write(archive*, void* self, const void* bytes, std::size_t count) {
    static_cast<TarBuilder*>(self)->bytes_.append(static_cast<const char*>(bytes), count);
    return static_cast<la_ssize_t>(count);
  }

  std::string bytes_;
  std::unique_ptr<archive, int (*)(archive*)> archive_;
};

}  // namespace berth::test
