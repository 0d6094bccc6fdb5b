// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/content/object_writer.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "store/content/file_header.hpp"
#include "store/ostree/object_files.hpp"

namespace berth::store {
namespace {

/// Files up to this size are read completely before anything is written, and written only if they are new.
constexpr std::size_t small_size = std::size_t{1} << 20U;
/// Bytes of larger files that are written at once.
constexpr std::size_t buffer_size = std::size_t{4} << 20U;

void set_xattr(int fd, const std::string& key, const void* value, std::size_t size) {
  if (::fsetxattr(fd, key.c_str(), value, size, 0) == 0) {
    return;
  }
  if (errno == EOPNOTSUPP) {
    throw base::Error(base::ErrorKind::failed,
                      fmt::format("the repository's file system does not support the extended attribute {}", key),
                      "the repository needs a file system with extended attributes, e.g. ext4, xfs or btrfs");
  }
  base::throw_errno(fmt::format("set the extended attribute {} of an object", key));
}

std::string staged_path(const Checksum& name) {
  return path_in_objects({OSTREE_OBJECT_TYPE_FILE, name});
}

}  // namespace

ObjectWriter::ObjectWriter(ObjectStaging& staging, RepositoryMode mode, StreamDigest* digest)
    : staging_(staging),
      mode_(mode),
      digest_(digest),
      blocks_(std::make_unique_for_overwrite<Block[]>(buffer_size / sizeof(Block))),
      buffer_(blocks_[0].bytes, buffer_size) {}

void ObjectWriter::begin(const Ownership& ownership) {
  hash_.begin();
  if (!ownership.xattrs.empty()) {
    hash_.update(file_header(ownership, S_IFREG, ""));
    return;
  }
  const HeaderKey key{ownership.uid, ownership.gid, ownership.permissions};
  auto known = headers_.find(key);
  if (known == headers_.end()) {
    known = headers_.emplace(key, file_header(ownership, S_IFREG, "")).first;
  }
  hash_.update(known->second);
}

void ObjectWriter::hash(std::span<const std::byte> bytes) {
  if (digest_ == nullptr) {
    hash_.update(bytes);
  } else {
    digest_->update(hash_, bytes);
  }
}

/// The mode of an object's file. In bare-user repositories it is limited to the bits that a user may set, and always
/// lets the owner read the file, as libostree does it.
mode_t ObjectWriter::mode_of(const Ownership& ownership, mode_t type) const {
  constexpr mode_t user_bits = 0775;
  constexpr mode_t link_mode = 0644;
  if (mode_ == RepositoryMode::bare) {
    return ownership.permissions;
  }
  return type == S_IFREG ? (ownership.permissions & user_bits) | S_IRUSR : link_mode;
}

/// The mode that a file is created with: a user can set attributes of writable files only.
mode_t ObjectWriter::first_mode_of(const Ownership& ownership, mode_t type) const {
  const auto mode = mode_of(ownership, type) & ACCESSPERMS;
  return mode_ == RepositoryMode::bare ? mode : mode | S_IWUSR;
}

// Most files are created with their final metadata, since each change that is saved is an inode less for the file
// system to update. The order matters: a change of the owner clears setuid bits and capabilities, and a change of the
// mode may remove a user's right to set attributes.
void ObjectWriter::set_metadata(int fd, const Ownership& ownership, mode_t type, mode_t created_with) const {
  const auto& fresh = staging_.new_file();
  const bool bare = mode_ == RepositoryMode::bare;
  if (!bare) {
    const auto metadata = bare_user_metadata(ownership, type);
    set_xattr(fd, "user.ostreemeta", metadata.data(), metadata.size());
  } else if (ownership.uid != fresh.uid || ownership.gid != fresh.gid) {
    base::check_errno(::fchown(fd, ownership.uid, ownership.gid), "set the owner of an object");
  }
  staging_.set_mode(fd, created_with, mode_of(ownership, type));
  if (bare) {
    for (const auto& [key, value] : ownership.xattrs) {
      set_xattr(fd, key, value.data(), value.size());
    }
  }
  const struct timespec times[2] = {{0, UTIME_OMIT}, {0, 0}};  // OSTree stores no times
  base::check_errno(::futimens(fd, times), "set the time of an object");
}

Checksum ObjectWriter::file(const Ownership& ownership, Content content) {
  return content.size() > small_size ? large_file(ownership, content) : small_file(ownership, content);
}

// Each piece is hashed as it arrives, while the stream's own bytes still wait to be hashed.
Checksum ObjectWriter::small_file(const Ownership& ownership, Content& content) {
  begin(ownership);
  const auto bytes = buffer_.first(static_cast<std::size_t>(content.size()));
  while (content.left() > 0) {
    hash(content.next(bytes.last(static_cast<std::size_t>(content.left()))));
  }
  const Checksum name{hash_.finish()};
  const auto path = staged_path(name);
  if (staging_.is_stored(path)) {
    return name;
  }
  const auto mode = first_mode_of(ownership, S_IFREG);
  if (const auto file = staging_.create(path, mode)) {
    staging_.write(file->get(), bytes);
    set_metadata(file->get(), ownership, S_IFREG, mode);
  }
  return name;
}

Checksum ObjectWriter::large_file(const Ownership& ownership, Content& content) {
  staging_.require_room(content.size());
  auto unnamed = staging_.create_unnamed();
  begin(ownership);
  while (content.left() > 0) {
    std::size_t filled = 0;
    while (filled < buffer_.size() && content.left() > 0) {
      const auto piece = content.next(buffer_.subspan(filled));
      hash(piece);
      filled += piece.size();
    }
    staging_.write_large(unnamed, buffer_.first(filled));
  }
  set_metadata(unnamed.file.get(), ownership, S_IFREG, ObjectStaging::unnamed_mode);
  const Checksum name{hash_.finish()};
  staging_.name(unnamed, staged_path(name));
  return name;
}

Checksum ObjectWriter::symbolic_link(std::uint32_t uid, std::uint32_t gid, const std::string& target) {
  const Ownership ownership{uid, gid, 0777, {}};
  hash_.begin();
  hash_.update(file_header(ownership, S_IFLNK, target));
  const Checksum name{hash_.finish()};
  const auto path = staged_path(name);
  if (staging_.is_stored(path)) {
    return name;
  }
  if (mode_ == RepositoryMode::bare) {
    staging_.create_link(path, target, uid, gid);
  } else if (const auto file = staging_.create(path, first_mode_of(ownership, S_IFLNK))) {
    staging_.write(file->get(), std::as_bytes(std::span(target.c_str(), target.size() + 1)));  // with its NUL
    set_metadata(file->get(), ownership, S_IFLNK, first_mode_of(ownership, S_IFLNK));
  }
  return name;
}

}  // namespace berth::store
