// SPDX-License-Identifier: LGPL-2.1-or-later
// The candidates of `berth __complete`, which the completion scripts of the shells call.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace berth::cli {

/// Names that complete a positional argument, called only when they are needed.
struct CompletionSources {
  std::function<std::vector<std::string>()> containers;
  std::function<std::vector<std::string>()> images;
};

/// The options of a verb and of its parents, which it accepts too.
std::vector<const CLI::Option*> options_of(const CLI::App* verb);

/// The option `--long` or `-s` of a verb or of its parents; nullptr if it does not exist.
const CLI::Option* option_named(const CLI::App* app, const std::string& name);

/// Candidates for the word at `index` of `words` (words[0] is the program) that begin with the text typed so far.
/// @return candidates, some followed by a tab and a description
std::vector<std::string> complete(const CLI::App& app, const std::vector<std::string>& words, std::size_t index,
                                  const CompletionSources& sources);

}  // namespace berth::cli
