#include "ops/hand_over.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/deployment.hpp"
#include "host/file_copy.hpp"

namespace berth::ops {

namespace {

/// Whether the image in the open deployment brings the file with that content.
bool brings(int deployment, const NotedFile& file) {
  try {
    const auto found =
        base::open_beneath(deployment, "rootfs/exports/hostfs" + file.path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    struct stat status {};
    base::check_errno(::fstat(found.get(), &status), "examine " + file.path);
    return S_ISREG(status.st_mode) && host::content_checksum(found.get(), file.path) == file.checksum;
  } catch (const base::Error&) {
    return false;  // there is no such file, or the root file system is a remote one
  }
}

}  // namespace

std::string hand_over(const Session& session, const std::string& name, const NotedFile& file) {
  if (session.layout.user() || file.checksum.empty()) {
    return "";
  }
  for (auto& deployment : host::list_deployments(session.layout).deployments) {
    if (deployment.name == name || deployment.preinstalled || !deployment.info.package.empty()) {
      continue;
    }
    const auto folder = base::open_host_folder(deployment.path);
    if (brings(folder.get(), file)) {
      deployment.info.installed_files.push_back(file.path);
      deployment.info.installed_files_checksum[file.path] = file.checksum;
      base::replace_file_at(folder.get(), "info", host::write_info(deployment.info), 0600);
      return deployment.name;
    }
  }
  return "";
}

}  // namespace berth::ops
