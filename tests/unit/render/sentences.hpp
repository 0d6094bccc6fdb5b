// Powers as words, for comparisons.
#pragma once

#include <string>
#include <vector>

#include "render/spec/privileges.hpp"

namespace berth::render::test {

inline std::vector<std::string> sentences(const std::vector<Power>& powers) {
  std::vector<std::string> result;
  result.reserve(powers.size());
  for (const auto& power : powers) {
    result.push_back(power.sentence);
  }
  return result;
}

}  // namespace berth::render::test
