// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/host_file_handover.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/file_copy.hpp"
#include "host/files/host_file.hpp"
#include "host/state/deployment.hpp"

namespace berth::ops {

namespace {

enum class Content { none, same, other };

/// Compares the file that the image of a deployment provides for the path with the file that is there.
Content provided_content(int deployment, const RecordedFile& file) {
  try {
    const auto found =
        base::open_beneath(deployment, "rootfs/exports/hostfs" + file.path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    struct stat status {};
    base::check_errno(::fstat(found.get(), &status), "examine " + file.path);
    if (!S_ISREG(status.st_mode)) {
      return Content::none;
    }
    return host::content_checksum(found.get(), file.path) == file.checksum ? Content::same : Content::other;
  } catch (const base::Error&) {
    return Content::none;  // it does not exist, or the root file system is a remote one
  }
}

}  // namespace

std::string hand_over(const Context& context, const std::string& name, const RecordedFile& file) {
  if (context.layout.user() || file.checksum.empty()) {
    return "";
  }
  for (auto& deployment : host::list_deployments(context.layout).deployments) {
    if (deployment.name == name || deployment.preinstalled || !deployment.info.package.empty()) {
      continue;
    }
    const auto directory = base::open_host_directory(deployment.path);
    if (provided_content(directory.get(), file) == Content::same) {
      deployment.info.installed_files.push_back(file.path);
      deployment.info.installed_files_checksum[file.path] = file.checksum;
      base::replace_file_at(directory.get(), "info", host::write_info(deployment.info), 0600);
      return deployment.name;
    }
  }
  return "";
}

std::vector<std::string> left_without(const Context& context, const std::string& name, const RecordedFile& file) {
  std::vector<std::string> names;
  if (context.layout.user() || file.checksum.empty() ||
      host::host_checksum(open_root(context).get(), file.path) != file.checksum) {
    return names;  // an edited file is kept
  }
  for (const auto& deployment : host::list_deployments(context.layout).deployments) {
    if (deployment.name != name && deployment.info.package.empty() &&
        provided_content(base::open_host_directory(deployment.path).get(), file) == Content::other) {
      names.push_back(deployment.name);
    }
  }
  return names;
}

std::string describe_left_without(const std::string& path, const std::string& name) {
  return fmt::format("{} is removed; {}, whose image has another version of it, is without it until its next update",
                     path, name);
}

}  // namespace berth::ops
