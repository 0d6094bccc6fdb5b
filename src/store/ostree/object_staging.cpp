// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/object_staging.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/ostree/staging.hpp"

namespace berth::store {
namespace {

constexpr mode_t object_directory_mode = 0755;  // the repository itself is 0700
constexpr std::size_t directory_digits = 2;
constexpr const char* staged_commits = "commits/";

constexpr std::uint64_t flush_least = std::uint64_t{8} << 20U;  // bytes; less is not worth a thread
constexpr std::chrono::milliseconds flush_pause{300};

/// The staged file of a branch; no directory of objects has such a name.
std::string staged_name(std::string branch) {
  std::replace(branch.begin(), branch.end(), '/', ':');
  return "branch-" + branch;
}

/// The path of an object before it is published. Commits have a directory of their own, since they are published last.
std::string staged_path(const std::string& path) {
  return path.ends_with(".commit") ? staged_commits + path : path;
}

/// Writes past the page cache. @return the number of bytes; fewer when the file system cannot do so with the rest
std::size_t write_direct(int file, std::span<const std::byte> bytes) {
  std::size_t done = 0;
  while (done < bytes.size() && done % ObjectStaging::direct_alignment == 0) {
    const auto count = ::write(file, bytes.data() + done, bytes.size() - done);
    if (count >= 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno == EINVAL) {
      break;
    } else if (errno != EINTR) {
      base::throw_errno("write an object");
    }
  }
  return done;
}

}  // namespace

ObjectStaging::ObjectStaging(int repository, const Options& options)
    : options_(options),
      name_(fmt::format("{}{}-{:x}", own_staging_prefix, ::getpid(), reinterpret_cast<std::uintptr_t>(this))),
      temporary_(base::open_directory_at(repository, "tmp")),
      lock_(lock_staging(temporary_.get(), name_)),
      heads_(base::open_directory_at(repository, "refs/heads")),
      objects_(base::open_directory_at(repository, "objects")),
      room_(objects_.get(), options.reserve) {
  base::check_errno(::mkdirat(temporary_.get(), name_.c_str(), 0700), "create a staging directory in the repository");
  directory_ = base::open_directory_at(temporary_.get(), name_);
  new_file_ = try_new_file();
}

ObjectStaging::NewFile ObjectStaging::try_new_file() const {
  constexpr const char* name = "new";
  const auto file = base::open_at(directory_.get(), name, O_CREAT | O_EXCL | O_WRONLY, ACCESSPERMS);
  struct stat status {};
  base::check_errno(::fstat(file.get(), &status), "examine a file in the repository");
  base::unlink_at(directory_.get(), name);
  return {status.st_uid, status.st_gid, status.st_mode & ALLPERMS};
}

ObjectStaging::~ObjectStaging() {
  try {
    base::remove_tree_at(temporary_.get(), name_);
    base::unlink_at(temporary_.get(), name_ + "-lock");
  } catch (const base::Error&) {
    return;  // the next transaction removes it
  }
}

void ObjectStaging::replace(const std::string& path) {
  const std::unique_lock guard(replacing_);
  options_.replaced.insert(path);
}

bool ObjectStaging::is_stored(const std::string& path) const {
  {
    const std::shared_lock guard(replacing_);
    if (options_.replaced.contains(path)) {
      return false;
    }
  }
  return ::faccessat(objects_.get(), path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/// @param path staged_path() of an object
void ObjectStaging::make_parent(const std::string& path) const {
  for (auto end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    if (::mkdirat(directory_.get(), path.substr(0, end).c_str(), object_directory_mode) != 0 && errno != EEXIST) {
      base::throw_errno("create a staging directory in the repository");
    }
  }
}

std::optional<base::Fd> ObjectStaging::create(const std::string& object, mode_t mode) const {
  const auto path = staged_path(object);
  constexpr int flags = O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW;
  base::Fd file(::openat(directory_.get(), path.c_str(), flags, mode));
  if (!file && errno == ENOENT) {
    make_parent(path);
    file = base::Fd(::openat(directory_.get(), path.c_str(), flags, mode));
  }
  if (file) {
    return file;
  }
  if (errno != EEXIST) {
    base::throw_errno("create an object in the repository");
  }
  return std::nullopt;
}

void ObjectStaging::set_mode(int file, mode_t created_with, mode_t mode) const {
  if ((created_with & new_file_.mode) != mode) {
    base::check_errno(::fchmod(file, mode), "set the mode of an object");
  }
}

void ObjectStaging::create_link(const std::string& path, const std::string& target, uid_t uid, gid_t gid) const {
  int result = ::symlinkat(target.c_str(), directory_.get(), path.c_str());
  if (result != 0 && errno == ENOENT) {
    make_parent(path);
    result = ::symlinkat(target.c_str(), directory_.get(), path.c_str());
  }
  if (result != 0) {
    if (errno != EEXIST) {
      base::throw_errno("create a link in the repository");
    }
    return;
  }
  base::check_errno(::fchownat(directory_.get(), path.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW),
                    "set the owner of a link in the repository");
}

std::optional<std::string> ObjectStaging::read(const std::string& path, std::uint64_t limit) const {
  return base::read_file_at(directory_.get(), staged_path(path), limit);
}

ObjectStaging::Unnamed ObjectStaging::create_unnamed() {
  auto name = fmt::format("unnamed-{}", unnamed_++);
  auto file = base::open_at(directory_.get(), name, O_CREAT | O_EXCL | O_WRONLY, unnamed_mode);
  const bool direct = ::fcntl(file.get(), F_SETFL, O_DIRECT) == 0;  // not possible on all file systems
  return {std::move(file), std::move(name), direct};
}

void ObjectStaging::name(const Unnamed& file, const std::string& path) const {
  if (is_stored(path)) {
    base::unlink_at(directory_.get(), file.name);
    return;
  }
  make_parent(path);
  base::check_errno(::renameat(directory_.get(), file.name.c_str(), directory_.get(), path.c_str()),
                    "name an object in the repository");
}

void ObjectStaging::write(int file, std::span<const std::byte> bytes) {
  room_.take(bytes.size());
  base::write_all(file, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()), "an object");
  written(bytes.size());
}

void ObjectStaging::write_large(Unnamed& file, std::span<const std::byte> bytes) {
  if (!file.direct) {
    return write(file.file.get(), bytes);
  }
  room_.take(bytes.size());
  const auto done = write_direct(file.file.get(), bytes.first(bytes.size() - bytes.size() % direct_alignment));
  if (done < bytes.size()) {
    base::check_errno(::fcntl(file.file.get(), F_SETFL, 0), "choose how an object is written");
    file.direct = false;
    base::write_all(file.file.get(), {reinterpret_cast<const char*>(bytes.data()) + done, bytes.size() - done},
                    "an object");
  }
  written(bytes.size());
}

// Other writers wait here, so that writing does not outrun the disk.
void ObjectStaging::written(std::uint64_t bytes) {
  const auto unsynced = unsynced_.fetch_add(bytes) + bytes;
  if (options_.sync && options_.sync_interval == 0 && unsynced >= flush_least) {
    std::call_once(flushing_, [this] {
      flusher_ = std::jthread([this](const std::stop_token& stop) { flush_now_and_then(stop); });
    });
  }
  if (options_.sync_interval == 0 || !options_.sync || unsynced < options_.sync_interval) {
    return;
  }
  const std::scoped_lock guard(sync_lock_);
  if (unsynced_ >= options_.sync_interval) {
    unsynced_ = 0;
    base::check_errno(::syncfs(directory_.get()), "write objects to disk");
  }
}

// Keeps the disk busy while the processor works. An error here is reported again by the last sync, because the
// kernel reports it to each descriptor.
void ObjectStaging::flush_now_and_then(const std::stop_token& stop) const {
  const base::Fd directory(::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (directory && !wake.wait_for(lock, stop, flush_pause, [&stop] { return stop.stop_requested(); })) {
    static_cast<void>(::syncfs(directory.get()));
  }
}

/// @param from a directory with directories of objects, @param name one of these
void ObjectStaging::publish_directory(int from, const std::string& name) const {
  // Most often a whole directory is new, in a new repository all of them are.
  if (::renameat2(from, name.c_str(), objects_.get(), name.c_str(), RENAME_NOREPLACE) == 0) {
    return;
  }
  if (errno != EEXIST && errno != EINVAL) {  // some file systems do not support the flag
    base::throw_errno("move objects into the repository");
  }
  if (::mkdirat(objects_.get(), name.c_str(), object_directory_mode) != 0 && errno != EEXIST) {
    base::throw_errno("create a directory of objects in the repository");
  }
  const auto source = base::open_directory_at(from, name);
  const auto target = base::open_directory_at(objects_.get(), name);
  for (const auto& object : base::list_directory(source.get())) {
    if (options_.replaced.contains(fmt::format("{}/{}", name, object))) {
      publish_replacement(source.get(), target.get(), object);
      continue;
    }
    // A link rather than a rename: an object that another process stored meanwhile has the same content, and may be in
    // use.
    if (::linkat(source.get(), object.c_str(), target.get(), object.c_str(), 0) != 0 && errno != EEXIST) {
      base::throw_errno("move objects into the repository");
    }
  }
}

/// The name refers to either the damaged object or the good one at any time. Anything but a file, such as a directory,
/// is exchanged with the good object and removed with the staging directory.
void ObjectStaging::publish_replacement(int from, int to, const std::string& object) const {
  if (::renameat(from, object.c_str(), to, object.c_str()) != 0 &&
      ::renameat2(from, object.c_str(), to, object.c_str(), RENAME_EXCHANGE) != 0) {
    base::throw_errno("replace a damaged object of the repository");
  }
}

/// A commit never exists without its objects, even if the process is killed or the power fails.
void ObjectStaging::publish_commits() const {
  if (!base::stat_at(directory_.get(), staged_commits)) {
    return;
  }
  const auto commits = base::open_directory_at(directory_.get(), staged_commits);
  const auto names = base::list_directory(commits.get());
  for (const auto& name : names) {
    publish_directory(commits.get(), name);
  }
  if (!options_.sync) {
    return;
  }
  base::sync_at(objects_.get(), ".");
  for (const auto& name : names) {
    base::sync_at(objects_.get(), name);
  }
}

void ObjectStaging::sync() const {
  if (options_.sync) {
    base::check_errno(::syncfs(directory_.get()), "write objects to disk");
  }
}

void ObjectStaging::publish() {
  flusher_ = {};
  const auto directories = base::list_directory(directory_.get());
  stage_branches(directories.empty());
  if (!directories.empty()) {
    sync();  // the objects, and then the commits that name them
    for (const auto& name : directories) {
      if (name.size() == directory_digits) {
        publish_directory(directory_.get(), name);
      }
    }
    sync();
    publish_commits();
  }
  publish_branches();
}

// The files of branches are written beforehand, so that the sync of the objects makes them durable as well.
void ObjectStaging::stage_branches(bool sync) const {
  constexpr mode_t branch_mode = 0644;
  for (const auto& [branch, commit] : branches_) {
    const auto file = base::open_at(directory_.get(), staged_name(branch), O_CREAT | O_EXCL | O_WRONLY, branch_mode);
    base::write_all(file.get(), commit + "\n", "a branch");
    base::check_errno(::fchmod(file.get(), branch_mode), "set the mode of a branch");
    if (sync && options_.sync) {
      base::check_errno(::fsync(file.get()), "write a branch to disk");
    }
  }
}

void ObjectStaging::publish_branches() const {
  for (const auto& [branch, commit] : branches_) {
    if (const auto parent = base::split_path(branch).first; parent != "." && !base::stat_at(heads_.get(), parent)) {
      base::make_directories_at(heads_.get(), parent, object_directory_mode);
    }
    base::check_errno(::renameat(directory_.get(), staged_name(branch).c_str(), heads_.get(), branch.c_str()),
                      "write the branch " + branch);
  }
}

}  // namespace berth::store
