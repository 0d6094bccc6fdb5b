// SPDX-License-Identifier: LGPL-2.1-or-later
// The functions of libostree and GLib that berth calls. Frequent or fast operations (reading, writing objects,
// checkouts with links) are done without libostree, which is then not loaded.
#pragma once

#include <ostree.h>

#include <memory>

#include "base/late_library.hpp"

namespace berth::store {

/// See libostree's manual for each; the names are its own without `ostree_`.
struct LibOstree {
  base::LateLibrary library{"libostree-1.so.1"};
  decltype(&::ostree_checksum_file_at) checksum_file_at = library["ostree_checksum_file_at"];
  decltype(&::ostree_content_writer_finish) content_writer_finish = library["ostree_content_writer_finish"];
  decltype(&::ostree_repo_abort_transaction) repo_abort_transaction = library["ostree_repo_abort_transaction"];
  decltype(&::ostree_repo_checkout_at) repo_checkout_at = library["ostree_repo_checkout_at"];
  decltype(&::ostree_repo_commit_transaction) repo_commit_transaction = library["ostree_repo_commit_transaction"];
  decltype(&::ostree_repo_fsck_object) repo_fsck_object = library["ostree_repo_fsck_object"];
  decltype(&::ostree_repo_load_variant) repo_load_variant = library["ostree_repo_load_variant"];
  decltype(&::ostree_repo_open_at) repo_open_at = library["ostree_repo_open_at"];
  decltype(&::ostree_repo_prepare_transaction) repo_prepare_transaction = library["ostree_repo_prepare_transaction"];
  decltype(&::ostree_repo_pull_with_options) repo_pull_with_options = library["ostree_repo_pull_with_options"];
  decltype(&::ostree_repo_transaction_set_ref) repo_transaction_set_ref = library["ostree_repo_transaction_set_ref"];
  decltype(&::ostree_repo_write_metadata) repo_write_metadata = library["ostree_repo_write_metadata"];
  decltype(&::ostree_repo_write_regfile) repo_write_regfile = library["ostree_repo_write_regfile"];
  decltype(&::ostree_repo_write_regfile_inline) repo_write_regfile_inline = library["ostree_repo_write_regfile_inline"];
  decltype(&::ostree_repo_write_symlink) repo_write_symlink = library["ostree_repo_write_symlink"];
  decltype(&::g_object_unref) object_unref = library["g_object_unref"];
  decltype(&::g_output_stream_write_all) output_stream_write_all = library["g_output_stream_write_all"];
};

/// Loads it, once. @throws Error(failed) when libostree is not installed
const LibOstree& libostree();

/// Releases a GObject.
struct Unreference {
  void operator()(gpointer object) const noexcept { libostree().object_unref(object); }
};

template <typename T>
using GObjectPtr = std::unique_ptr<T, Unreference>;

}  // namespace berth::store
