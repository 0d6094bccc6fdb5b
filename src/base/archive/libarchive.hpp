// SPDX-License-Identifier: LGPL-2.1-or-later
// The functions of libarchive that berth uses. The library is loaded with the first archive.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "base/late_library.hpp"

namespace berth::base {

/// See libarchive's manual for each; the names are its own without `archive_`.
struct LibArchive {
  LateLibrary library{"libarchive.so.13"};
  decltype(&::archive_entry_filetype) entry_filetype = library["archive_entry_filetype"];
  decltype(&::archive_entry_gid) entry_gid = library["archive_entry_gid"];
  decltype(&::archive_entry_hardlink) entry_hardlink = library["archive_entry_hardlink"];
  decltype(&::archive_entry_pathname) entry_pathname = library["archive_entry_pathname"];
  decltype(&::archive_entry_perm) entry_perm = library["archive_entry_perm"];
  decltype(&::archive_entry_size) entry_size = library["archive_entry_size"];
  decltype(&::archive_entry_symlink) entry_symlink = library["archive_entry_symlink"];
  decltype(&::archive_entry_uid) entry_uid = library["archive_entry_uid"];
  decltype(&::archive_entry_xattr_next) entry_xattr_next = library["archive_entry_xattr_next"];
  decltype(&::archive_entry_xattr_reset) entry_xattr_reset = library["archive_entry_xattr_reset"];
  decltype(&::archive_error_string) error_string = library["archive_error_string"];
  decltype(&::archive_filter_bytes) filter_bytes = library["archive_filter_bytes"];
  decltype(&::archive_filter_count) filter_count = library["archive_filter_count"];
  decltype(&::archive_read_data) read_data = library["archive_read_data"];
  decltype(&::archive_read_data_block) read_data_block = library["archive_read_data_block"];
  decltype(&::archive_read_data_skip) read_data_skip = library["archive_read_data_skip"];
  decltype(&::archive_read_free) read_free = library["archive_read_free"];
  decltype(&::archive_read_new) read_new = library["archive_read_new"];
  decltype(&::archive_read_next_header) read_next_header = library["archive_read_next_header"];
  decltype(&::archive_read_open1) read_open1 = library["archive_read_open1"];
  decltype(&::archive_read_set_callback_data) read_set_callback_data = library["archive_read_set_callback_data"];
  decltype(&::archive_read_set_read_callback) read_set_read_callback = library["archive_read_set_read_callback"];
  decltype(&::archive_read_set_skip_callback) read_set_skip_callback = library["archive_read_set_skip_callback"];
  decltype(&::archive_read_support_filter_bzip2) read_support_filter_bzip2 =
      library["archive_read_support_filter_bzip2"];
  decltype(&::archive_read_support_filter_xz) read_support_filter_xz = library["archive_read_support_filter_xz"];
  decltype(&::archive_read_support_format_empty) read_support_format_empty =
      library["archive_read_support_format_empty"];
  decltype(&::archive_read_support_format_raw) read_support_format_raw = library["archive_read_support_format_raw"];
  decltype(&::archive_read_support_format_tar) read_support_format_tar = library["archive_read_support_format_tar"];
  decltype(&::archive_set_error) set_error = library["archive_set_error"];
};

/// Loads it, once. @throws Error(failed) when libarchive is not installed
const LibArchive& libarchive();

/// Releases a reader.
struct FreeArchive {
  void operator()(archive* reader) const noexcept { libarchive().read_free(reader); }
};

}  // namespace berth::base
