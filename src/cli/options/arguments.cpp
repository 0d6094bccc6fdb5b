// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/options/arguments.hpp"

#include <algorithm>

#include "cli/options/completion.hpp"

namespace berth::cli {

namespace {

bool wants_value(const CLI::App* verb, const std::string& name) {
  const auto* option = option_named(verb, name);
  return option != nullptr && option->get_items_expected_max() > 0;
}

/// Whether the next word is the value of an option; false for `--name=value` and `-nvalue`.
bool takes_next_word(const CLI::App* verb, const std::string& word) {
  if (word.starts_with("--")) {
    return wants_value(verb, word);
  }
  for (std::size_t at = 1; at < word.size(); ++at) {
    if (wants_value(verb, std::string("-") + word[at])) {
      return at + 1 == word.size();
    }
  }
  return false;
}

bool takes_command(const CLI::App* verb) {
  return verb->get_option_no_throw("COMMAND") != nullptr;
}

const CLI::App* verb_below(const CLI::App* verb, const std::string& name) {
  const auto below = verb->get_subcommands([&name](const CLI::App* one) { return one->get_name() == name; });
  return below.empty() ? verb : below.front();
}

/// Inserts `--` before the words of a command.
void guard(const CLI::App* verb, std::vector<std::string>& words) {
  for (std::size_t at = 0; at < words.size() && words[at] != "--"; ++at) {
    if (words[at].starts_with("-") && words[at].size() > 1) {
      at += takes_next_word(verb, words[at]) ? 1 : 0;
    } else if (!takes_command(verb)) {
      verb = verb_below(verb, words[at]);
    } else {
      if (at + 1 < words.size() && words[at + 1] != "--") {
        words.insert(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, "--");
      }
      return;
    }
  }
}

}  // namespace

std::vector<std::string> guarded_arguments(const CLI::App& app, int argc, const char* const* argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  guard(&app, words);
  std::reverse(words.begin(), words.end());
  return words;
}

}  // namespace berth::cli
