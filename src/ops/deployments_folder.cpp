#include "ops/deployments_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.hpp"

namespace berth::ops {

DeploymentsFolder::DeploymentsFolder(const host::Layout& layout)
    : root_(base::open_host_folder(layout.root())),
      created_(base::make_folders_at(root_.get(), layout.deployments_inside().substr(1), layout.user() ? 0700 : 0755)),
      folder_(base::open_host_folder(layout.deployments())) {}

DeploymentsFolder::~DeploymentsFolder() {
  for (auto path = created_.rbegin(); path != created_.rend(); ++path) {
    ::unlinkat(root_.get(), path->c_str(), AT_REMOVEDIR);  // fails, as it should, when something is in it
  }
}

}  // namespace berth::ops
