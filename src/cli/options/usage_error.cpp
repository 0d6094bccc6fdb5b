// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/options/usage_error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "cli/options/command_line.hpp"
#include "cli/options/completion.hpp"

namespace berth::cli {

namespace {

/// Number of letters to insert, delete, replace or swap (optimal string alignment distance).
std::size_t distance(const std::string& from, const std::string& to) {
  std::vector<std::size_t> before;
  std::vector<std::size_t> last(to.size() + 1);
  std::iota(last.begin(), last.end(), 0U);
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::vector<std::size_t> row(to.size() + 1, i);
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t change = from[i - 1] == to[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before = std::move(last);
    last = std::move(row);
  }
  return last.back();
}

/// The subcommand that was parsed.
const CLI::App* reached(const CLI::App& app) {
  const auto* verb = &app;
  while (!verb->get_subcommands().empty()) {
    verb = verb->get_subcommands().front();
  }
  return verb;
}

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* verb : app.get_subcommands([](const CLI::App* /*each*/) { return true; })) {
    names.push_back(verb->get_name());
  }
  return names;
}

std::vector<std::string> long_names(const std::vector<const CLI::Option*>& options) {
  std::vector<std::string> names;
  for (const auto* option : options) {
    for (const auto& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  constexpr std::size_t longest = 64;  // the comparison takes quadratic time
  if (word.size() > longest) {
    return {};
  }
  std::string best;
  std::size_t least = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const auto& candidate : candidates) {
    if (const auto here = distance(word, candidate); here < least) {
      least = here;
      best = candidate;
    }
  }
  return best;
}

UsageError usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const auto* verb = reached(app);
  const auto name = verb == &app ? "berth" : "berth " + full_name(verb);
  UsageError plain{fmt::format("berth: {}", error.what()), fmt::format("see {} --help", name)};
  const auto verbs = verbs_of(*verb);
  const auto left = app.remaining(true);
  const auto unknown = [&](const char* what, const std::string& word, const std::vector<std::string>& known) {
    const auto meant = nearest(word, known);
    return UsageError{fmt::format("{} has no {} {}{}", name, what, word,
                                  meant.empty() ? "" : fmt::format("; did you mean {}?", meant)),
                      plain.hint};
  };
  if (!verbs.empty() && !left.empty() && !left.front().starts_with('-')) {
    return unknown("verb", left.front(), verbs);
  }
  if (!verbs.empty() && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    return {fmt::format("{} needs a verb: {}", name, fmt::join(verbs, ", ")), plain.hint};
  }
  if (left.empty() || dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) {
    return plain;
  }
  const auto option = std::find_if(left.begin(), left.end(), [](const auto& word) { return word.starts_with('-'); });
  if (option != left.end()) {
    return unknown("option", option->substr(0, option->find('=')), long_names(options_of(verb)));
  }
  return {fmt::format("{} takes no further argument: {}", name, left.front()), plain.hint};
}

}  // namespace berth::cli
