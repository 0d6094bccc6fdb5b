// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/layer/layer_import.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "base/archive/decompress.hpp"
#include "base/error.hpp"
#include "base/shown_text.hpp"
#include "store/content/content_writer.hpp"
#include "store/content/stream_digest.hpp"
#include "store/layer/layer_archive.hpp"
#include "store/layer/layer_progress.hpp"
#include "store/layer/read_ahead.hpp"
#include "store/ostree/commit_metadata.hpp"
#include "store/tree/entry_name.hpp"
#include "store/tree/layer_tree.hpp"

namespace berth::store {
namespace {

constexpr std::size_t piece_size = std::size_t{128} << 10U;
/// Most entries in one archive, replaced ones included.
constexpr std::uint64_t entry_limit = 10'000'000;
/// Most bytes after the end of the archive. Tar pads to its record size, at most some MiB.
constexpr std::uint64_t trailer_limit = std::uint64_t{64} << 20U;
/// Most names of dropped attributes in a warning.
constexpr std::size_t named_xattr_limit = 5;

/// The decompressed bytes, hashed as they pass or along with the files that they belong to. The result of a read must
/// not change until the next read.
class HashedStream final : public base::ByteStream {
 public:
  HashedStream(std::unique_ptr<base::ByteStream> inner, StreamDigest& digest)
      : inner_(std::move(inner)), digest_(digest) {}

  std::size_t read(std::span<std::byte> buffer) override {
    digest_.settle();
    const auto count = inner_->read(buffer);
    digest_.add(buffer.first(count));
    return count;
  }

