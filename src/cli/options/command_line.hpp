// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line: what all verbs share, and how a verb registers itself.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cli/options/subcommand.hpp"
#include "ops/context.hpp"

namespace berth::cli {

/// Options that every verb accepts.
struct GlobalOptions {
  std::string root = "/";
  std::string config;
  std::string progress = "auto";
  bool quiet = false;
  bool no_color = false;
  bool system = false;  ///< --system: the default of root
  bool user = false;    ///< --user: the default of other users
};

/// Values of --set and --set-file as they were given.
struct SetOptions {
  std::vector<std::string> assignments;  ///< NAME=VALUE
  std::vector<std::string> files;        ///< NAME=FILE
};

/// Runs a verb. @return the exit code
using Action = std::function<int(ops::Context&)>;

/// What the application and the verbs know of each other. The parser writes the first part; the application reads it,
/// and writes the second part before it calls `action`. All other options of a verb are its own.
struct CommandLine {
  GlobalOptions globals;
  SetOptions set;
  bool booting = false;     ///< --boot
  bool preinstall = false;  ///< --preinstall
  bool atomic = false;      ///< a verb of `berth atomic`: the names, paths and exit statuses of atomic apply
  std::string verb;         ///< "install", "containers list"
  bool needs_root = false;  ///< as VerbEntry::needs_root
  bool system_for_all = false;
  Action action;

  std::vector<std::string> values;                   ///< NAME=VALUE, of --set and then of --set-file
  std::function<void(const base::Error&)> complain;  ///< prints an error of a verb that continues after it
  std::function<void(pid_t)> forward_signals;        ///< forwards signals to this process; 0: to berth again
};

/// What the help and the application know of a verb.
struct VerbEntry {
  std::string_view name;        ///< "df"; "images list" is the verb `list` of the group `images`
  int order;                    ///< position in the help of its group, ascending
  std::string_view summary;     ///< its line in that help
  bool needs_root = false;      ///< it changes the host, so --root requires root
  bool system_for_all = false;  ///< it does not require root for --system
};

/// A verb. `declare` adds its options to the subcommand, and returns what runs it once they are parsed. The action is
/// empty for a verb that only has subcommands of its own.
struct Verb {
  VerbEntry entry;
  std::function<Action(const Subcommand& verb, CommandLine& line)> declare;
};

/// Makes a verb that owns its options.
/// @tparam Options default-constructible; has the values of the options, and does not change after the parse
/// @param declare adds the options, with references to members of `options`, or of `line` for those that the
///   application needs
/// @param run builds the request from the options, calls the use case in ops and prints the result; returns the exit
///   code. `line` is as the application completed it.
template <typename Options>
Verb make_verb(const VerbEntry& entry, void (*declare)(const Subcommand& verb, Options& options, CommandLine& line),
               int (*run)(const Options& options, const CommandLine& line, ops::Context& context)) {
  return {entry, [declare, run](const Subcommand& verb, CommandLine& line) -> Action {
            const auto options = std::make_shared<Options>();
            declare(verb, *options, line);
            return [options, run, &line](ops::Context& context) { return run(*options, line, context); };
          }};
}

/// All verbs, in the order of the list in src/meson.build, from which this function is generated.
std::vector<Verb> verb_table();

/// "images list" for the subcommand `list` of `images`.
std::string full_name(const CLI::App* app);

/// Adds a subcommand whose parse sets `line.verb`, `line.needs_root` and `line.action`.
Subcommand add_verb(const Subcommand& parent, CommandLine& line, const VerbEntry& entry, Action action);

/// Reads the files of --set-file. One line break at the end of a file is left out. To be called before signals are
/// handled: standard input may be a terminal, and reading it must be interruptible.
/// @return NAME=VALUE of --set, followed by those of --set-file
/// @throws Error: an invalid name or one that berth sets itself, a variable with two values, a file that cannot be read
///   or has more than 64 KiB
std::vector<std::string> read_values(const SetOptions& set);

/// Calls `work` for each of `names`. An Error is printed, and the next name is tried.
/// @return the highest of the exit codes
int for_each_name(const CommandLine& line, const std::vector<std::string>& names,
                  const std::function<void(const std::string&)>& work);

/// Adds the global options and all verbs to `app`.
/// @param word when it is the first word of a verb, only the verbs that begin with it are added: declaring the options
///   of all verbs takes a fifth of the time of a short command
void build(CLI::App& app, CommandLine& line, std::string_view word = {});

/// @return the first word of the verb, when it can be known without parsing the options; else empty
std::string_view leading_verb(int argc, const char* const* argv);

}  // namespace berth::cli
