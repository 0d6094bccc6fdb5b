// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages of privileges, for comparisons.
#pragma once

#include <string>
#include <vector>

#include "render/spec/privilege.hpp"

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
