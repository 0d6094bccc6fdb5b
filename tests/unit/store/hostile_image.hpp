// SPDX-License-Identifier: LGPL-2.1-or-later
// A hostile image of a few layers, and its expected outcome: a refusal with its reason, or a tree.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace berth::store::testing {

using Layers = std::vector<std::string>;

struct HostileImage {
  std::string name;  ///< name of the test
  /// Archives, lowest first. @param canary absolute path of a tree that must not change; `../canary` in the checkout
  std::function<Layers(const std::string& canary)> layers;
  std::string refusal = {};            ///< part of the error, of kind verification; empty if the image is imported
  std::vector<std::string> tree = {};  ///< listing() of the checkout; `@canary@` stands for the path of the canary
};

/// Layers that do not depend on the path of the canary.
template <typename... Archives>
std::function<Layers(const std::string&)> stack(const Archives&... archives) {
  const Layers layers{std::string(archives)...};
  return [layers](const std::string&) { return layers; };
}

inline void PrintTo(const HostileImage& image, std::ostream* out) {
  *out << image.name;
}

/// Pulls the image into a new repository of each mode and checks it out. Fails the test unless the outcome is the
/// expected one, and: names, contents, modes and times in the tree beside repository and checkout are unchanged; no
/// other files are beside them; /etc/passwd of the host is unchanged; a refused image leaves the repository unchanged.
void expect_outcome(const HostileImage& image);

/// The name of a parameterised test.
inline std::string test_name(const ::testing::TestParamInfo<HostileImage>& info) {
  return info.param.name;
}

/// Every path below `directory` with type, mode, owner, size and time of last change.
std::vector<std::string> fingerprint(const std::string& directory);

}  // namespace berth::store::testing
