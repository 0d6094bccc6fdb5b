// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/checkout/linked_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/shown_text.hpp"
#include "store/checkout/object_copy.hpp"
#include "store/ostree/object_files.hpp"
#include "store/tree/entry_name.hpp"

namespace berth::store {
namespace {

/// Most directories whose files wait to be linked; each holds a descriptor.
constexpr std::size_t waiting_limit = 64;

/// A directory whose subdirectories exist, and whose files do not.
struct Job {
  base::Fd directory;
  std::map<std::string, Checksum> files;
  Ownership ownership;
};

/// Jobs from the thread that walks the tree to the one that links; either may fail.
class JobQueue {
 public:
  /// @return false when the queue is full, and the caller has to do the job
  bool offer(Job& job) {
    const std::scoped_lock guard(lock_);
    if (closed_ || jobs_.size() >= waiting_limit) {
      return false;
    }
    jobs_.push_back(std::move(job));
    changed_.notify_one();
    return true;
  }
  std::optional<Job> take() {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [this] { return closed_ || !jobs_.empty(); });
    if (jobs_.empty()) {
      return std::nullopt;
    }
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }
  bool is_closed() {
    const std::scoped_lock guard(lock_);
    return closed_;
  }
  /// Waiting jobs are still done, unless `drop`.
  void close(bool drop) {
    const std::scoped_lock guard(lock_);
    closed_ = true;
    if (drop) {
      jobs_.clear();
    }
    changed_.notify_all();
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool closed_ = false;
};

/// Reports the number of linked files, once the work takes long.
class LinkProgress {
 public:
  LinkProgress(base::Reporter& reporter, const std::string& name)
      : reporter_(reporter), next_(Clock::now() + patience) {
    progress_.id = name;
    progress_.task = base::ProgressTask::checking_out;
    progress_.unit = base::ProgressUnit::files;
  }

  /// Thread-safe.
  void add(std::size_t files) {
    const std::scoped_lock guard(lock_);
    progress_.done += files;
    if (const auto now = Clock::now(); now >= next_) {
      next_ = now + interval;
      told_ = true;
      reporter_.progress(progress_);
    }
  }
  void finish() {
    if (told_) {
      progress_.phase = base::ProgressPhase::done;
      reporter_.progress(progress_);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds patience{1000};
  static constexpr std::chrono::milliseconds interval{100};

  base::Reporter& reporter_;
  base::Progress progress_;
  Clock::time_point next_;
  bool told_ = false;
  std::mutex lock_;
};

class LinkedTree {
 public:
  LinkedTree(const Repository& repository, const StoreOptions& options, const std::string& name)
      : repository_(repository),
        stop_(options.stop),
        objects_(base::open_directory_at(repository.directory(), "objects")),
        progress_(*options.reporter, name) {}

  void lay_out(const StoredDirectory& root, int directory, const std::string& name) {
    std::jthread linker([this] { link_all(); });
    try {
      make_directory(directory, name);
      walk(root, directory, name);
    } catch (...) {
      queue_.close(true);
      throw;
    }
    queue_.close(false);
    linker.join();
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    progress_.finish();
  }

 private:
  static void make_directory(int parent, const std::string& name) {
    // The final mode is set when the directory is complete.
    base::check_errno(::mkdirat(parent, name.c_str(), 0700),
                      fmt::format("create the directory {}", base::quoted_name(name)));
  }

  /// Creates all directories below before the files of this one are linked, so that its time can be set last.
  void walk(const StoredDirectory& stored, int parent, const std::string& name) {
    if (queue_.is_closed()) {
      return;  // the other thread failed
    }
    auto listing = repository_.load_directory(stored.tree);
    auto directory = base::open_directory_at(parent, name);
    for (const auto& [child, inner] : listing.directories) {
      make_directory(directory.get(), child);
    }
    Job job{base::Fd(::fcntl(directory.get(), F_DUPFD_CLOEXEC, 0)), std::move(listing.files),
            repository_.load_meta(stored.meta)};
    base::check_errno(job.directory.get(), "copy a descriptor");
    if (!queue_.offer(job)) {
      link(job);
    }
    for (const auto& [child, inner] : listing.directories) {
      walk(inner, directory.get(), child);
    }
  }

  void link_all() noexcept {
    try {
      while (auto job = queue_.take()) {
        link(*job);
      }
    } catch (...) {
      failure_ = std::current_exception();
      queue_.close(true);
    }
  }

  void link(const Job& job) {
    if (stop_.stop_requested()) {
      base::throw_interrupted();
    }
    for (const auto& [name, content] : job.files) {
      const auto object = path_in_objects({OSTREE_OBJECT_TYPE_FILE, content});
      if (::linkat(objects_.get(), object.c_str(), job.directory.get(), name.c_str(), 0) == 0) {
        continue;
      }
      if (errno == ENOENT) {
        throw base::Error(base::ErrorKind::verification,
                          fmt::format("the stored content {} of {} is missing", content.hex(), base::quoted_name(name)),
                          "berth images verify shows the images concerned, berth images repair repairs them");
      }
      if (errno != EMLINK) {
        base::throw_errno(fmt::format("link {} to its object {}", base::quoted_name(name), content.hex()));
      }
      copy_object(objects_.get(), object, job.directory.get(), name);
    }
    set_metadata(job);
    progress_.add(job.files.size());
  }

  static void set_metadata(const Job& job) {
    const int fd = job.directory.get();
    const auto& owner = job.ownership;
    base::check_errno(::fchown(fd, owner.uid, owner.gid), "set the owner of a directory");
    base::check_errno(::fchmod(fd, owner.permissions), "set the mode of a directory");
    for (const auto& [key, value] : owner.xattrs) {
      base::check_errno(::fsetxattr(fd, key.c_str(), value.data(), value.size(), 0),
                        fmt::format("set the extended attribute {} of a directory", key));
    }
    const struct timespec times[2] = {{0, UTIME_OMIT}, {0, 0}};  // OSTree stores no times
    base::check_errno(::futimens(fd, times), "set the time of a directory");
  }

  const Repository& repository_;
  std::stop_token stop_;
  base::Fd objects_;
  LinkProgress progress_;
  JobQueue queue_;
  std::exception_ptr failure_;
};

}  // namespace

void link_tree(const Repository& repository, const StoreOptions& options, const StoredDirectory& root, int directory,
               const std::string& name) {
  LinkedTree(repository, options, name).lay_out(root, directory, name);
}

}  // namespace berth::store
