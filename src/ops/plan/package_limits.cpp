#include "ops/plan/package_limits.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t entry_limit = 64U << 10U;  // bytes of an entry of passwd or group
constexpr const char* install_instead = "install the image with berth install on the machine itself";

/// Ids that are the same on every Debian system (Debian policy, 9.2.2).
bool is_global(unsigned id) {
  return id < 100 || id == 65534;
}

bool has_name(unsigned id, bool group) {
  std::vector<char> buffer(entry_limit);
  if (group) {
    struct group entry {};
    struct group* found = nullptr;
    return ::getgrgid_r(id, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  }
  struct passwd entry {};
  struct passwd* found = nullptr;
  return ::getpwuid_r(id, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
}

/// rpm knows owners by their names alone. dpkg prefers the name, when this machine has one for the id and the other
/// machine the same name for another id.
bool keeps_owner(unsigned id, bool group, host::PackageKind kind) {
  if (kind == host::PackageKind::rpm) {
    return id == 0;
  }
  return is_global(id) || !has_name(id, group);
}

class Packing {
 public:
  Packing(int tree, host::PackageKind kind) : tree_(tree), kind_(kind) {}

  void run() {
    while (!directories_.empty()) {
      const auto path = std::move(directories_.back());
      directories_.pop_back();
      const auto directory = base::open_directory_at(tree_, path);
      for (const auto& name : base::list_directory(directory.get())) {
        look_at(directory.get(), name, path == "." ? name : fmt::format("{}/{}", path, name));
      }
    }
  }

 private:
  void look_at(int directory, const std::string& name, const std::string& path) {
    const auto status = base::stat_at(directory, name).value();
    if (!keeps_owner(status.st_uid, false, kind_) || !keeps_owner(status.st_gid, true, kind_)) {
      refuse(path, fmt::format("belongs to user {} and group {}, which {}", status.st_uid, status.st_gid,
                               kind_ == host::PackageKind::rpm
                                   ? "have no name that an RPM package could hold"
                                   : "have names on this machine that may mean other ids elsewhere"));
    }
    if (S_ISDIR(status.st_mode)) {
      directories_.push_back(path);
    }
    if (S_ISLNK(status.st_mode) && status.st_nlink > 1) {
      base::replace_link_at(directory, name, base::read_link_at(directory, name).value());
      base::check_errno(::fchownat(directory, name.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW),
                        "set the owner of " + path);
    }
    if (S_ISREG(status.st_mode)) {
      const auto file = base::open_at(directory, name, O_RDONLY);
      if (::fgetxattr(file.get(), "security.capability", nullptr, 0) >= 0) {
        refuse(path, "has file capabilities, which a package would lose");
      }
    }
  }

  [[noreturn]] static void refuse(const std::string& path, const std::string& reason) {
    throw Error(ErrorKind::verification, fmt::format("/{} {}", base::printable(path), reason), install_instead);
  }

  int tree_;
  host::PackageKind kind_;
  std::vector<std::string> directories_ = {"."};
};

}  // namespace

void make_packable(int tree, host::PackageKind kind) {
  Packing(tree, kind).run();
}

}  // namespace berth::ops
