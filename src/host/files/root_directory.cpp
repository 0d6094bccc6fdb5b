// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/files/root_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::host {

namespace {

constexpr mode_t parent_mode = 0755;

constexpr int link_limit = 40;  // as in the kernel, path_resolution(7)

std::string link_target(int fd) {
  return base::read_link_at(AT_FDCWD, fmt::format("/proc/self/fd/{}", fd)).value_or("");
}

/// The components of a path in reverse order, without empty ones and `.`.
std::vector<std::string> reversed_components(std::string_view path) {
  std::vector<std::string> components;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    if (const auto name = path.substr(0, end); !name.empty() && name != ".") {
      components.emplace_back(name);
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  std::reverse(components.begin(), components.end());
  return components;
}

/// Walks to a directory as find_trusted_directory describes.
class TrustedWalk {
 public:
  /// @param created not null: missing directories are created, and their paths stored here
  TrustedWalk(int root, std::string_view path, std::vector<std::string>* created) : path_(path), created_(created) {
    if (path.find('\0') != std::string_view::npos) {
      throw base::Error(base::ErrorKind::verification, "a path holds a NUL byte");
    }
    open_root(root);
    add_components(path, false);
  }

  /// @return nullopt when a component does not exist or is not a directory
  std::optional<base::Fd> run() {
    while (!ahead_.empty()) {
      const Component component = std::move(ahead_.back());
      ahead_.pop_back();
      if (!enter(component)) {
        return std::nullopt;
      }
    }
    return base::open_directory_at(chain_.back().get(), ".");
  }

 private:
  struct Component {
    std::string name;
    bool of_link = false;  ///< it comes from the target of a link
  };

  void open_root(int root) {
    chain_.emplace_back(base::check_errno(::openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC), "open the root"));
    base::check_errno(::fstat(chain_.back().get(), &root_status_), "examine the root");
  }

  /// Puts components in front of those that are still ahead.
  void add_components(std::string_view path, bool of_link) {
    for (auto& name : reversed_components(path)) {
      ahead_.push_back({std::move(name), of_link});
    }
  }

  bool enter(const Component& component) {
    if (component.name == "..") {
      go_up(component);
      return true;
    }
    if (!component.of_link) {
      so_far_ += "/" + component.name;
    }
    base::Fd next = open(component.name);
    if (!next && errno == ENOENT && created_ != nullptr) {
      make(component);
      next = open(component.name);
    }
    if (!next) {
      if (errno == ENOENT || errno == ENOTDIR) {
        return false;
      }
      base::throw_errno("open " + base::full_path(chain_.back().get(), component.name));
    }
    struct stat status {};
    base::check_errno(::fstat(next.get(), &status), "examine " + component.name);
    const auto to = (at_ == "/" ? "" : at_) + "/" + component.name;
    step(to, status);
    if (S_ISLNK(status.st_mode)) {
      follow(next.get());
      return true;
    }
    chain_.push_back(std::move(next));
    at_ = to;
    return S_ISDIR(status.st_mode);
  }

  /// Opens a component, whatever it is, as an O_PATH descriptor. This mounts an automount point.
  base::Fd open(const std::string& name) const {
    base::Fd found(::openat(chain_.back().get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (found || errno == ENOENT) {
      return found;
    }
    return base::Fd(::openat(chain_.back().get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  }

  /// Goes up within the root, by the descriptors of the directories passed: a directory that is moved leads nowhere
  /// else.
  void go_up(const Component& component) {
    if (!component.of_link) {
      throw base::Error(base::ErrorKind::verification, fmt::format("the path '{}' leads upwards with '..'", path_));
    }
    if (chain_.size() > 1) {
      chain_.pop_back();
      at_ = base::split_path(at_).first;
    }
    step(at_, status_of_last());
    trusted_ = chain_.size() == 1;
  }

  [[nodiscard]] struct stat status_of_last() const {
    struct stat status {};
    base::check_errno(::fstat(chain_.back().get(), &status), "examine a directory");
    return status;
  }

  void follow(int link) {
    if (++links_ > link_limit) {
      throw base::Error(base::ErrorKind::failed, fmt::format("there are too many links on the way to {}", path_));
    }
    const auto target = base::read_link_at(link, "").value_or("");
    if (target.starts_with('/')) {
      chain_.erase(chain_.begin() + 1, chain_.end());
      at_ = "/";
      step(at_, root_status_);
      trusted_ = true;
    }
    add_components(target, true);
  }

  void step(const std::string& to, const struct stat& status) {
    if (!trusted_ && is_of_others(owner_) && owner_ != status.st_uid) {
      throw unsafe_step(last_, owner_, to);
    }
    trusted_ = false;
    owner_ = status.st_uid;
    last_ = to;
  }

  void make(const Component& component) {
    if (component.of_link) {
      throw base::Error(base::ErrorKind::conflict,
                        fmt::format("cannot create the directory {}: a link of that name points to nothing", so_far_),
                        "create the directory the link points to, or remove the link");
    }
    if (!trusted_ && is_of_others(owner_)) {
      throw unsafe_step(last_, owner_, so_far_);  // the new directory would be owned by the caller
    }
    const int parent = chain_.back().get();
    if (::mkdirat(parent, component.name.c_str(), parent_mode) < 0) {
      if (errno != EEXIST) {
        base::throw_errno("create the directory " + so_far_);
      }
      return;  // another process has just created it
    }
    created_->push_back(so_far_);
    const base::Fd made = base::open_directory_at(parent, component.name);
    base::check_errno(::fchmod(made.get(), parent_mode),
                      "set the mode of " + so_far_);  // the umask may have removed bits
    base::sync_at(parent, ".");
  }

  std::string path_;
  std::vector<std::string>* created_;
  std::vector<base::Fd> chain_;   ///< the directories from the root to the current one
  std::vector<Component> ahead_;  ///< the next one last
  std::string so_far_;            ///< of `path_`
  std::string at_ = "/";          ///< the last of `chain_`, inside the root
  std::string last_ = "/";        ///< the component passed last, a directory or a link
  uid_t owner_ = 0;               ///< of `last_`
  bool trusted_ = true;           ///< `last_` is the root, which is trusted whatever its owner is
  struct stat root_status_ {};
  int links_ = 0;
};

}  // namespace

bool is_of_others(uid_t owner) {
  return owner != 0 && owner != ::geteuid();
}

base::Error unsafe_step(const std::string& from, uid_t owner, const std::string& to) {
  return {
      base::ErrorKind::not_permitted,
      fmt::format("it is not safe to go from {} to {}: the first belongs to the user {}, who can replace the second, "
                  "which has another owner",
                  base::printable(from), base::printable(to), owner),
      "give both the same owner, or the first to root, or remove the link if it is one"};
}

std::optional<base::Fd> find_trusted_directory(int root, std::string_view path) {
  return TrustedWalk(root, path, nullptr).run();
}

std::optional<base::Error> danger_on_the_way(int root, const std::string& path) {
  try {
    find_trusted_directory(root, base::split_path(path).first);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_permitted) {
      throw;
    }
    return error;
  }
  return std::nullopt;
}

base::Fd make_directory_in_root(int root, std::string_view path, std::vector<std::string>& created) {
  auto directory = TrustedWalk(root, path, &created).run();
  if (!directory) {
    throw base::Error(base::ErrorKind::conflict,
                      fmt::format("cannot create the directory {}: a component of the path is not a directory", path));
  }
  return std::move(*directory);
}

std::optional<base::Fd> find_directory_in_root(int root, std::string_view path) {
  const std::string text(path.empty() ? "." : path);
  struct open_how how {};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  constexpr int attempts = 128;  // EAGAIN while someone renames directories
  int again = 0;
  long fd = -1;
  do {
    fd = ::syscall(SYS_openat2, root, text.c_str(), &how, sizeof how);
  } while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++again < attempts)));
  if (fd >= 0) {
    return base::Fd(static_cast<int>(fd));
  }
  if (errno != ENOENT && errno != ENOTDIR) {
    base::throw_errno("open the directory " + text);
  }
  return std::nullopt;
}

