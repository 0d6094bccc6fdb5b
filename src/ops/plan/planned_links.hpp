// Where paths of the host will lead when the links that an image brings are there.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ops/plan/install_plan.hpp"

namespace berth::ops {

class PlannedLinks {
 public:
  /// @param files of the plan, of which the links count
  /// @param resolve where a host path really is today, but for a link that is its last component
  PlannedLinks(const std::vector<PlannedFile>& files, std::function<std::string(const std::string&)> resolve);

  /// The path with all links followed, the last one, too. After 40 of them it stays as it is: nothing opens it.
  /// @param path absolute @return absolute, without `.`, `..` and doubled slashes
  [[nodiscard]] std::string place_of(const std::string& path) const;

 private:
  std::map<std::string, std::string> targets_;
  std::function<std::string(const std::string&)> resolve_;
};

}  // namespace berth::ops
