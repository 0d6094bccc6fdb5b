// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/options/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <utility>

#include "cli/terminal/exit_code.hpp"

namespace berth::cli {

namespace {

/// Omits which options an option excludes or requires: its description mentions that where it helps.
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    auto text = CLI::Formatter::make_option_opts(option);
    for (const char* label : {" Needs:", " Excludes:"}) {
      text.resize(std::min(text.find(label), text.size()));
    }
    return text;
  }
};

/// A verb whose subcommands are verbs.
struct Group {
  std::string_view name;
  int order;  ///< among the verbs
  std::string_view summary;
};

constexpr std::array<Group, 2> groups{
    {{"containers", 120, "Manage installed containers"}, {"images", 130, "Manage stored images"}}};

std::string_view first_word(const Verb& verb) {
  return verb.entry.name.substr(0, verb.entry.name.find(' '));
}

/// @return the group of "images list"; nullptr for a verb of one word
const Group* group_of(const Verb& verb) {
  const auto word = first_word(verb);
  const auto* found =
      std::find_if(groups.begin(), groups.end(), [word](const Group& each) { return each.name == word; });
  return found == groups.end() ? nullptr : found;
}

/// Position of the group in the help of berth, and of the verb in the help of its group.
std::pair<int, int> position_of(const Verb& verb) {
  const auto* group = group_of(verb);
  return group == nullptr ? std::pair(verb.entry.order, 0) : std::pair(group->order, verb.entry.order);
}

CLI::App& parent_of(CLI::App& app, const Verb& verb) {
  const auto* group = group_of(verb);
  if (group == nullptr) {
    return app;
  }
  const auto known = app.get_subcommands([group](const CLI::App* each) { return each->get_name() == group->name; });
  if (!known.empty()) {
    return *known.front();
  }
  return Subcommand(app).add_group(std::string(group->name), std::string(group->summary)).app();
}

/// Adds the subcommand; it does nothing yet.
CLI::App* add_subcommand(CLI::App& parent, const VerbEntry& entry) {
  const auto word = entry.name.substr(entry.name.rfind(' ') + 1);
  auto* verb = parent.add_subcommand(std::string(word), std::string(entry.summary));
  verb->fallthrough();
  return verb;
}

void set_action(CLI::App* verb, CommandLine& line, const VerbEntry& entry, Action action) {
  verb->callback([&line, verb, entry, action = std::move(action)] {
    line.verb = full_name(verb);
    line.needs_root = entry.needs_root;
    line.system_for_all = entry.system_for_all;
    line.action = action;
  });
}

void add_global_options(CLI::App& app, GlobalOptions& globals) {
  app.add_option("--root", globals.root, "Work on the system installed in this directory")->type_name("DIR");
  app.add_option("--config", globals.config, "Read this file instead of /etc/berth/berth.conf")->type_name("FILE");
  app.add_flag("--no-color", globals.no_color, "Never use colours");
  app.add_option("--progress", globals.progress, "How to show progress: auto, tty, plain, json or none")
      ->type_name("HOW");
  app.add_flag("-q,--quiet", globals.quiet, "Print only warnings and errors");
  auto* system = app.add_flag("--system", globals.system, "Work on system containers (the default of root)");
  app.add_flag("--user", globals.user, "Work on your own containers (the default of other users)")->excludes(system);
}

}  // namespace

std::string full_name(const CLI::App* app) {
  const auto* parent = app->get_parent();
  return parent == nullptr || parent->get_parent() == nullptr ? app->get_name()
                                                              : full_name(parent) + " " + app->get_name();
}

Subcommand add_verb(const Subcommand& parent, CommandLine& line, const VerbEntry& entry, Action action) {
  auto* verb = add_subcommand(parent.app(), entry);
  set_action(verb, line, entry, std::move(action));
  return Subcommand(*verb);
}

int for_each_name(const CommandLine& line, const std::vector<std::string>& names,
                  const std::function<void(const std::string&)>& work) {
  int worst = exit_ok;
  for (const auto& name : names) {
    try {
      work(name);
    } catch (const base::Error& error) {
      line.complain(error);
      worst = std::max(worst, exit_code(error.kind()));
    }
  }
  return worst;
}

void build(CLI::App& app, CommandLine& line, std::string_view word) {
  app.name("berth");
  app.description(
      "Install system containers: services that run from images under systemd, without a container engine.");
  app.set_version_flag("--version", "berth " BERTH_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.require_subcommand(0, 1);
  app.formatter(std::make_shared<HelpFormatter>());
  app.get_formatter()->column_width(34);
  add_global_options(app, line.globals);
  app.footer(
      "Every verb accepts these options. Manual pages: berth(8), berth-VERB(8), berth.conf(5), berth-exports(5).");
  auto verbs = verb_table();
  if (std::any_of(verbs.begin(), verbs.end(), [word](const Verb& verb) { return first_word(verb) == word; })) {
    std::erase_if(verbs, [word](const Verb& verb) { return first_word(verb) != word; });
  }
  std::sort(verbs.begin(), verbs.end(),
            [](const Verb& one, const Verb& other) { return position_of(one) < position_of(other); });
  for (const auto& verb : verbs) {
    auto* added = add_subcommand(parent_of(app, verb), verb.entry);
    if (auto action = verb.declare(Subcommand(*added), line)) {
      set_action(added, line, verb.entry, std::move(action));
    }
  }
}

std::string_view leading_verb(int argc, const char* const* argv) {
  constexpr std::array<std::string_view, 5> flags{"-q", "--quiet", "--no-color", "--user", "--system"};
  constexpr std::array<std::string_view, 3> options{"--root", "--config", "--progress"};
  const auto among = [](const auto& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (among(options, word)) {
      ++i;  // the next word is its value
    } else if (!among(flags, word)) {
      return word.starts_with('-') ? std::string_view() : word;
    }
  }
  return {};
}

}  // namespace berth::cli
