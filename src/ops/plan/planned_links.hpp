// SPDX-License-Identifier: LGPL-2.1-or-later
// Resolves host paths as they will resolve once the links that an image brings exist.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ops/plan/host_probe.hpp"

namespace berth::ops {

class PlannedLinks {
 public:
  /// @param files planned host files; only links matter @param probe must outlive this
  PlannedLinks(const std::vector<PlannedFile>& files, const HostProbe& probe);

  /// The path with all links followed, also in the last component. A path with more than 40 of them is returned
  /// unchanged: the kernel refuses to open it (path_resolution(7)).
  /// @param path absolute @return absolute, without `.`, `..` and doubled slashes
  [[nodiscard]] std::string resolve(const std::string& path) const;

 private:
  std::map<std::string, std::string> targets_;  ///< of planned links, by their resolved path
  const HostProbe& probe_;
};

}  // namespace berth::ops
