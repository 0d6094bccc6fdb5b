// SPDX-License-Identifier: LGPL-2.1-or-later
// Findings in tests of the checks.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "base/finding.hpp"
#include "render/support.hpp"

namespace berth::render::test {

inline std::vector<std::string> codes(const base::Findings& findings) {
  std::vector<std::string> result;
  for (const auto& finding : findings) {
    result.push_back(finding.code);
  }
  return result;
}

/// The finding with this code; fails the test unless there is exactly one.
inline base::Finding only(const base::Findings& findings, const std::string& code) {
  base::Findings found;
  std::copy_if(findings.begin(), findings.end(), std::back_inserter(found),
               [&](const base::Finding& one) { return one.code == code; });
  EXPECT_EQ(found.size(), 1U) << code << " among " << testing::PrintToString(codes(findings));
  return found.empty() ? base::Finding{} : found.front();
}

}  // namespace berth::render::test
