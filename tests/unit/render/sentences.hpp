// Privileges as words, for comparisons.
#pragma once

#include <string>
#include <vector>

#include "render/spec/privileges.hpp"

namespace berth::render::test {

inline std::vector<std::string> messages(const std::vector<Privilege>& privileges) {
  std::vector<std::string> result;
  result.reserve(privileges.size());
  for (const auto& privilege : privileges) {
    result.push_back(privilege.message);
  }
  return result;
}

}  // namespace berth::render::test
