// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/application.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "base/error.hpp"
#include "cli/atomic/atomic.hpp"
#include "cli/options/arguments.hpp"
#include "cli/options/command_line.hpp"
#include "cli/options/completion.hpp"
#include "cli/options/usage_error.hpp"
#include "cli/terminal/console_reporter.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/signals.hpp"
#include "cli/terminal/terminal.hpp"
#include "host/config/atomic_conf.hpp"
#include "ops/containers/list.hpp"
#include "ops/containers/private_directories.hpp"
#include "ops/images/list.hpp"

namespace berth::cli {

namespace {

using base::Error;
using base::ErrorKind;

std::string environment(const char* name, const char* fallback = "") {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? fallback : value;
}

/// Opens missing standard descriptors, so that messages are not written into files that berth opens later.
void ensure_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) {
      ::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);  // uses the lowest free number, which is fd
    }
  }
}

std::string absolute_root(const std::string& root) {
  char* resolved = ::realpath(root.c_str(), nullptr);
  if (resolved == nullptr) {
    throw Error(ErrorKind::not_found, fmt::format("--root {} does not exist", root), "create the directory first");
  }
  std::string result(resolved);
  std::free(resolved);  // NOLINT(cppcoreguidelines-no-malloc): realpath(3) allocates with malloc
  return result;
}

/// root manages system containers, other users their own; `--root` always means system containers.
/// @throws Error(usage) for --user as root, Error(not_permitted) for system containers as another user
void check_user(const CommandLine& line) {
  const bool root = ::geteuid() == 0;
  if (root && line.globals.user) {
    throw Error(ErrorKind::usage, "--user cannot be used by root, who manages system containers",
                fmt::format("omit it, or run as that user: runuser -u USER -- berth {}", line.verb));
  }
  if (!root && ((line.globals.system && !line.system_for_all) || line.booting ||
                (line.needs_root && absolute_root(line.globals.root) != "/"))) {
    throw Error(
        ErrorKind::not_permitted, fmt::format("berth {} requires root for system containers", line.verb),
        fmt::format("run: sudo berth {}; or omit --system and --root to work on your own containers", line.verb));
  }
}

std::optional<host::UserDirectories> user_of(const CommandLine& line, const std::string& root) {
  if (::geteuid() == 0 || root != "/" || line.globals.system) {
    return std::nullopt;
  }
  auto directories = host::user_directories(::geteuid(), [](const char* name) { return environment(name); });
  // The runtime keeps its state there, and must find it again in every call. Without it not even its version can be
  // queried.
  if (::access(directories.runtime.c_str(), X_OK) == 0) {
    ::setenv("XDG_RUNTIME_DIR", directories.runtime.c_str(), 1);
  }
  return directories;
}

host::Layout make_layout(const CommandLine& line, const std::string& root, const host::Config& config,
                         std::optional<host::UserDirectories> user) {
  host::LayoutSettings settings;
  settings.root = root;
  settings.user = std::move(user);
  settings.preinstalling = line.preinstall;
  if (line.preinstall && root == "/") {
    throw Error(ErrorKind::usage, "--preinstall requires --root",
                "name the directory of the system that is being built: --root DIR");
  }
  settings.deployments = environment("BERTH_DEPLOYMENTS", config.deployments.c_str());
  settings.repository = environment("BERTH_REPOSITORY", config.repository.c_str());
  return host::Layout(std::move(settings));
}

/// Applies the paths and the runtime that are configured for atomic, which override those of berth.
void apply_atomic_settings(const std::string& root, host::Config& config) {
  const auto atomic = host::read_atomic_settings(root, [](const char* name) { return environment(name); });
  if (!atomic.deployments.empty()) {
    config.deployments = atomic.deployments;
  }
  if (!atomic.repository.empty()) {
    config.repository = atomic.repository;
  }
  if (!atomic.runtime.empty()) {
    config.runtimes.insert(config.runtimes.begin(), atomic.runtime);
  }
}