void remove_created_directories(int root, const std::vector<std::string>& created) noexcept {
  for (auto path = created.rbegin(); path != created.rend(); ++path) {
    try {
      const auto [parent, name] = base::split_path(*path);
      if (const auto directory = find_trusted_directory(root, parent)) {
        ::unlinkat(directory->get(), name.c_str(), AT_REMOVEDIR);
      }
    } catch (const std::exception&) {
      // An empty directory may stay: the failure that led here must be reported.
      continue;
    }
  }
}

std::string resolve_in_root(int root, std::string_view path) {
  std::vector<std::string> left = reversed_components(path);
  std::vector<std::string> found;
  int links = 0;
  while (!left.empty()) {
    std::string name = std::move(left.back());
    left.pop_back();
    if (name == "..") {
      if (!found.empty()) {
        found.pop_back();
      }
      continue;
    }
    found.push_back(std::move(name));
    const auto target = base::read_link_at(root, fmt::format("{}", fmt::join(found, "/")));
    if (!target) {
      continue;
    }
    if (++links > link_limit) {
      throw base::Error(base::ErrorKind::failed, fmt::format("cannot find {}: its links lead in a circle", path),
                        "correct the links");
    }
    if (target->starts_with('/')) {
      found.clear();
    } else {
      found.pop_back();
    }
    auto more = reversed_components(*target);
    std::move(more.begin(), more.end(), std::back_inserter(left));
  }
  return fmt::format("/{}", fmt::join(found, "/"));
}

std::string path_in_root(int root, int fd) {
  const std::string top = link_target(root);
  std::string path = link_target(fd);
  if (top == "/") {
    return path;
  }
  if (path == top) {
    return "/";
  }
  if (top.empty() || !path.starts_with(top + "/")) {
    throw base::Error(base::ErrorKind::failed, fmt::format("{} is not below {}", path, top));
  }
  return path.substr(top.size());
}

}  // namespace berth::host
