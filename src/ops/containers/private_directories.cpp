// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/private_directories.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "host/files/private_directory.hpp"
#include "ops/change/adoption.hpp"
#include "ops/footprint/volumes.hpp"
#include "ops/private_deployment.hpp"
#include "store/ostree/private_mark.hpp"

namespace berth::ops {

namespace {

using base::Error;

std::optional<base::Fd> find_directory(const std::string& path) {
  const auto status = path.empty() ? std::nullopt : base::stat_at(AT_FDCWD, path);
  return status ? std::optional(base::open_host_directory(path)) : std::nullopt;
}

bool close_all(const Context& context, int deployments) {
  bool opened = false;
  for (const auto& name : base::list_directory(deployments)) {
    const auto status = base::stat_at(deployments, name);
    if (!status || !S_ISDIR(status->st_mode)) {
      continue;
    }
    opened = close_deployment(context, deployments, name) || opened;
  }
  return opened;
}

/// Closes the directory of deployments first, which is sufficient when the rest is interrupted.
/// @return whether others could reach a deployment
bool close_deployments(const Context& context, int directory) {
  struct stat status {};
  base::check_errno(::fstat(directory, &status), "examine the directory of deployments");
  if (!host::others_can_enter(status)) {
    return false;
  }
  const bool only_passed = (status.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) == 0;
  if (!only_passed || status.st_uid != ::geteuid()) {
    host::make_private(directory);
  }
  return close_all(context, directory);
}

class Closing {
 public:
  explicit Closing(Context& context) : context_(context) {}

  void run() {
    const auto& layout = context_.layout;
    const auto repository = layout.repository();
    const auto deployments = [this](int directory) { return close_deployments(context_, directory); };
    const bool changeable = close(layout.deployments(), deployments);
    const bool opened = close(repository, [](int directory) { return host::make_private(directory); });
    const bool unmarked =
        changeable || opened || (find_directory(repository + "/objects") && !store::is_marked(repository));
    if (close_preinstalled(deployments) || unmarked) {
      close_former_volumes(context_);  // before the mark, which lets the next command skip all this
    }
    if (unmarked) {
      mark(repository, changeable || opened);
    }
  }

 private:
  static bool is_read_only(const std::string& path) {
    struct statvfs status {};
    return !path.empty() && ::statvfs(path.c_str(), &status) == 0 && (status.f_flag & ST_RDONLY) != 0;
  }

  /// On a read-only file system, only `berth recover` reports that it cannot be closed.
  /// @return whether other users can enter it
  bool close_preinstalled(const std::function<bool(int directory)>& work) {
    const auto path = context_.layout.preinstalled();
    if (!is_read_only(path) || context_.command == "berth recover") {
      return close(path, work);
    }
    const auto status = base::stat_at(AT_FDCWD, path);
    return status && host::others_can_enter(*status);
  }

  /// @param work returns whether other users could access files in the directory
  bool close(const std::string& path, const std::function<bool(int directory)>& work) {
    try {
      const auto directory = find_directory(path);
      if (!directory || !work(directory->get())) {
        return false;
      }
      context_.reporter.warning(
          fmt::format("other users could enter {}, which contains files of images; it is closed now. Their processes "
                      "that use it already keep their access until they exit; berth images verify checks for changes",
                      path));
      return true;
    } catch (const Error& error) {
      context_.reporter.warning(fmt::format("{} cannot be closed to other users: {}", path, error.what()));
      return true;
    }
  }

  void mark(const std::string& repository, bool opened) {
    try {
      if (opened || !store::is_marked(repository)) {
        tidy_adoptions(context_);  // before the mark, which lets a boot skip recovery
        store::mark_opened(repository);
      }
    } catch (const Error& error) {
      if (opened) {
        context_.reporter.warning(error.what());
      }
    }
  }

  Context& context_;
};

}  // namespace

void make_directories_private(Context& context) {
  const auto& user = context.layout.user();
  if (user ? user->uid == ::geteuid() : ::geteuid() == 0) {
    Closing(context).run();
  }
}

}  // namespace berth::ops
