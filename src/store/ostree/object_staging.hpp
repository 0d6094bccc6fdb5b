// New objects, kept aside until they are durable.
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

/// A directory `tmp/staging-berth-…` of a repository with a lock beside it as libostree locks its own, so that
/// remove_stale_staging (and libostree) leaves it alone while we live, and removes it when we died. Objects in it are
/// not visible to anybody. publish() moves them into `objects` after one syncfs: an object that can be seen is durable,
/// and no power cut leaves a torn one; commits come last, so that one that can be seen has all its parts. Paths of
/// objects are relative to `objects`, e.g. `ab/cdef….file`.
class ObjectStaging {
 public:
  struct Options {
    std::uint64_t reserve = 0;  ///< bytes of the file system that are to stay free
    bool sync = true;           ///< false: the repository was configured to do without
    /// How many bytes are written until they are synced, for the sake of others who sync; 0: all at the end.
    std::uint64_t sync_interval = 0;
    /// Paths of damaged objects: they count as not stored, and stay until publish() replaces each by one rename.
    std::set<std::string> replaced = {};
  };

  /// @param repository descriptor of the repository's directory; must outlive this
  ObjectStaging(int repository, const Options& options);
  ObjectStaging(const ObjectStaging&) = delete;
  ObjectStaging& operator=(const ObjectStaging&) = delete;
  /// Removes what was not published.
  ~ObjectStaging();

  // These may be called by several threads.

  /// Whether there is such an object in the repository already.
  [[nodiscard]] bool is_stored(const std::string& path) const;
  /// Adds to Options::replaced.
  void replace(const std::string& path);
  /// What a file is that was created here with the mode 0777: umask, default access lists and mount options decide.
  struct NewFile {
    uid_t uid = 0;
    gid_t gid = 0;
    mode_t mode = 0;  ///< the bits that are left of it
  };
  [[nodiscard]] const NewFile& new_file() const noexcept { return new_file_; }

  /// Creates an empty file that becomes `object`; nullopt when it is staged already, maybe not yet complete.
  /// @param mode for open(2): new_file() tells what comes of it
  [[nodiscard]] std::optional<base::Fd> create(const std::string& object, mode_t mode = 0600) const;
  /// As create, for a symbolic link with its owner; nothing happens when it is staged already.
  void create_link(const std::string& path, const std::string& target, uid_t uid, gid_t gid) const;
  /// Gives a file of an object its mode, unless it was created so. @param created_with what create() was given
  void set_mode(int file, mode_t created_with, mode_t mode) const;
  /// Bytes of a complete object that is staged; nullopt when there is none. @param limit bytes; more are an Error
  [[nodiscard]] std::optional<std::string> read(const std::string& path, std::uint64_t limit) const;
  /// A file for content whose name is not known yet.
  struct Unnamed {
    base::Fd file;
    std::string name;
    bool direct = false;  ///< what is written goes past the page cache
  };
  [[nodiscard]] Unnamed create_unnamed();
  static constexpr mode_t unnamed_mode = 0600;  ///< that it is created with
  /// Gives an unnamed file its place; drops it when the repository has the object already.
  void name(const Unnamed& file, const std::string& path) const;
  /// Writes to the file of an object. @throws Error(failed) with the remedy when the reserve would be touched
  void write(int file, std::span<const std::byte> bytes);
  /// As write, for a file too large for its pages to be worth keeping: past the page cache where that is possible, so
  /// that a pull takes neither the time to fill it nor the place of what others have there.
  /// @param bytes aligned to direct_alignment, and a multiple of it but for the last ones of the file
  void write_large(Unnamed& file, std::span<const std::byte> bytes);
  static constexpr std::size_t direct_alignment = 4096;  ///< bytes; enough for every disk that Linux knows
  /// Asks whether a file of `bytes` fits, before any of it is written. @throws Error as write
  void require_room(std::uint64_t bytes) const { room_.require(bytes); }

  /// Has a branch name a commit once the objects are visible.
  void set_branch(const std::string& branch, const std::string& commit) { branches_[branch] = commit; }

  /// Makes everything durable and visible; nothing can be added afterwards. Of the branches only the directories that
  /// name them are left to be synced.
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
  std::jthread flusher_;  // last: it uses what is above
};

}  // namespace berth::store
