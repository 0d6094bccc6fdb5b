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
#include "cli/terminal/console_reporter.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/signals.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verbs/arguments.hpp"
#include "cli/verbs/command_line.hpp"
#include "cli/verbs/completion.hpp"
#include "cli/verbs/usage_error.hpp"
#include "host/config/atomic_conf.hpp"
#include "ops/containers/private_directories.hpp"
#include "ops/containers/query.hpp"

namespace berth::cli {

namespace {

using base::Error;
using base::ErrorKind;

std::string environment(const char* name, const char* fallback = "") {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? fallback : value;
}

/// A program that was started without standard descriptors must not write messages into the files it opens.
void ensure_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) {
      ::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);  // takes the lowest free number, which is fd
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

/// Root works for the system, everybody else for himself; another root directory is a system.
void check_user(const CommandLine& line) {
  const bool root = ::geteuid() == 0;
  if (root && line.globals.user) {
    throw Error(ErrorKind::usage, "--user is not for root, whose containers are the system's",
                fmt::format("leave it out, or run it as the user, e.g. runuser -u USER -- berth {}", line.verb));
  }
  const bool for_all = line.verb == "logs";  // the journal knows who may read it
  if (!root && ((line.globals.system && !for_all) || line.booting ||
                (line.needs_root && absolute_root(line.globals.root) != "/"))) {
    throw Error(
        ErrorKind::not_permitted, fmt::format("berth {} needs root here", line.verb),
        fmt::format("run: sudo berth {}; without --system and --root you have containers of your own", line.verb));
  }
}

std::optional<host::UserDirectories> user_of(const CommandLine& line, const std::string& root) {
  if (::geteuid() == 0 || root != "/" || line.globals.system) {
    return std::nullopt;
  }
  auto directories = host::user_directories(::geteuid(), [](const char* name) { return environment(name); });
  // The runtime keeps its state there, and must find it whoever calls it. Without it, it could not even say its
  // version.
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
    throw Error(ErrorKind::usage, "--preinstall is for a system that is being built",
                "name its directory with --root DIR");
  }
  settings.deployments = environment("BERTH_DEPLOYMENTS", config.deployments.c_str());
  settings.repository = environment("BERTH_REPOSITORY", config.repository.c_str());
  return host::Layout(std::move(settings));
}

/// What the older tool was told about places and the runtime, over what we were told.
void apply_atomic_settings(const std::string& root, host::Config& config) {
  const auto older = host::read_atomic_settings(root, environment("ATOMIC_CONF"));
  const auto choose = [](const char* name, const std::string& configured, const std::string& ours) {
    return environment(name, configured.empty() ? ours.c_str() : configured.c_str());
  };
  config.deployments = choose("ATOMIC_OSTREE_CHECKOUT_PATH", older.deployments, config.deployments);
  config.repository = choose("ATOMIC_OSTREE_REPO", older.repository, config.repository);
  if (!older.runtime.empty()) {
    config.runtimes.insert(config.runtimes.begin(), older.runtime);
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

/// What the configuration of another root names is in that root.
void keep_inside(const host::Layout& layout, host::Config& config) {
  if (!config.authfile.empty()) {
    config.authfile = layout.on_disk(config.authfile);
  }
  for (auto& registry : config.registries) {
    if (!registry.ca_file.empty()) {
      registry.ca_file = layout.on_disk(registry.ca_file);
    }
  }
}

/// Sets up everything a verb works with and runs `work` with it.
int with_context(const CommandLine& line, base::Reporter& reporter, const std::stop_token& stop,
                 const std::function<int(ops::Context&)>& work) {
  const auto root = absolute_root(line.globals.root);
  auto user = user_of(line, root);
  auto config = host::read_config(root, line.globals.config, reporter, user ? user->config + "/berth" : "");
  if (line.older.called) {
    apply_atomic_settings(root, config);
  }
  const auto layout = make_layout(line, root, config, std::move(user));
  if (line.globals.config.empty()) {
    keep_inside(layout, config);
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
                       line.older.called ? image::Naming::as_written : image::Naming::canonical,
                       line.older.called ? environment("ATOMIC_OSTREE_TEST_FORCE_IMAGE_ID") : ""};
  ops::close_places(context);
  return work(context);
}

/// One clear line instead of the whole help.
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

/// berth __complete INDEX -- WORD...; a completion never complains.
int run_completion(const CLI::App& app, const CommandLine& line, int argc, char** argv) {
  std::vector<std::string> words(argv + std::min(argc, 4), argv + argc);
  const auto index = static_cast<std::size_t>(std::strtoul(argc > 2 ? argv[2] : "0", nullptr, 10));
  ConsoleReporter reporter(ProgressMode::none, true, false);
  const auto names = [&](std::vector<std::string> (*ask)(ops::Context&)) {
    return [&line, &reporter, ask] {
      std::vector<std::string> result;
      with_context(line, reporter, {}, [&](ops::Context& context) {
        result = ask(context);
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

/// The older tool knows one status for all that does not work.
int exit_code_for(const CommandLine& line, ErrorKind kind) {
  return line.older.called && kind != ErrorKind::interrupted ? exit_code(ErrorKind::failed) : exit_code(kind);
}

/// Whoever read our output has seen enough, as in `berth … | head`.
bool is_closed_pipe(const std::exception& error) {
  const auto* failure = dynamic_cast<const std::system_error*>(&error);
  return failure != nullptr && failure->code().value() == EPIPE;
}

int run_verb(CommandLine& line, ConsoleReporter& reporter) {
  SignalWatch signals([&reporter] { reporter.pause(); }, [&reporter] { reporter.resume(); });
  line.forward_signals = [&signals](pid_t pid) { signals.forward_to(pid); };
  line.complain = [&reporter](const Error& error) { reporter.error(error); };
  try {
    const int code = with_context(line, reporter, signals.token(), line.action);
    reporter.clear();
    if (std::fflush(stdout) != 0) {
      base::throw_errno("write to standard output");
    }
    return code;
  } catch (const Error& error) {
    reporter.error(error);
    return exit_code_for(line, error.kind());
  } catch (const std::exception& error) {
    reporter.clear();
    if (!is_closed_pipe(error)) {
      reporter.error(
          Error(ErrorKind::failed, fmt::format("unexpected failure: {}", error.what()), "this is a bug in berth"));
    }
    return exit_code(ErrorKind::failed);
  }
}

/// The reporter as the global options want it; what is wrong before there is one is reported plainly.
int run_reporting(CommandLine& line) {
  const auto& globals = line.globals;
  const bool color = wants_color(STDERR_FILENO, globals.no_color);
  auto mode = ProgressMode::plain;
  try {
    mode = parse_progress_mode(globals.progress);
    check_user(line);
    read_set_files(line);  // while signals still end us: standard input may be a terminal
  } catch (const Error& error) {
    ConsoleReporter(mode, globals.quiet, color).error(error);
    return exit_code_for(line, error.kind());
  }
  ConsoleReporter reporter(mode, globals.quiet, color);
  return run_verb(line, reporter);
}

int run_words(int argc, char** argv) {
  ensure_standard_descriptors();
  ::umask(0022);
  if (::geteuid() == 0) {
    // Passwords and values must not end up in a core file. A user's runtime could then not read what we hand to it by
    // /proc, and what a core file of his would show is his.
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
    app.parse(std::move(words));  // none of them is there when even the name is missing
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
