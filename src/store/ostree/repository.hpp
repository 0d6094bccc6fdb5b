// SPDX-License-Identifier: LGPL-2.1-or-later
// One OSTree repository: refs, commits and directories, as values.
#pragma once

#include <ostree.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "store/ostree/glib.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/options.hpp"
#include "store/ostree/ostree_repo_lock.hpp"
#include "store/ostree/refs.hpp"
#include "store/ostree/repository_config.hpp"
#include "store/tree/checksum.hpp"
#include "store/tree/tree.hpp"

namespace berth::store {

struct StoredConfig;

/// Objects that are written again even if they exist, by their paths below `objects`.
using ReplacedObjects = std::set<std::string>;

/// An object that does not match its name, or does not exist.
struct ObjectFault {
  ObjectName name;
  bool missing = false;
  std::string reason;  ///< the message of libostree
};

/// A commit as it is read; `metadata` is an `a{sv}`.
struct Commit {
  StoredDirectory root;
  std::int64_t timestamp = 0;  ///< epoch seconds
  VariantPtr metadata;
};

class ObjectStaging;

/// Reads and writes the documented formats of the repository by itself, and uses libostree for the rest. All methods
/// throw base::Error naming the object and the reason.
class Repository {
 public:
  /// Opens the repository, and creates it with its parents if it does not exist (mode 0700: objects include setuid
  /// programs of images).
  /// @throws Error(conflict) when the repository has another mode than the requested one, Error(verification) with the
  ///   remedy when its configuration is damaged
  static Repository open(const StoreOptions& options);
  /// As open. A damaged configuration is a warning as long as only branches and objects of berth are read.
  /// @return nullopt when the repository does not exist
  static std::optional<Repository> open_existing(const StoreOptions& options);

  Repository(Repository&&) noexcept;
  Repository& operator=(Repository&&) noexcept;
  ~Repository();

  /// libostree's handle of the repository, opened on first use; thread-safe.
  [[nodiscard]] OstreeRepo* handle() const;
  /// Descriptor of the repository's directory, owned by this.
  [[nodiscard]] int directory() const noexcept { return directory_.get(); }
  [[nodiscard]] const RepositoryConfig& config() const noexcept { return config_; }
  [[nodiscard]] RepositoryMode mode() const noexcept { return config_.mode; }
  [[nodiscard]] bool syncs() const noexcept { return config_.sync; }
  /// Bytes of the file system that must stay free, by its configuration.
  [[nodiscard]] std::uint64_t reserve() const { return config_.reserve(directory()); }
  /// The staging of objects written by ObjectWriter; null without a transaction, and when libostree writes them.
  [[nodiscard]] ObjectStaging* staging() const noexcept { return staging_.get(); }

  /// The commit of a branch; nullopt when the branch or its commit object does not exist, or when its file is damaged,
  /// which is reported as a warning, once.
  [[nodiscard]] std::optional<Checksum> resolve(const std::string& branch) const;
  /// All branches under branch_prefix, sorted by name. Damaged ones are left out with a warning, once.
  [[nodiscard]] std::vector<Branch> branches() const;
  /// The damaged branches.
  [[nodiscard]] std::vector<DamagedBranch> damaged_branches() const;

  /// All refs, including those of other tools and remotes; `name` may be `REMOTE:REF`. Damaged ones as above.
  [[nodiscard]] std::vector<Branch> all_refs() const;
  [[nodiscard]] std::vector<DamagedBranch> damaged_refs() const;
  /// Path of an object, for messages.
  [[nodiscard]] std::string path_of(const ObjectName& name) const;
  /// Removes a branch durably, if it exists. Its objects stay until a prune.
  void remove_branch(const std::string& branch) const;

  [[nodiscard]] bool has(const ObjectName& name) const;
  /// Compares an object, including owner, mode and extended attributes, with its name.
  /// @return nullopt when they match
  /// @throws Error when the object cannot be read because of the system or the disk
  [[nodiscard]] std::optional<ObjectFault> verify(const ObjectName& name) const;
  /// Content of the regular file `path` (relative, no links followed) below a commit's root; nullopt when it does not
  /// exist.
  /// @throws Error(verification) for more than `limit` bytes
  [[nodiscard]] std::optional<std::string> read_file(const Checksum& commit, const std::string& path,
                                                     std::uint64_t limit) const;

