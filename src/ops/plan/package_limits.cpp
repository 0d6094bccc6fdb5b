// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/package_limits.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/accounts.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* install_instead = "install the image with berth install on the machine itself";

/// Ids that are the same on every Debian system (Debian policy, 9.2.2).
bool is_global(unsigned id) {
  return id < 100 || id == 65534;
}

bool has_name(unsigned id, bool group) {
  return group ? host::has_group(id) : host::find_account(id).has_value();
}

/// Whether a package keeps the owner. rpm stores names only. dpkg stores both, and prefers the name: the other machine
/// may have it for another id.
bool keeps_owner(unsigned id, bool group, host::PackageKind kind) {
  if (kind == host::PackageKind::rpm) {
    return id == 0;
  }
  return is_global(id) || !has_name(id, group);
}

class PackableTree {
 public:
  PackableTree(int tree, host::PackageKind kind) : tree_(tree), kind_(kind) {}

  void run() {
    while (!directories_.empty()) {
      const auto path = std::move(directories_.back());
      directories_.pop_back();
      const auto directory = base::open_directory_at(tree_, path);
      for (const auto& name : base::list_directory(directory.get())) {
        check_entry(directory.get(), name, path == "." ? name : fmt::format("{}/{}", path, name));
      }
    }
  }

 private:
  void check_entry(int directory, const std::string& name, const std::string& path) {
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
  PackableTree(tree, kind).run();
}

}  // namespace berth::ops
