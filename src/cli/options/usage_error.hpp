// SPDX-License-Identifier: LGPL-2.1-or-later
// Error messages for invalid command lines.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace berth::cli {

/// The one of `candidates` that `word` is most likely a misspelling of; empty if none is similar.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

/// Message and hint for an invalid command line.
struct UsageError {
  std::string message;
  std::string hint;
};
/// @param app after the parse that threw `error`
UsageError usage_error(const CLI::App& app, const CLI::ParseError& error);

}  // namespace berth::cli