std::unique_ptr<host::Systemd> make_systemd(const CommandLine& line, const host::Layout& layout,
                                            const host::Config& config, base::Reporter& reporter,
                                            const std::stop_token& stop) {
  if (layout.offline()) {
    return host::make_offline_systemd(layout, reporter);
  }
  if (line.booting) {
    return host::make_boot_systemd(reporter, stop);
  }
  host::BusOptions bus;
  bus.job_timeout = std::chrono::seconds(config.start_timeout_seconds);
  bus.user_runtime = layout.user() ? layout.user()->runtime : "";
  return host::make_bus_systemd(reporter, stop, std::move(bus));
}

/// Resolves the paths in the configuration of another root inside that root.
void resolve_in_root(const host::Layout& layout, host::Config& config) {
  if (!config.authfile.empty()) {
    config.authfile = layout.on_disk(config.authfile);
  }
  for (auto& registry : config.registries) {
    if (!registry.ca_file.empty()) {
      registry.ca_file = layout.on_disk(registry.ca_file);
    }
  }
}

/// Creates the context of a verb and calls `work` with it. @return the result of `work`
int with_context(const CommandLine& line, base::Reporter& reporter, const std::stop_token& stop,
                 const std::function<int(ops::Context&)>& work) {
  const auto root = absolute_root(line.globals.root);
  auto user = user_of(line, root);
  auto config = host::read_config(root, line.globals.config, reporter, user ? user->config + "/berth" : "");
  if (line.atomic) {
    apply_atomic_settings(root, config);
  }
  const auto layout = make_layout(line, root, config, std::move(user));
  if (line.globals.config.empty()) {
    resolve_in_root(layout, config);
  }
  const auto systemd = make_systemd(line, layout, config, reporter, stop);
  ops::Context context{layout,
                       std::move(config),
                       layout.offline() ? host::offline_facts() : host::read_facts(),
                       *systemd,
                       reporter,
                       stop,
                       "berth " + line.verb,
                       environment("BERTH_DATADIR", BERTH_DATADIR "/berth"),
                       environment("RUNC_PATH"),
                       line.atomic ? image::Naming::as_written : image::Naming::canonical,
                       line.atomic ? environment("ATOMIC_OSTREE_TEST_FORCE_IMAGE_ID") : ""};
  ops::make_directories_private(context);
  return work(context);
}

/// Prints one line and a hint instead of the whole help. @return the exit code
int print_usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const auto wrong = usage_error(app, error);
  emit_error("{}\nhint: {}\n", wrong.message, wrong.hint);
  return exit_code(ErrorKind::usage);
}

std::vector<std::string> container_names(ops::Context& context) {
  std::vector<std::string> names;
  for (const auto& row : ops::list_containers(context, {true, {}})) {
    names.push_back(row.name);
  }
  return names;
}

std::vector<std::string> image_names(ops::Context& context) {
  std::vector<std::string> names;
  for (const auto& row : ops::list_images(context, {})) {
    names.push_back(row.repository + ":" + row.tag);
  }
  return names;
}

/// `berth __complete INDEX -- WORD...` prints no errors.
int run_completion(const CLI::App& app, const CommandLine& line, int argc, char** argv) {
  std::vector<std::string> words(argv + std::min(argc, 4), argv + argc);
  const auto index = static_cast<std::size_t>(std::strtoul(argc > 2 ? argv[2] : "0", nullptr, 10));
  ConsoleReporter reporter(ProgressMode::none, true, false);
  const auto names = [&](std::vector<std::string> (*list)(ops::Context&)) {
    return [&line, &reporter, list] {
      std::vector<std::string> result;
      with_context(line, reporter, {}, [&](ops::Context& context) {
        result = list(context);
        return exit_ok;
      });
      return result;
    };
  };
  try {
    for (const auto& candidate : complete(app, words, index, {names(container_names), names(image_names)})) {
      emit("{}\n", candidate);
    }
  } catch (const std::exception&) {
    return exit_code(ErrorKind::failed);
  }
  return exit_ok;
}

/// atomic has one exit status for all errors.
int exit_code_for(const CommandLine& line, ErrorKind kind) {
  return line.atomic ? exit_code(ErrorKind::failed) : exit_code(kind);
}