  /// As read_file, of a content object. @param name for messages
  [[nodiscard]] std::optional<std::string> read_content(const Checksum& content, const std::string& name,
                                                        std::uint64_t limit) const;
  /// The type of a content object, S_IFREG or S_IFLNK. In a bare repository links are links, in others they are files
  /// that contain the target. @throws Error(not_found, verification)
  [[nodiscard]] mode_t type_of(const Checksum& content) const;

  [[nodiscard]] Commit load_commit(const Checksum& commit) const;
  /// @throws Error(verification) for names that no directory can have
  [[nodiscard]] DirectoryListing load_directory(const Checksum& tree) const;
  /// Owner, mode and extended attributes of a DIR_META object.
  [[nodiscard]] Ownership load_meta(const Checksum& meta) const;

  // Writing needs an open Transaction; several threads may write.
  [[nodiscard]] Checksum write_meta(const Ownership& ownership) const;
  [[nodiscard]] Checksum write_tree(
      const Directory& directory) const;  ///< with all directories below; LowerLinks are left out
  [[nodiscard]] Checksum write_commit(const StoredDirectory& root, std::int64_t timestamp, GVariant* metadata) const;

 private:
  Repository(base::Fd directory, StoredConfig config, const StoreOptions& options);
  void refuse_damaged_config() const;
  static Repository open_directory(const StoreOptions& options);
  [[nodiscard]] Checksum write_object(OstreeObjectType type, GVariant* value) const;
  [[nodiscard]] Checksum stage_object(OstreeObjectType type, GVariant* value) const;
  [[nodiscard]] std::optional<std::string> read_metadata(const ObjectName& name) const;
  [[nodiscard]] mode_t described_mode(const std::string& path, const struct stat& status) const;
  void begin_staging(ReplacedObjects replaced) const;
  [[nodiscard]] bool is_sound(const ObjectName& name) const;
  void warn_once(const DamagedBranch& branch) const;
  [[nodiscard]] std::optional<ObjectFault> check_presence(const ObjectName& name) const;
  void sync_refs() const;
  [[nodiscard]] std::optional<ObjectFault> verify_content(const ObjectName& name) const;
  friend class Transaction;
  [[nodiscard]] VariantPtr load_object(OstreeObjectType type, const Checksum& name) const;

  struct Handle;
  base::Fd directory_;
  RepositoryConfig config_;
  std::optional<base::Error> damage_;  ///< of the file `config`
  std::string path_;                   ///< for messages
  std::unique_ptr<Handle> handle_;
  ObjectAuthor writer_;
  Durability durability_;
  base::Reporter* reporter_;
  /// The open transaction, set and cleared by Transaction.
  mutable std::unique_ptr<ObjectStaging> staging_;
};

/// DIR_META of directories without an entry of their own, and of directories with an entry in no layer.
[[nodiscard]] Ownership implied_ownership();
[[nodiscard]] Ownership plain_ownership();

/// The DIR_META object that write_meta writes.
[[nodiscard]] Checksum name_of_meta(const Ownership& ownership);

/// Everything written between construction and commit() becomes durable and visible at once: objects are staged, synced
/// (one syncfs), renamed into place (another), and then the refs are written. Without commit() all is discarded.
class Transaction {
 public:
  /// @param repository must outlive the transaction
  /// @param replaced damaged objects, which stay until commit() replaces each by one rename. Such a transaction does
  ///   not use libostree, whatever the options select
  explicit Transaction(const Repository& repository, ReplacedObjects replaced = {});
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  void set_branch(const std::string& branch, const Checksum& commit);
  void commit();

 private:
  const Repository& repository_;
  bool own_;  ///< objects are not written by libostree
  std::optional<OstreeRepoLock> lock_;
  bool open_ = true;
};

}  // namespace berth::store