 private:
  std::unique_ptr<base::ByteStream> inner_;
  StreamDigest& digest_;
};

/// Checks the entries of a POSIX ACL (tag, rights and ID, each little endian) as posix_acl_valid of Linux does: the
/// owner, users, the group, groups, a mask if there are users or groups, others.
bool is_sound_acl(std::string_view value) {
  constexpr std::string_view acl_version("\2\0\0\0", 4);
  constexpr std::size_t entry_size = 8;
  if (!value.starts_with(acl_version) || value.size() % entry_size != acl_version.size()) {
    return false;
  }
  std::string tags;
  for (value.remove_prefix(acl_version.size()); !value.empty(); value.remove_prefix(entry_size)) {
    constexpr unsigned char all_rights = 7;
    if (value[1] != 0 || value[3] != 0 || static_cast<unsigned char>(value[2]) > all_rights) {
      return false;
    }
    tags += value[0];
  }
  const auto take = [&tags](char tag, std::size_t most) {
    const auto count = std::min(tags.find_first_not_of(tag), tags.size());
    tags.erase(0, std::min(count, most));
    return count;
  };
  const bool owner = take('\x01', 1) == 1;
  const auto users = take('\x02', std::string::npos);
  const bool group = take('\x04', 1) == 1;
  const auto groups = take('\x08', std::string::npos);
  const auto masks = take('\x10', 1);
  const bool others = take('\x20', 1) == 1;
  return owner && group && others && tags.empty() && (masks == 1 || (masks == 0 && users + groups == 0));
}

/// Whether Linux would accept the attribute: xattr(7), the header of `struct vfs_cap_data` and that of POSIX ACLs.
bool is_sound_xattr(std::string_view key, std::string_view value) {
  constexpr std::size_t key_limit = 255;
  constexpr std::size_t value_limit = std::size_t{64} << 10U;
  if (key.size() > key_limit || key.ends_with('.') || value.size() > value_limit) {
    return false;
  }
  if (key == "security.capability") {
    constexpr std::size_t revision_byte = 3;
    const std::map<char, std::size_t> size_of_revision{{'\2', 20}, {'\3', 24}};  // Linux accepts no other sizes
    const auto known =
        value.size() > revision_byte ? size_of_revision.find(value[revision_byte]) : size_of_revision.end();
    return known != size_of_revision.end() && known->second == value.size();
  }
  return !key.starts_with("system.posix_acl_") || is_sound_acl(value);
}

enum class XattrChoice { keep, drop, drop_silently };

/// Images may set the attributes that users may set, file capabilities and POSIX ACLs. `trusted.overlay.*` would affect
/// overlays that are mounted over a checkout, `security.ima` and `.evm` need keys of the host, and SELinux labels
/// belong to the host.
XattrChoice choose_xattr(std::string_view key, std::string_view value, base::TarEntryType type) {
  // An empty value removes the attribute: POSIX.1-2017, pax, "pax Extended Header".
  if (key == "security.selinux" || key == implied_directory_xattr || value.empty()) {
    return XattrChoice::drop_silently;
  }
  if (type == base::TarEntryType::symbolic_link ||
      (key == "system.posix_acl_default" && type != base::TarEntryType::directory)) {
    return XattrChoice::drop;  // in Linux links have no user attributes, and only directories have defaults
  }
  if (!is_sound_xattr(key, value)) {
    return XattrChoice::drop;
  }
  // A bare-user repository keeps an object's metadata in `user.ostreemeta`.
  const bool user = key.starts_with("user.") && key != "user.ostreemeta";
  const bool acl = key == "system.posix_acl_access" || key == "system.posix_acl_default";
  return user || acl || key == "security.capability" ? XattrChoice::keep : XattrChoice::drop;
}

using OwnerKey = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;
using WrittenObjects = std::map<OwnerKey, Checksum>;

/// The object that was written for this owner and mode before, or is written now. @param owner without xattrs
template <typename Write>
Checksum written_once(WrittenObjects& written, const Ownership& owner, const Write& write) {
  const OwnerKey key{owner.uid, owner.gid, owner.permissions};
  auto known = written.find(key);
  if (known == written.end()) {
    known = written.emplace(key, write()).first;
  }
  return known->second;
}

/// The import of one layer.
class Import {
 public:
  Import(const Repository& repository, const LayerRequest& request)
      : repository_(repository),
        request_(request),
        name_(layer_name(request.descriptor.digest)),
        digest_(request.diff_id.algorithm()),
        writer_(repository, &digest_),
        tree_(repository.write_meta(implied_ownership())),
        marker_(writer_.marker()) {
    metadata_.packed_size = std::max<std::int64_t>(request.descriptor.size, 0);
    metadata_.diff_id = request.diff_id.text();
  }

  Checksum run(std::unique_ptr<base::ByteStream> blob) {
    HashedStream unpacked(unpack(std::move(blob)), digest_);
    read_archive(unpacked);
    read_trailer(unpacked);
    check_diff_id(digest_.finish());
    report_dropped_xattrs();
    return commit();
  }

 private:
  std::unique_ptr<base::ByteStream> unpack(std::unique_ptr<base::ByteStream> blob) const;
  void read_archive(base::ByteStream& unpacked);
  void read_trailer(base::ByteStream& unpacked) const;
  void check_diff_id(const base::Digest& found) const;
  void add(LayerEntry entry, LayerArchive& tar);
  void add_marker(const LayerEntry& entry);
  void add_directory(const LayerEntry& entry);
  void add_symbolic_link(const LayerEntry& entry);
  void add_special(const LayerEntry& entry);
  void add_file(const LayerEntry& entry, LayerArchive& tar);
  [[nodiscard]] std::uint64_t unpacked_limit() const;
  void count_bytes(std::uint64_t size);
  void filter_xattrs(LayerEntry& entry);
  void report_dropped_xattrs() const;
  Checksum commit();