/// Whether the reader of the output has closed it, as in `berth … | head`.
bool is_closed_pipe(const std::exception& error) {
  const auto* failure = dynamic_cast<const std::system_error*>(&error);
  return failure != nullptr && failure->code().value() == EPIPE;
}

/// The hint for a missing permission: system containers are root's, but a user's own containers need no root.
Error with_remedy(const CommandLine& line, const Error& error) {
  if (error.kind() != ErrorKind::not_permitted || !error.hint().empty() || ::geteuid() == 0) {
    return error;
  }
  const bool for_user = absolute_root(line.globals.root) == "/" && !line.globals.system;
  return {error.kind(), error.what(),
          for_user ? "give your user access to it, or choose another path" : "run it as root", error.details()};
}

int run_verb(CommandLine& line, ConsoleReporter& reporter) {
  SignalWatch signals([&reporter] { reporter.pause(); }, [&reporter] { reporter.resume(); });
  line.forward_signals = [&signals](pid_t pid) { signals.forward_to(pid); };
  line.complain = [&line, &reporter](const Error& error) { reporter.error(with_remedy(line, error)); };
  try {
    const int code = with_context(line, reporter, signals.token(), line.action);
    reporter.clear();
    if (std::fflush(stdout) != 0) {
      base::throw_errno("write to standard output");
    }
    return code;
  } catch (const Error& error) {
    reporter.error(with_remedy(line, error));
    return exit_code_for(line, error.kind());
  } catch (const base::Interrupted& stop) {
    reporter.interrupted(stop);
    return exit_interrupted;
  } catch (const std::exception& error) {
    reporter.clear();
    if (!is_closed_pipe(error)) {
      reporter.error(
          Error(ErrorKind::failed, fmt::format("unexpected failure: {}", error.what()), "this is a bug in berth"));
    }
    return exit_code(ErrorKind::failed);
  }
}

/// Creates the reporter according to the global options; errors before it exists are printed as plain lines.
int run_reporting(CommandLine& line) {
  const auto& globals = line.globals;
  const bool color = wants_color(STDERR_FILENO, globals.no_color);
  auto mode = ProgressMode::plain;
  try {
    mode = parse_progress_mode(globals.progress);
    check_user(line);
    line.values = read_values(line.set);  // before signals are handled: standard input may be a terminal
  } catch (const Error& error) {
    ConsoleReporter(mode, globals.quiet, color).error(with_remedy(line, error));
    return exit_code_for(line, error.kind());
  }
  ConsoleReporter reporter(mode, globals.quiet, color);
  return run_verb(line, reporter);
}

int run_words(int argc, char** argv) {
  ensure_standard_descriptors();
  ::umask(0022);
  if (::geteuid() == 0) {
    // Passwords and values must not end up in a core file. In rootless mode the runtime must be able to read files
    // below /proc/PID of berth, and a core file belongs to the same user.
    ::prctl(PR_SET_DUMPABLE, 0);
  }
  CLI::App app;
  CommandLine line;
  build(app, line, leading_verb(argc, argv));
  if (argc > 1 && std::string_view(argv[1]) == "__complete") {
    return run_completion(app, line, argc, argv);
  }
  try {
    auto words = guarded_arguments(app, argc, argv);
    hide_credentials(argc, argv);
    app.parse(std::move(words));  // empty if even argv[0] is missing
  } catch (const CLI::Success& request) {
    return app.exit(request);  // --help, --version
  } catch (const CLI::ParseError& error) {
    return print_usage_error(app, error);
  }
  if (!line.action) {
    emit_error("{}", app.help());
    return exit_code(ErrorKind::usage);
  }
  return run_reporting(line);
}

}  // namespace

int run(int argc, char** argv) {
  std::vector<char*> words(argv, argv + argc);
  std::string verb = "atomic";
  if (is_called_atomic(argc > 0 ? argv[0] : "")) {
    words.insert(words.begin() + 1, verb.data());
  }
  return run_words(static_cast<int>(words.size()), words.data());
}

}  // namespace berth::cli
