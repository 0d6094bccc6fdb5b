// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/deployments_directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.hpp"
#include "host/state/deployment.hpp"

namespace berth::ops {

DeploymentsDirectory::DeploymentsDirectory(const host::Layout& layout)
    : created_(host::make_deployments_directory(layout)), directory_(base::open_host_directory(layout.deployments())) {}

DeploymentsDirectory::~DeploymentsDirectory() {
  for (auto path = created_.rbegin(); path != created_.rend(); ++path) {
    ::unlinkat(AT_FDCWD, path->c_str(), AT_REMOVEDIR);  // fails, as intended, unless it is empty
  }
}

std::string staging_name(const std::string& name) {
  return std::string(staging_prefix) + name;
}

std::string waiting_name(const std::string& name) {
  return ".waiting-" + name;
}

}  // namespace berth::ops
