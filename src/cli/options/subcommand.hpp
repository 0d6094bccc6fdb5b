// SPDX-License-Identifier: LGPL-2.1-or-later
// A subcommand of the command line, to which a verb adds its options. Verbs do not include CLI11: its headers would
// make each of them take four times as long to compile.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace berth::cli {

/// An option or argument that was added, for further settings.
class AddedOption {
 public:
  explicit AddedOption(CLI::Option& option) : option_(&option) {}
  AddedOption& required();
  /// Name of the value in the help.
  AddedOption& type_name(const std::string& name);
  /// An option of several values takes one each time it is given.
  AddedOption& one_value();
  /// An argument of several values is given once at most.
  AddedOption& optional();
  /// The value is a number from `least` to `most`.
  AddedOption& between(double least, double most);

 private:
  CLI::Option* option_;
};

/// Refers to a subcommand of the parser, which owns it.
class Subcommand {
 public:
  explicit Subcommand(CLI::App& app) : app_(&app) {}

  /// Adds an option (`-f,--filter`) or, for a name without dashes, an argument. The parser writes `value`.
  /// @tparam Value one of those that subcommand.cpp instantiates
  template <typename Value>
  AddedOption add_option(const std::string& names, Value& value, const std::string& description) const;
  /// @param use gets the value
  AddedOption add_option_function(const std::string& names, const std::function<void(double)>& use,
                                  const std::string& description) const;
  void add_flag(const std::string& names, bool& value, const std::string& description) const;
  void add_flag_callback(const std::string& names, const std::function<void()>& use,
                         const std::string& description) const;
  /// Adds a flag that prints `text` and ends the program.
  void set_version_flag(const std::string& names, const std::string& text, const std::string& description) const;
  /// Another name of the subcommand.
  void add_alias(const std::string& name) const;
  /// Adds a subcommand whose subcommands are verbs, one of which must be given.
  [[nodiscard]] Subcommand add_group(const std::string& name, const std::string& summary) const;
  /// One of the subcommands must be given.
  void require_subcommand() const;
  /// `done` is called when the options of the subcommand are parsed.
  void when_parsed(const std::function<void()>& done) const;

  [[nodiscard]] CLI::App& app() const { return *app_; }

 private:
  CLI::App* app_;
};

}  // namespace berth::cli
