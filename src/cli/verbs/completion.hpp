// Answers of `berth __complete`, which the shells' completion files call.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace berth::cli {

/// Names that complete a positional argument, asked only when one is wanted.
struct CompletionSources {
  std::function<std::vector<std::string>()> containers;
  std::function<std::vector<std::string>()> images;
};

/// The options of a verb and of those above it, which it accepts too.
std::vector<const CLI::Option*> options_of(const CLI::App* verb);

/// The option `--long` or `-s` of a verb or of those above it; nullptr when there is none.
const CLI::Option* option_named(const CLI::App* app, const std::string& name);

/// Candidates for the word at `index` of `words` (words[0] is the program). A candidate may be followed by a tab and a
/// description. Only those that begin with what is typed.
std::vector<std::string> complete(const CLI::App& app, const std::vector<std::string>& words, std::size_t index,
                                  const CompletionSources& sources);

}  // namespace berth::cli