  const Repository& repository_;
  const LayerRequest& request_;
  std::string name_;
  StreamDigest digest_;
  ContentWriter writer_;
  LayerTree tree_;
  Checksum marker_;
  LayerMetadata metadata_;
  WrittenObjects metas_;    ///< of directories, most of which have the same metadata
  WrittenObjects empties_;  ///< of empty files, each of which would take as long as one of some KiB
  std::set<std::string> dropped_xattrs_;
  std::uint64_t dropped_xattr_count_ = 0;
};

std::unique_ptr<base::ByteStream> Import::unpack(std::unique_ptr<base::ByteStream> blob) const {
  const auto& descriptor = request_.descriptor;
  const auto packed_size = static_cast<std::uint64_t>(std::max<std::int64_t>(descriptor.size, 0));
  base::Progress progress{.id = descriptor.digest.short_hex(), .total = packed_size};
  auto counted =
      std::make_unique<ProgressStream>(std::move(blob), std::move(progress), *request_.reporter, request_.stop);
  return std::make_unique<ReadAhead>(base::decompress(
      std::move(counted), {name_, unpacked_limit(), "pull again; if it stays, have the image built or pushed again",
                           image::layer_compression(descriptor)}));
}

void Import::read_archive(base::ByteStream& unpacked) {
  LayerArchive tar(unpacked, name_);
  std::uint64_t entries = 0;
  while (auto entry = tar.next()) {
    if (request_.stop.stop_requested()) {
      base::throw_interrupted();
    }
    if (++entries > entry_limit) {
      throw base::Error(base::ErrorKind::verification, fmt::format("{}: more than {} entries", name_, entry_limit));
    }
    add(std::move(*entry), tar);
  }
  digest_.settle();  // the waiting bytes are in a buffer of the reader
}

// The diff id covers the bytes after the end of the archive, and the blob's digest is checked at its end.
void Import::read_trailer(base::ByteStream& unpacked) const {
  std::vector<std::byte> piece(piece_size);
  std::uint64_t seen = 0;
  while (const auto count = unpacked.read(piece)) {
    seen += count;
    if (seen > trailer_limit) {
      throw base::Error(base::ErrorKind::verification,
                        fmt::format("{}: more than {} bytes after the end of its archive", name_, trailer_limit),
                        "have the image built without those bytes");
    }
  }
}

void Import::check_diff_id(const base::Digest& found) const {
  if (found != request_.diff_id) {
    throw base::Error(
        base::ErrorKind::verification,
        fmt::format("{}: its unpacked bytes have the digest {}, but the image configuration says {}", name_,
                    found.text(), request_.diff_id.text()),
        "the layers and the configuration of the image do not belong together; have it built or pushed again");
  }
}

void Import::filter_xattrs(LayerEntry& entry) {
  std::erase_if(entry.ownership.xattrs, [&](const auto& xattr) {
    const auto choice = choose_xattr(xattr.first, xattr.second, entry.type);
    if (choice == XattrChoice::drop) {
      ++dropped_xattr_count_;
      if (dropped_xattrs_.size() < named_xattr_limit) {
        dropped_xattrs_.insert(base::quoted_name(xattr.first));
      }
    }
    return choice != XattrChoice::keep;
  });
}

void Import::report_dropped_xattrs() const {
  if (dropped_xattr_count_ > 0) {
    request_.reporter->warning(
        fmt::format("{}: left out {} extended attributes that images may not set or OSTree cannot store ({})", name_,
                    dropped_xattr_count_, fmt::join(dropped_xattrs_, ", ")));
  }
}

void Import::add(LayerEntry entry, LayerArchive& tar) {
  base::in_context([&] { return fmt::format("{}: {}", name_, base::quoted_name(entry.path)); },
                   [&] {
                     filter_xattrs(entry);
                     if (!entry.path.empty() && meaning_of(base_name(entry.path)) != NameMeaning::plain) {
                       add_marker(entry);
                       return;
                     }
                     switch (entry.type) {
                       case base::TarEntryType::file:
                         add_file(entry, tar);
                         break;
                       case base::TarEntryType::directory:
                         add_directory(entry);
                         break;
                       case base::TarEntryType::symbolic_link:
                         add_symbolic_link(entry);
                         break;
                       case base::TarEntryType::hard_link:
                         tree_.add_hard_link(entry.path, entry.link_target);
                         break;
                       case base::TarEntryType::special:
                         add_special(entry);
                         break;
                     }
                   });
}

void Import::add_marker(const LayerEntry& entry) {
  const bool bookkeeping_directory =
      entry.type == base::TarEntryType::directory && meaning_of(base_name(entry.path)) == NameMeaning::bookkeeping;
  if (bookkeeping_directory) {
    add_directory(entry);  // aufs kept the targets of hard links in one; merging drops it
  } else {
    if (!tree_.is_below_file(entry.path)) {
      tree_.add_file(entry.path, marker_);
    }
    // Below a link of the same layer there is nothing to hide: tools that replace a directory by a link also write
    // whiteouts for the entries of the directory.
  }
}

void Import::add_file(const LayerEntry& entry, LayerArchive& tar) {
  if (entry.path.empty()) {
    tree_.add_file(entry.path, marker_);  // refuses
  }
  count_bytes(entry.size);
  const auto& owner = entry.ownership;
  const auto write = [&] {
    return writer_.file(owner, Content(entry.size, [&tar](std::span<std::byte> buffer) { return tar.read(buffer); }));
  };
  const bool shared = entry.size == 0 && owner.xattrs.empty();
  tree_.add_file(entry.path, shared ? written_once(empties_, owner, write) : write());
}

std::uint64_t Import::unpacked_limit() const {
  const auto packed = request_.packed_size < 0 ? request_.descriptor.size : request_.packed_size;
  return base::unpacked_limit(static_cast<std::uint64_t>(std::max<std::int64_t>(packed, 0)));
}

// The holes of sparse files are not part of the decompressed bytes, but they are stored as zeros. So the sizes in
// headers are counted, before anything is stored.
void Import::count_bytes(std::uint64_t size) {
  const auto limit = unpacked_limit();
  if (size > limit - metadata_.unpacked_size) {
    throw base::Error(
        base::ErrorKind::verification, fmt::format("its files have more than {} bytes, the limit for its size", limit),
        "the limit keeps small layers from filling the disk; have the image built with that layer divided");
  }
  metadata_.unpacked_size += size;
}

void Import::add_directory(const LayerEntry& entry) {
  const auto& owner = entry.ownership;
  const auto write = [&] { return repository_.write_meta(owner); };
  tree_.add_directory(entry.path, owner.xattrs.empty() ? written_once(metas_, owner, write) : write());
}

void Import::add_symbolic_link(const LayerEntry& entry) {
  const auto content = writer_.symbolic_link(entry.ownership.uid, entry.ownership.gid, entry.link_target);
  tree_.add_symbolic_link(entry.path, content, entry.link_target);
}

void Import::add_special(const LayerEntry& entry) {
  ++metadata_.skipped_nodes;
  tree_.remove(entry.path);
  // The entry is left out, but still has to hide an entry of a lower layer with the same name.
  const auto name = base_name(entry.path);
  if (!name.empty()) {
    const auto parent = entry.path.substr(0, entry.path.size() - name.size());
    tree_.add_file(parent + whiteout_of(name), marker_);
  }
}

Checksum Import::commit() {
  metadata_.links = tree_.lower_links();
  const StoredDirectory root{repository_.write_tree(tree_.root()), tree_.root().meta};
  const auto metadata = to_variant(metadata_);
  return repository_.write_commit(root, request_.created, metadata.get());
}

}  // namespace

std::string layer_name(const base::Digest& digest) {
  return "layer " + digest.short_hex();
}

Checksum import_layer(const Repository& repository, const LayerRequest& request,
                      std::unique_ptr<base::ByteStream> blob) {
  return Import(repository, request).run(std::move(blob));
}

}  // namespace berth::store
