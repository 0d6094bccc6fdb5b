// SPDX-License-Identifier: LGPL-2.1-or-later
// Measures the checkout of an image only: checkout REPOSITORY COMMIT DIRECTORY; prints seconds.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>

#include "base/file.hpp"
#include "store/store.hpp"

namespace {

class SilentReporter final : public berth::base::Reporter {
 public:
  void step(std::string_view /*message*/) override {}
  void progress(const berth::base::Progress& /*progress*/) override {}
  void warning(std::string_view /*message*/) override {}
};

double checkout(const char* repository, const char* commit, const char* directory) {
  SilentReporter reporter;
  berth::store::StoreOptions options;
  options.repository = repository;
  options.reporter = &reporter;
  auto store = berth::store::Store::open(options);
  const auto parent = berth::base::open_host_directory(directory);
  const auto began = std::chrono::steady_clock::now();
  store.checkout(commit, parent.get(), "tree");
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    fmt::print(stderr, "usage: checkout REPOSITORY COMMIT DIRECTORY\n");
    return 2;
  }
  try {
    fmt::print("{:.6f}\n", checkout(words[1], words[2], words[3]));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
