// Powers as words, for comparisons.
#pragma once

#include <string>
#include <vector>

#include "exports/powers.hpp"

namespace berth::exports::test {

inline std::vector<std::string> sentences(const std::vector<Power>& powers) {
  std::vector<std::string> result;
  result.reserve(powers.size());
  for (const auto& power : powers) {
    result.push_back(power.sentence);
  }
  return result;
}

}  // namespace berth::exports::test
