// SPDX-License-Identifier: LGPL-2.1-or-later
// Comparison of JSON with a golden file.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace berth::test {

/// Compares a document with the file `name`.json in tests/golden/json; with BERTH_ACCEPT=1, writes that file instead.
/// @param name that of a schema, or `SCHEMA-CASE`: tests/lint/schemas.py checks the file against this schema
inline void expect_golden(const std::string& name, const base::Json& document) {
  const auto path = std::filesystem::path(BERTH_GOLDEN_DIR) / "../json" / (name + ".json");
  const auto text = document.dump(2, ' ', true, base::Json::error_handler_t::replace) + "\n";
  const char* accept = std::getenv("BERTH_ACCEPT");
  if (accept != nullptr && std::string_view(accept) == "1") {
    std::ofstream file(path);
    file << text << std::flush;
    EXPECT_TRUE(file.good()) << "cannot write " << path;
    return;
  }
  std::ifstream file(path);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, golden) << path << "\nIf the new text is right, run once with BERTH_ACCEPT=1.";
}

}  // namespace berth::test
