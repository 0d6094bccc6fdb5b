// SPDX-License-Identifier: LGPL-2.1-or-later
// New objects, kept in a staging directory until they are durable.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <span>
#include <stop_token>
#include <string>
#include <thread>

#include "base/fd.hpp"
#include "store/ostree/disk_reserve.hpp"

namespace berth::store {

/// A directory `tmp/staging-berth-…` of a repository with a lock beside it, as libostree locks its own:
/// remove_stale_staging and libostree leave it alone while this process lives, and remove it afterwards. Objects in it
/// are not visible. publish() moves them into `objects` after one syncfs: a visible object is durable, and a power
/// failure leaves no torn object. Commits are moved last, so that all objects of a visible commit exist. Paths of
/// objects are relative to `objects`, e.g. `ab/cdef….file`.
class ObjectStaging {
 public:
  struct Options {
    std::uint64_t reserve = 0;  ///< bytes of the file system that must stay free
    bool sync = true;           ///< false: the repository is configured with fsync=false
    /// Bytes after which written data is synced, so that other programs wait less when they sync; 0: all at the end.
    std::uint64_t sync_interval = 0;
    /// Paths of damaged objects: they count as not stored, and stay until publish() replaces each by one rename.
    std::set<std::string> replaced = {};
  };

  /// @param repository descriptor of the repository's directory; must outlive this
  ObjectStaging(int repository, const Options& options);
  ObjectStaging(const ObjectStaging&) = delete;
  ObjectStaging& operator=(const ObjectStaging&) = delete;
  /// Removes unpublished objects.
  ~ObjectStaging();

  // The following methods are thread-safe.

  /// Whether the repository has the object already.
  [[nodiscard]] bool is_stored(const std::string& path) const;
  /// Adds to Options::replaced.
  void replace(const std::string& path);
  /// Owner and mode of a file created here with the mode 0777: umask, default access lists and mount options decide.
  struct NewFile {
    uid_t uid = 0;
    gid_t gid = 0;
    mode_t mode = 0;  ///< the remaining bits
  };
  [[nodiscard]] const NewFile& new_file() const noexcept { return new_file_; }

  /// Creates an empty file that becomes `object`.
  /// @param mode for open(2); new_file() has the resulting mode
  /// @return nullopt when it is staged already, maybe not yet complete
  [[nodiscard]] std::optional<base::Fd> create(const std::string& object, mode_t mode = 0600) const;
  /// As create, for a symbolic link with its owner; nothing happens when it is staged already.
  void create_link(const std::string& path, const std::string& target, uid_t uid, gid_t gid) const;
  /// Sets the mode of a file unless it was created with it. @param created_with the mode that create() was given
  void set_mode(int file, mode_t created_with, mode_t mode) const;
  /// Bytes of a complete staged object; nullopt when it is not staged. @param limit bytes; more are an Error
  [[nodiscard]] std::optional<std::string> read(const std::string& path, std::uint64_t limit) const;
  /// A file for content whose name is not known yet.
  struct Unnamed {
    base::Fd file;
    std::string name;
    bool direct = false;  ///< writes bypass the page cache
  };
  [[nodiscard]] Unnamed create_unnamed();
  static constexpr mode_t unnamed_mode = 0600;  ///< of a new one
  /// Names an unnamed file; removes it when the repository has the object already.
  void name(const Unnamed& file, const std::string& path) const;
  /// Writes to the file of an object. @throws Error(failed) with the remedy when it would use the reserve
  void write(int file, std::span<const std::byte> bytes);
  /// As write, for a file that is too large to be worth caching: bypasses the page cache where that is possible, which
  /// saves time and leaves the cache to other programs.
  /// @param bytes aligned to direct_alignment, and a multiple of it but for the last ones of the file
  void write_large(Unnamed& file, std::span<const std::byte> bytes);
  static constexpr std::size_t direct_alignment = 4096;  ///< bytes; enough for every disk that Linux knows
  /// Checks that a file of `bytes` fits, before any of it is written. @throws Error as write
  void require_room(std::uint64_t bytes) const { room_.require(bytes); }

  /// Sets a branch to a commit once the objects are visible.
  void set_branch(const std::string& branch, const std::string& commit) { branches_[branch] = commit; }

  /// Makes everything durable and visible; nothing can be added afterwards. The caller has to sync the directories of
  /// the branches.
  void publish();

 private:
  [[nodiscard]] NewFile try_new_file() const;
  void make_parent(const std::string& path) const;
  void sync() const;
  void stage_branches(bool sync) const;
  void publish_branches() const;
  void publish_directory(int from, const std::string& name) const;
  void publish_replacement(int from, int to, const std::string& object) const;
  void publish_commits() const;
  void written(std::uint64_t bytes);
  void flush_now_and_then(const std::stop_token& stop) const;

  Options options_;
  mutable std::shared_mutex replacing_;  ///< for Options::replaced
  std::string name_;
  base::Fd temporary_;  ///< `tmp` of the repository
  base::Fd lock_;
  base::Fd directory_;
  base::Fd heads_;  ///< `refs/heads` of the repository
  base::Fd objects_;
  std::map<std::string, std::string> branches_;  ///< and the commits that they will name, in hexadecimal
  NewFile new_file_;
  DiskReserve room_;
  std::atomic<std::uint64_t> unnamed_{0};
  std::atomic<std::uint64_t> unsynced_{0};  ///< bytes
  std::mutex sync_lock_;
  std::once_flag flushing_;
  std::jthread flusher_;  // last: it uses the members above
};

}  // namespace berth::store
