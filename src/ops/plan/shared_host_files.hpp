// Host files that several containers brought: they go with the last of them.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "host/layout.hpp"

namespace berth::ops {

/// What the live deployments of all other containers recorded as theirs.
class OthersFiles {
 public:
  OthersFiles() = default;
  /// @param name the container that is not asked; what cannot be read counts for nothing
  OthersFiles(const host::Layout& layout, const std::string& name);

  /// A container that has the file, too; empty for none. @param checksum as recorded; empty for directories
  [[nodiscard]] std::string owner(const std::string& path, const std::string& checksum) const;
  /// A container that has a file at `path`, whatever is in it; empty for none.
  [[nodiscard]] std::string any_owner(const std::string& path) const;
  /// Whether another container has a file at `path`, whatever is in it.
  [[nodiscard]] bool knows(const std::string& path) const;

 private:
  std::map<std::pair<std::string, std::string>, std::string> owners_;  ///< by path and checksum
};

}  // namespace berth::ops
