// SPDX-License-Identifier: LGPL-2.1-or-later
// Stands in for libFuzzer: runs a harness once on each file named on the command line, and on each file in the
// directories named there.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "harness.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> inputs(const fs::path& named) {
  if (!fs::is_directory(named)) {
    return {named};
  }
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(named)) {
    if (entry.is_regular_file()) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool replay(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    return false;
  }
  std::fprintf(stderr, "%s\n", path.c_str());
  // Exactly as large as the input, so that reads beyond its end are detected.
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  bool good = true;
  for (const std::string_view word : std::span(argv, static_cast<std::size_t>(argc)).subspan(1)) {
    if (word.starts_with('-')) {  // an option of libFuzzer
      continue;
    }
    for (const auto& path : inputs(word)) {
      good = replay(path) && good;
      ++count;
    }
  }
  std::fprintf(stderr, "%zu inputs\n", count);
  return good && count > 0 ? 0 : 1;
}
