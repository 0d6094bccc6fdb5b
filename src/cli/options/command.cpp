// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/options/command.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.hpp"

namespace berth::cli {

namespace {

/// Restores the settings of the terminal on standard input: the runtime switches it to raw mode, and leaves it so when
/// it is killed.
class TerminalSettings {
 public:
  TerminalSettings() : known_(::tcgetattr(STDIN_FILENO, &settings_) == 0) {}
  TerminalSettings(const TerminalSettings&) = delete;
  TerminalSettings& operator=(const TerminalSettings&) = delete;
  ~TerminalSettings() {
    if (known_ && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp()) {
      ::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings_);
    }
  }

 private:
  termios settings_{};
  bool known_;
};

bool wants_terminal(const CommandOptions& options) {
  const bool terminal = ::isatty(STDIN_FILENO) != 0;
  if (options.terminal && (options.no_terminal || options.detach)) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("--tty and {} cannot be given together", options.detach ? "--detach" : "--no-tty"));
  }
  if (options.terminal && !terminal) {
    throw base::Error(base::ErrorKind::usage, "--tty requires a terminal, but standard input is not a terminal",
                      "omit it: the command then reads the pipe or file on standard input");
  }
  return terminal && !options.no_terminal && !options.detach;
}

}  // namespace

AddedOption add_command_options(const Subcommand& verb, CommandOptions& options) {
  auto command = verb.add_option("COMMAND", options.command, "What to run, with its arguments");
  verb.add_flag("-t,--tty", options.terminal, "Require a terminal; the default when standard input is one");
  verb.add_flag("--no-tty", options.no_terminal, "No terminal for the command");
  verb.add_flag("-i,--interactive", options.interactive, "Accepted: standard input is always connected");
  verb.add_flag("-d,--detach", options.detach, "Do not wait; only in a running container");
  return command;
}

ops::Attachment attachment_of(const CommandOptions& options, const CommandLine& line) {
  ops::Attachment attachment;
  attachment.terminal = wants_terminal(options);
  attachment.running = line.forward_signals;
  if (winsize size{}; ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
    attachment.rows = size.ws_row;
    attachment.columns = size.ws_col;
  }
  return attachment;
}

ops::RunRequest run_request(const ImageOptions& image, const std::string& name, const std::vector<std::string>& set,
                            const CommandOptions& command, const CommandLine& line) {
  ops::RunRequest request;
  request.target = image.image;
  request.command = command.command;
  request.set = set;
  request.runtime = image.runtime;
  request.authfile = image.authfile;
  request.login = image.login;
  request.platform = image.platform;
  request.name = name;
  request.detach = command.detach;
  request.only_plan = command.display;
  request.attachment = attachment_of(command, line);
  return request;
}

int run_attached(const CommandLine& line, const std::function<ops::CommandOutcome()>& work) {
  const TerminalSettings settings;
  const auto outcome = work();
  if (outcome.failure) {
    line.complain(*outcome.failure);
  }
  return outcome.exit_code;
}

}  // namespace berth::cli
