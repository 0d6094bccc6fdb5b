// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/verified_copy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "store/content/content_writer.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/object_staging.hpp"
#include "store/ostree/object_walk.hpp"

namespace berth::store {
namespace {

constexpr auto metadata_limit = static_cast<std::uint64_t>(OSTREE_MAX_METADATA_SIZE);  // bytes
constexpr std::size_t value_limit = std::size_t{64} << 10U;  // XATTR_SIZE_MAX of Linux, for names as well
constexpr mode_t metadata_mode = 0644;

[[noreturn]] void throw_damaged(const ObjectName& name) {
  throw base::Error(base::ErrorKind::verification,
                    fmt::format("the stored {} {} does not match its name; other users can change it",
                                type_name(name.type), name.checksum.hex()),
                    "fetch the image again with berth pull");
}

Xattrs xattrs_of(int file) {
  std::vector<char> names(value_limit);
  std::vector<char> value(value_limit);
  const auto length = ::flistxattr(file, names.data(), names.size());
  if (length < 0 && errno != ENOTSUP) {
    base::throw_errno("read the extended attributes of an object");
  }
  Xattrs result;
  for (const char* name = names.data(); name < names.data() + length; name += std::strlen(name) + 1) {
    const auto size = ::fgetxattr(file, name, value.data(), value.size());
    if (size < 0) {
      base::throw_errno(fmt::format("read the extended attribute {} of an object", name));
    }
    result.emplace(name, std::string(value.data(), static_cast<std::size_t>(size)));
  }
  return result;
}

class Copy {
 public:
  Copy(const Repository& from, const Repository& to, std::stop_token stop)
      : from_(from), to_(to), writer_(to), stop_(std::move(stop)) {}

  void add(const Checksum& commit) {
    copy_metadata({OSTREE_OBJECT_TYPE_COMMIT, commit});
    std::vector<StoredDirectory> pending{from_.load_commit(commit).root};
    while (!pending.empty()) {
      const auto directory = pending.back();
      pending.pop_back();
      copy_metadata({OSTREE_OBJECT_TYPE_DIR_META, directory.meta});
      if (!copy_metadata({OSTREE_OBJECT_TYPE_DIR_TREE, directory.tree})) {
        continue;
      }
      const auto listing = from_.load_directory(directory.tree);
      for (const auto& [name, content] : listing.files) {
        copy_content({OSTREE_OBJECT_TYPE_FILE, content});
      }
      for (const auto& [name, inner] : listing.directories) {
        pending.push_back(inner);
      }
    }
  }

 private:
  /// @return false when it was copied before
  bool copy_metadata(const ObjectName& name) {
    if (!seen_.insert(name).second) {
      return false;
    }
    const auto bytes = base::read_file_at(from_.directory(), object_path(name), metadata_limit);
    if (!bytes || base::digest_of(*bytes).hex() != name.checksum.hex()) {
      throw_damaged(name);
    }
    auto& staging = *to_.staging();
    const auto path = path_in_objects(name);
    if (!staging.is_stored(path)) {
      if (const auto file = staging.create(path, metadata_mode)) {
        staging.write(file->get(), std::as_bytes(std::span(*bytes)));
        staging.set_mode(file->get(), metadata_mode, metadata_mode);
      }
    }
    return true;
  }

  void copy_content(const ObjectName& name) {
    if (stop_.stop_requested()) {
      base::throw_interrupted();
    }
    if (seen_.insert(name).second && !to_.has(name) && write_content(object_path(name)) != name.checksum) {
      throw_damaged(name);
    }
  }

  Checksum write_content(const std::string& path) {
    if (const auto target = base::read_link_at(from_.directory(), path)) {
      const auto status = base::stat_at(from_.directory(), path);
      return target->empty() || !status ? Checksum() : writer_.symbolic_link(status->st_uid, status->st_gid, *target);
    }
    const auto file = base::open_at(from_.directory(), path, O_RDONLY | O_NONBLOCK);
    struct stat status {};
    base::check_errno(::fstat(file.get(), &status), "examine an object");
    if (!S_ISREG(status.st_mode)) {
      return {};
    }
    constexpr mode_t permission_bits = 07777;
    return writer_.file({status.st_uid, status.st_gid, status.st_mode & permission_bits, xattrs_of(file.get())},
                        Content(static_cast<std::uint64_t>(status.st_size), [&file](std::span<std::byte> buffer) {
                          const auto count = ::read(file.get(), buffer.data(), buffer.size());
                          return static_cast<std::size_t>(base::check_errno(static_cast<int>(count), "read an object"));
                        }));
  }

  const Repository& from_;
  const Repository& to_;
  ContentWriter writer_;
  std::stop_token stop_;
  ObjectSet seen_;
};

}  // namespace

void copy_verified(const Repository& from, const StoreOptions& options, const std::vector<std::string>& refs) {
  auto own = options;
  own.writer = ObjectAuthor::own;  // which accepts any object
  const auto to = Repository::open(own);
  Transaction transaction(to);
  Copy copy(from, to, options.stop);
  for (const auto& ref : refs) {
    const auto commit = from.resolve(ref);
    copy.add(commit ? *commit : Checksum::from_hex(ref));
    if (commit) {
      transaction.set_branch(ref, *commit);
    }
  }
  transaction.commit();
}

}  // namespace berth::store
