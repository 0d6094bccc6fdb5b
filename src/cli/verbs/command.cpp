// berth run and berth exec.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/verbs/command.hpp"
#include "cli/verbs/command_line.hpp"
#include "cli/verbs/plan_view.hpp"
#include "ops/containers/run.hpp"
#include "ops/runtime/exec.hpp"

namespace berth::cli {

namespace {

/// The settings of the terminal on standard input, put back at the end: the runtime makes it raw, and a killed one
/// leaves it so.
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
    throw base::Error(base::ErrorKind::usage, "--tty needs a terminal, and standard input is none",
                      "leave it out: the command then works on the pipe or file there is");
  }
  return terminal && !options.no_terminal && !options.detach;
}

int finish(const CommandLine& line, const ops::CommandOutcome& outcome) {
  if (outcome.failure) {
    line.complain(*outcome.failure);
  }
  return outcome.exit_code;
}

template <typename Request>
int run_command(const CommandLine& line, Request request, ops::CommandOutcome (*work)(ops::Context&, const Request&),
                ops::Context& context) {
  request.command = line.command.command;
  request.detach = line.command.detach;
  request.attachment.terminal = wants_terminal(line.command);
  request.attachment.running = line.forward_signals;
  if (winsize size{}; ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
    request.attachment.rows = size.ws_row;
    request.attachment.columns = size.ws_col;
  }
  const TerminalSettings settings;
  return finish(line, work(context, request));
}

void add_command_options(CLI::App& verb, CommandLine& line) {
  verb.add_option("COMMAND", line.command.command, "What to run, with its arguments");
  verb.add_flag("-t,--tty", line.command.terminal, "Insist on a terminal; the default when standard input is one");
  verb.add_flag("--no-tty", line.command.no_terminal, "No terminal for the command");
  verb.add_flag("-i,--interactive", line.command.interactive, "Accepted: standard input is always connected");
  verb.add_flag("-d,--detach", line.command.detach, "Do not wait; only in a running container");
}

ops::RunRequest run_request(const CommandLine& line, const std::string& target) {
  ops::RunRequest request;
  request.target = target;
  request.set = line.install.set;
  request.runtime = line.install.runtime;
  request.authfile = line.install.authfile;
  request.login = line.install.login;
  request.platform = line.install.platform;
  return request;
}

/// What would be run, without running it.
int display_run(const CommandLine& line, ops::Context& context) {
  auto request = run_request(line, line.names.front());
  request.command = line.command.command;
  request.attachment.terminal = wants_terminal(line.command);
  request.detach = line.command.detach;
  request.only_plan = true;
  show_plan(line.json, ops::plan_run(context, request), context.layout);
  return exit_ok;
}

}  // namespace

int run_image_once(const CommandLine& line, ops::Context& context) {
  auto request = run_request(line, line.install.image);
  request.name = line.install.name;
  return run_command(line, std::move(request), ops::run_image, context);
}

int run_in_container(const CommandLine& line, ops::Context& context, const std::string& name) {
  ops::RunRequest request;
  request.target = name;
  return run_command(line, std::move(request), ops::run, context);
}

void add_exec(CLI::App& app, CommandLine& line) {
  auto* verb =
      add_verb(app, line, "exec", "Run a command in a running container", true, [&line](ops::Context& context) {
        ops::ExecRequest request;
        request.name = line.names.front();
        return run_command(line, std::move(request), ops::exec, context);
      });
  verb->add_option("NAME", line.names, "A container that runs")->required()->expected(1)->allow_extra_args(false);
  add_command_options(*verb, line);
  verb->get_option("COMMAND")->required();
}

void add_run(CLI::App& app, CommandLine& line) {
  auto* verb = add_verb(
      app, line, "run", "Run a command once, in a container or an image", true, [&line](ops::Context& context) {
        return line.display ? display_run(line, context)
                            : run_command(line, run_request(line, line.names.front()), ops::run, context);
      });
  verb->add_option("IMAGE|NAME", line.names, "A container, or [SOURCE:]IMAGE")
      ->required()
      ->expected(1)
      ->allow_extra_args(false);
  add_command_options(*verb, line);
  add_set(*verb, line, line.install.set, "Set a template variable; may be given several times");
  verb->add_option("--runtime", line.install.runtime, "OCI runtime to use")->type_name("PATH");
  add_authfile(*verb, line.install.authfile);
  add_platform(*verb, line.install.platform);
  verb->add_flag("--display", line.display, "Show what an image would run with, and run nothing");
  verb->add_flag("--json", line.json, "With --display: print the plan as JSON");
}

}  // namespace berth::cli
