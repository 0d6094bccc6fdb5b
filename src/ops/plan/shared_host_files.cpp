#include "ops/plan/shared_host_files.hpp"

#include "host/state/deployment.hpp"

namespace berth::ops {

OthersFiles::OthersFiles(const host::Layout& layout, const std::string& name) {
  if (layout.user()) {
    return;  // no files of the host are copied for users
  }
  for (const auto& deployment : host::list_deployments(layout).deployments) {
    const auto& info = deployment.info;
    if (deployment.name == name || !info.package.empty()) {
      continue;  // a package has its files for itself
    }
    for (const auto& path : info.installed_files) {
      owners_.emplace(std::pair(path, host::recorded_checksum(info, path)), deployment.name);
    }
  }
}

std::string OthersFiles::owner(const std::string& path, const std::string& checksum) const {
  const auto found = owners_.find({path, checksum});
  return found == owners_.end() ? "" : found->second;
}

std::string OthersFiles::any_owner(const std::string& path) const {
  const auto found = owners_.lower_bound({path, ""});
  return found != owners_.end() && found->first.first == path ? found->second : "";
}

bool OthersFiles::knows(const std::string& path) const {
  return !any_owner(path).empty();
}

}  // namespace berth::ops
