// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/shared_host_files.hpp"

#include "host/state/deployment.hpp"

namespace berth::ops {

OtherContainersFiles::OtherContainersFiles(const host::Layout& layout, const std::string& name) {
  if (layout.user()) {
    return;  // users' containers have no host files
  }
  for (const auto& deployment : host::list_deployments(layout).deployments) {
    const auto& info = deployment.info;
    if (deployment.name == name || !info.package.empty()) {
      continue;  // files of a package have no other owner
    }
    for (const auto& path : info.installed_files) {
      owners_.emplace(std::pair(path, host::recorded_checksum(info, path)), deployment.name);
    }
  }
}

std::string OtherContainersFiles::owner(const std::string& path, const std::string& checksum) const {
  const auto found = owners_.find({path, checksum});
  return found == owners_.end() ? "" : found->second;
}

std::string OtherContainersFiles::any_owner(const std::string& path) const {
  const auto found = owners_.lower_bound({path, ""});
  return found != owners_.end() && found->first.first == path ? found->second : "";
}

bool OtherContainersFiles::knows(const std::string& path) const {
  return !any_owner(path).empty();
}

}  // namespace berth::ops
