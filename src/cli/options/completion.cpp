// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/options/completion.hpp"

#include <algorithm>

namespace berth::cli {

namespace {

/// The subcommand selected by the words before `index`.
const CLI::App* verb_at(const CLI::App& app, const std::vector<std::string>& words, std::size_t index) {
  const auto* current = &app;
  for (std::size_t position = 1; position < index && position < words.size(); ++position) {
    for (const auto* candidate : current->get_subcommands([](const CLI::App*) { return true; })) {
      if (candidate->get_name() == words[position]) {
        current = candidate;
        break;
      }
    }
  }
  return current;
}

void add_options(const CLI::App* app, std::vector<std::string>& candidates) {
  for (const auto* option : options_of(app)) {
    for (const auto& name : option->get_lnames()) {
      candidates.push_back("--" + name + "\t" + option->get_description());
    }
  }
}

void add_positionals(const CLI::App& verb, const CompletionSources& sources, std::vector<std::string>& candidates) {
  const auto append = [&candidates](const std::vector<std::string>& names) {
    candidates.insert(candidates.end(), names.begin(), names.end());
  };
  for (const auto* option : verb.get_options([](const CLI::Option* one) { return one->get_positional(); })) {
    const auto name = option->get_name(true);
    if (name == "NAME" || name == "IMAGE|NAME") {
      append(sources.containers());
    }
    if (name == "IMAGE" || name == "IMAGE|NAME" || name == "DIR|IMAGE") {
      append(sources.images());
    }
  }
}

}  // namespace

std::vector<const CLI::Option*> options_of(const CLI::App* verb) {
  std::vector<const CLI::Option*> options;
  for (; verb != nullptr; verb = verb->get_parent()) {
    const auto own = verb->get_options();
    options.insert(options.end(), own.begin(), own.end());
  }
  return options;
}

const CLI::Option* option_named(const CLI::App* app, const std::string& name) {
  const auto options = options_of(app);
  const auto found =
      std::find_if(options.begin(), options.end(), [&](const CLI::Option* one) { return one->check_name(name); });
  return found == options.end() ? nullptr : *found;
}

std::vector<std::string> complete(const CLI::App& app, const std::vector<std::string>& words, std::size_t index,
                                  const CompletionSources& sources) {
  const std::string typed = index < words.size() ? words[index] : "";
  const auto* verb = verb_at(app, words, index);
  if (index > 1 && words[index - 1].starts_with("-")) {
    const auto* option = option_named(verb, words[index - 1]);
    if (option != nullptr && option->get_items_expected_max() > 0) {
      return {};  // the shell completes file names
    }
  }
  std::vector<std::string> candidates;
  if (typed.starts_with("-")) {
    add_options(verb, candidates);
  } else {
    for (const auto* child : verb->get_subcommands([](const CLI::App*) { return true; })) {
      candidates.push_back(child->get_name() + "\t" + child->get_description());
    }
    add_positionals(*verb, sources, candidates);
  }
  std::erase_if(candidates, [&typed](const std::string& candidate) { return !candidate.starts_with(typed); });
  return candidates;
}

}  // namespace berth::cli
