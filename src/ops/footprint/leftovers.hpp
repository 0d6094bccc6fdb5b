// SPDX-License-Identifier: LGPL-2.1-or-later
// Data and settings that an uninstall keeps on the host.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

/// Constructed before an uninstall, when the deployments still exist; queried after it.
class Leftovers {
 public:
  /// Collects the paths that may be kept: those that tmpfiles.d lines of the deployments create, recorded directories,
  /// and the administrator's drop-ins of the unit.
  Leftovers(const Context& context, const std::string& name);

  /// @return one message for each path that still exists
  [[nodiscard]] std::vector<std::string> remarks() const;

 private:
  const Context& context_;
  std::string name_;
  std::vector<std::string> paths_;    ///< absolute inside the root
  std::set<std::string> host_files_;  ///< of the image, absolute inside the root
};

}  // namespace berth::ops
