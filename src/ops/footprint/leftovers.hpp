// What stays on the host after an uninstall, so that it can be named.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

/// Looked at before an uninstall and once more after it.
class Leftovers {
 public:
  /// What may stay: state that tmpfiles.d lines of the deployments made, recorded directories, and an administrator's
  /// settings beside the unit.
  Leftovers(const Context& context, const std::string& name);

  /// What of it is still there, one sentence each. The place for everything that is to be said about it.
  [[nodiscard]] std::vector<std::string> remarks() const;

 private:
  const Context& context_;
  std::string name_;
  std::vector<std::string> paths_;
  std::set<std::string> brought_;  ///< what the image put on the host  ///< inside the root
};

}  // namespace berth::ops
