#include "ops/containers/private_directories.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdint>
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

std::optional<base::Fd> find_folder(const std::string& path) {
  const auto status = path.empty() ? std::nullopt : base::stat_at(AT_FDCWD, path);
  return status ? std::optional(base::open_host_folder(path)) : std::nullopt;
}

bool close_all(const Session& session, int deployments) {
  bool opened = false;
  for (const auto& name : base::list_folder(deployments)) {
    const auto status = base::stat_at(deployments, name);
    if (!status || !S_ISDIR(status->st_mode)) {
      continue;
    }
    try {
      opened = close_deployment(session, deployments, name) || opened;
    } catch (const Error& error) {
      if (error.kind() != base::ErrorKind::not_found) {  // another command has just removed it
        throw;
      }
    }
  }
  return opened;
}

/// The folder itself first: that alone keeps others out, whenever the rest is interrupted.
/// @return whether others could reach a deployment
bool close_deployments(const Session& session, int folder) {
  struct stat status {};
  base::check_errno(::fstat(folder, &status), "examine the folder of deployments");
  if (!host::others_can_enter(status)) {
    return false;
  }
  const bool only_passed = (status.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) == 0;
  if (!only_passed || status.st_uid != ::geteuid()) {
    host::make_private(folder);
  }
  return close_all(session, folder);
}

class Closing {
 public:
  explicit Closing(Session& session) : session_(session) {}

  void run() {
    const auto& layout = session_.layout;
    const auto repository = layout.repository();
    const auto deployments = [this](int folder) { return close_deployments(session_, folder); };
    const bool changeable = close(layout.deployments(), deployments);
    const bool opened = close(repository, [](int folder) { return host::make_private(folder); });
    const bool unmarked =
        changeable || opened || (find_folder(repository + "/objects") && !store::is_marked(repository));
    if (close_preinstalled(deployments) || unmarked) {
      close_former_volumes(session_);  // before the mark, by which the next command knows that all this is done
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

  /// A file system that cannot be written is no news to anybody who only looks at something.
  /// @return whether an earlier version made what is there
  bool close_preinstalled(const std::function<bool(int folder)>& work) {
    const auto path = session_.layout.preinstalled();
    if (!is_read_only(path) || session_.command == "berth recover") {
      return close(path, work);
    }
    const auto status = base::stat_at(AT_FDCWD, path);
    return status && host::others_can_enter(*status);
  }

  /// @param work returns whether others could reach what is in the folder
  bool close(const std::string& path, const std::function<bool(int folder)>& work) {
    try {
      const auto folder = find_folder(path);
      if (!folder || !work(folder->get())) {
        return false;
      }
      session_.reporter.warning(
          fmt::format("other users could enter {}, which holds files of images; it is closed now. Programs of theirs "
                      "that were in it still are until they end; berth images verify shows whether something was "
                      "changed",
                      path));
      return true;
    } catch (const Error& error) {
      session_.reporter.warning(fmt::format("{} stays open to other users: {}", path, error.what()));
      return true;
    }
  }

  void mark(const std::string& repository, bool opened) {
    try {
      if (opened || !store::is_marked(repository)) {
        tidy_adoptions(session_);  // with the mark a boot would see no reason any more to recover
        store::mark_opened(repository);
      }
    } catch (const Error& error) {
      if (opened) {
        session_.reporter.warning(error.what());
      }
    }
  }

  Session& session_;
};

}  // namespace

void close_places(Session& session) {
  const auto& user = session.layout.user();
  if (user ? user->uid == ::geteuid() : ::geteuid() == 0) {
    Closing(session).run();
  }
}

}  // namespace berth::ops
