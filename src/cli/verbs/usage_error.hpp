// What was wrong with a command line, for those who typed it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace berth::cli {

/// The one of `candidates` that `word` is most likely meant to be; empty when none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

/// The message of a command line that was not understood, and the hint.
struct UsageError {
  std::string message;
  std::string hint;
};
/// @param app after the parse that threw `error`
UsageError usage_error(const CLI::App& app, const CLI::ParseError& error);

}  // namespace berth::cli
