// The options of every verb, and the verbs themselves.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "ops/author/init.hpp"
#include "ops/author/lint.hpp"
#include "ops/author/render.hpp"
#include "ops/containers/adopt.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/update.hpp"
#include "ops/context.hpp"
#include "ops/images/pull.hpp"

namespace berth::cli {

/// Options that every verb accepts.
struct GlobalOptions {
  std::string root = "/";
  std::string config;
  std::string progress = "auto";
  bool quiet = false;
  bool no_color = false;
  bool system = false;  ///< --system: what root works on anyway
  bool user = false;    ///< --user: what everybody else works on anyway
};

/// Options of the listing verbs.
struct ListOptions {
  bool all = false;
  bool quiet = false;
  bool no_heading = false;
  bool no_truncation = false;
  bool json = false;
  std::vector<std::string> filters;
};

/// Options of the verbs that run a command in a container.
struct CommandOptions {
  std::vector<std::string> command;
  bool terminal = false;
  bool no_terminal = false;
  bool interactive = false;  ///< accepted for habit: standard input is always connected
  bool detach = false;
};

/// Options of logs.
struct LogOptions {
  bool follow = false;
  std::string lines;
  std::string since;
};

/// Options of `berth atomic` that none of our verbs has.
struct AtomicOptions {
  bool called = false;  ///< the older tool's verbs are used: its names, places and exit statuses count
  std::string storage;
  std::string name;
  std::string options;  ///< of mount, and the type of pull: accepted
  bool assume_yes = false;
  bool user = false;
  bool shared = false;
  bool verbose = false;
  bool accepted = false;  ///< options that change nothing
};

/// What the command line says. Verbs bind their options to it and set `action`.
struct CommandLine {
  GlobalOptions globals;
  ops::PullRequest pull;
  ops::InstallRequest install;
  ops::UpdateRequest update;
  ops::LintRequest lint;
  ops::RenderRequest render;
  ops::InitRequest init;
  ops::AdoptRequest adopt;
  AtomicOptions older;
  bool every = false;    ///< --all
  bool check = false;    ///< --check
  bool diff = false;     ///< --diff
  bool booting = false;  ///< --boot
  bool display = false;
  bool dry_run = false;
  bool undo = false;  ///< --undo
  bool json = false;
  bool force = false;  ///< --force: do not ask, or do what would be refused
  std::vector<std::string> names;
  std::vector<std::string> set_files;  ///< --set-file NAME=FILE
  std::string image;                   ///< IMAGE|NAME of verbs that take one
  std::string target;                  ///< NEW-NAME of a tag, DIR of a mount
  std::string output;                  ///< --output
  bool strict = false;
  bool preinstall = false;  ///< --preinstall
  bool no_remote = false;
  bool live = false;
  ListOptions list;
  CommandOptions command;
  LogOptions logs;
  bool needs_root = false;  ///< the verb changes the host
  std::string verb;         ///< "install", "containers list"
  std::function<int(ops::Context&)> action;
  std::function<void(const base::Error&)> complain;  ///< tells an error at once, when the verb goes on after it
  std::function<void(pid_t)> forward_signals;        ///< to a program from now on; 0: no longer
};

/// "images list" for the subcommand `list` of `images`.
std::string full_name(const CLI::App* app);

// One function a verb, each in the file of its name.
void add_pull(CLI::App& app, CommandLine& line);
void add_install(CLI::App& app, CommandLine& line);
void add_update(CLI::App& app, CommandLine& line);
void add_rollback(CLI::App& app, CommandLine& line);
void add_recover(CLI::App& app, CommandLine& line);
void add_uninstall(CLI::App& app, CommandLine& line);
void add_start(CLI::App& app, CommandLine& line);
void add_stop(CLI::App& app, CommandLine& line);
void add_restart(CLI::App& app, CommandLine& line);
void add_run(CLI::App& app, CommandLine& line);
void add_exec(CLI::App& app, CommandLine& line);
void add_logs(CLI::App& app, CommandLine& line);
void add_containers(CLI::App& app, CommandLine& line);
void add_containers_delete(CLI::App& group, CommandLine& line);
void add_images(CLI::App& app, CommandLine& line);
void add_images_list(CLI::App& group, CommandLine& line);
void add_images_info(CLI::App& group, CommandLine& line);
void add_images_history(CLI::App& group, CommandLine& line);
void add_images_version(CLI::App& group, CommandLine& line);
void add_images_verify(CLI::App& group, CommandLine& line);
void add_images_repair(CLI::App& group, CommandLine& line);
void add_df(CLI::App& app, CommandLine& line);
void add_inspect(CLI::App& app, CommandLine& line);
void add_mount(CLI::App& app, CommandLine& line);
void add_umount(CLI::App& app, CommandLine& line);
void add_lint(CLI::App& app, CommandLine& line);
void add_render(CLI::App& app, CommandLine& line);
void add_init(CLI::App& app, CommandLine& line);
void add_adopt(CLI::App& app, CommandLine& line);
void add_atomic(CLI::App& app, CommandLine& line);

/// berth update --check. @return the exit code
int print_update_checks(const CommandLine& line, ops::Context& context);

/// Adds a subcommand whose parse sets `line.verb`, `line.needs_root` and `line.action`.
CLI::App* add_verb(CLI::App& parent, CommandLine& line, const std::string& name, const std::string& description,
                   bool needs_root, std::function<int(ops::Context&)> action);

/// --set and --set-file. @param set where --set goes
void add_set(CLI::App& verb, CommandLine& line, std::vector<std::string>& set, const std::string& description);

/// Reads the files of --set-file and puts NAME=CONTENT to what --set gave, in the verb's request. One line break at the
/// end of a file is left out. @throws Error: no or a bad name, a variable with two values, a file that cannot be read
/// or has over 64 KiB
void read_set_files(CommandLine& line);

/// --authfile and --platform of the verbs that may ask a registry.
void add_authfile(CLI::App& verb, std::string& file);
void add_platform(CLI::App& verb, std::string& platform);

/// Does `work` for every name of `names`. An error is told and the other names are tried, except when it is an
/// interruption, which is thrown on.
/// @return the highest of the exit codes
int for_each_name(const CommandLine& line, const std::vector<std::string>& names,
                  const std::function<void(const std::string&)>& work);

/// Builds the whole application; or, when `verb` is one, as much of it as that verb needs: all options of all verbs
/// take a fifth of the time that a short command has.
void build(CLI::App& app, CommandLine& line, std::string_view verb = {});

/// The word of a command line that tells the verb, as far as that is sure before anything is parsed; else empty.
std::string_view leading_verb(int argc, const char* const* argv);

}  // namespace berth::cli
