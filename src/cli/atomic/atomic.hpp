// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line of `atomic`, translated into requests of berth. Options, names of images, paths, messages and exit
// statuses are those of its last release, 1.22; berth-atomic(8) lists the differences.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options/command.hpp"
#include "cli/options/command_line.hpp"
#include "cli/options/shared_options.hpp"

namespace berth::cli {

inline constexpr int exit_declined = 2;  ///< of a verb that was not confirmed
inline constexpr const char* credentials_option = "--src-creds";

/// Values of the options of all verbs of atomic, which have most of them in common.
struct AtomicOptions {
  std::string target;              ///< the first argument of verbs that take one image or container
  std::vector<std::string> names;  ///< arguments of the other verbs
  std::string destination;         ///< NEW-NAME of a tag, DIR of a mount
  std::string storage;
  std::string name;
  std::string rootfs;
  std::string runtime;
  std::string login;  ///< USER[:PASSWORD] for the registry
  std::string system_package = "auto";
  std::string rebase;
  CommandOptions command;
  ListOptions list;
  bool all = false;
  bool assume_yes = false;
  bool display = false;
  bool force = false;
  bool live = false;
  bool remote = false;
  bool user = false;
  bool verbose = false;
  bool ignored = false;       ///< flags without effect
  std::string ignored_value;  ///< of options without effect
};

/// What the verbs of atomic are declared with.
struct AtomicParser {
  CommandLine& line;
  std::shared_ptr<AtomicOptions> options;
};

/// Runs a verb of atomic. @return the exit code
using AtomicAction = int (*)(const AtomicOptions& options, const CommandLine& line, ops::Context& context);

/// Whether the program was started through a link named `atomic`. @param program argv[0]
bool is_called_atomic(std::string_view program);

/// Overwrites the value of --src-creds in the arguments of this process, which are world-readable (proc(5)). To be
/// called after they were copied.
void hide_credentials(int argc, char** argv);

/// The reference of berth for an image as atomic writes it: `oci:IMAGE` is in a registry, `docker:IMAGE:TAG` in a
/// Docker daemon.
std::string berth_reference(const std::string& text);

/// The name of a stored image: `text` without the prefix for its source.
std::string without_source(std::string text);

/// Adds a verb of atomic. Variables without a value are reported as atomic reports them.
Subcommand add_atomic_verb(const Subcommand& group, const AtomicParser& parser, const VerbEntry& entry,
                           AtomicAction action);

/// --storage
void add_storage(const Subcommand& verb, AtomicOptions& options);

/// @throws Error for another --storage than `ostree`
void check_storage(const AtomicOptions& options);

/// Asks for a confirmation on standard output, unless --assumeyes was given.
/// @return false, after a message, unless the answer is yes
bool confirmed(const AtomicOptions& options, const std::string& what);

// The verbs of the other files.
void add_atomic_containers(const Subcommand& atomic, const AtomicParser& parser);
void add_atomic_changes(const Subcommand& containers, const AtomicParser& parser);
void add_atomic_lists(const Subcommand& atomic, const Subcommand& containers, const Subcommand& images,
                      const AtomicParser& parser);
void add_atomic_images(const Subcommand& atomic, const Subcommand& images, const AtomicParser& parser);

}  // namespace berth::cli
