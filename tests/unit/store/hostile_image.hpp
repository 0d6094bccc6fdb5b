// A hostile image of a few layers, and what has to become of it: refused with its reason, or exactly one tree.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace berth::store::testing {

using Layers = std::vector<std::string>;

struct HostileImage {
  std::string name;  ///< of the test
  /// Archives, lowest first. @param canary absolute path of a tree that must not change; `../canary` from the checkout
  std::function<Layers(const std::string& canary)> layers;
  std::string refusal = {};            ///< part of the error, of kind verification; empty: the image is imported
  std::vector<std::string> tree = {};  ///< the checkout, as listing() gives it; `@canary@` stands for that path
};

/// Layers that do not depend on where the canary is.
template <typename... Archives>
std::function<Layers(const std::string&)> stack(const Archives&... archives) {
  const Layers layers{std::string(archives)...};
  return [layers](const std::string&) { return layers; };
}

inline void PrintTo(const HostileImage& image, std::ostream* out) {
  *out << image.name;
}

/// Pulls the image into a fresh repository of each mode and checks it out. Fails the test unless the outcome is the
/// expected one, and: a tree beside repository and checkout has the names, contents, modes and times it had; nothing
/// else is beside them; /etc/passwd of the host is as it was; a refused image leaves the repository as it was.
void expect_outcome(const HostileImage& image);

/// Names of a test of a table.
inline std::string test_name(const ::testing::TestParamInfo<HostileImage>& info) {
  return info.param.name;
}

/// Every path below `directory` with kind, mode, owner, size and time of change.
std::vector<std::string> fingerprint(const std::string& directory);

}  // namespace berth::store::testing
