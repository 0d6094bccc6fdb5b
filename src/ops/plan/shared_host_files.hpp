// SPDX-License-Identifier: LGPL-2.1-or-later
// Host files that several containers own: they are removed with the last of them.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "host/layout.hpp"

namespace berth::ops {

/// Host files that the live deployments of all other containers recorded.
class OtherContainersFiles {
 public:
  OtherContainersFiles() = default;
  /// @param name the container to leave out. Deployments that cannot be read are left out, too
  OtherContainersFiles(const host::Layout& layout, const std::string& name);

  /// Another container that owns the file with that content; empty if there is no such container.
  /// @param checksum as recorded; empty for directories
  [[nodiscard]] std::string owner(const std::string& path, const std::string& checksum) const;
  /// Another container that owns a file at `path`, whatever its content; empty if there is no such container.
  [[nodiscard]] std::string any_owner(const std::string& path) const;
  /// Whether any_owner() finds one.
  [[nodiscard]] bool knows(const std::string& path) const;

 private:
  std::map<std::pair<std::string, std::string>, std::string> owners_;  ///< by path and checksum
};

}  // namespace berth::ops
