// SPDX-License-Identifier: LGPL-2.1-or-later
// Running a command: what berth run, exec, install and atomic share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/options/command_line.hpp"
#include "ops/containers/run.hpp"
#include "ops/runtime/runtime_command.hpp"

namespace berth::cli {

/// A command to run in a container.
struct CommandOptions {
  std::vector<std::string> command;
  bool terminal = false;
  bool no_terminal = false;
  bool interactive = false;  ///< accepted for compatibility: standard input is always connected
  bool detach = false;
  bool display = false;  ///< only plan
};

/// COMMAND, and the options that say how it is connected. COMMAND must be the last positional argument. @return COMMAND
AddedOption add_command_options(const Subcommand& verb, CommandOptions& options);

/// An image from which a container is made, and how.
struct ImageOptions {
  std::string image;  ///< [SOURCE:]IMAGE
  std::string runtime;
  std::string authfile;
  std::string login;  ///< USER[:PASSWORD] for the registry
  std::string platform;
};

/// How a command is connected: to the input and output of berth, and to its terminal unless `options` prevent that.
/// @throws Error(usage) for --tty without a terminal, or together with --no-tty or --detach
ops::Attachment attachment_of(const CommandOptions& options, const CommandLine& line);

/// A request to run a command in `image`.
/// @param name the container's name in templates; empty: as ops::RunRequest::name
/// @param set NAME=VALUE
/// @throws Error(usage) as attachment_of
ops::RunRequest run_request(const ImageOptions& image, const std::string& name, const std::vector<std::string>& set,
                            const CommandOptions& command, const CommandLine& line);

/// Calls `work`, which runs a command on the terminal, and restores the terminal's settings afterwards.
/// @return the exit code of the command
int run_attached(const CommandLine& line, const std::function<ops::CommandOutcome()>& work);

}  // namespace berth::cli
