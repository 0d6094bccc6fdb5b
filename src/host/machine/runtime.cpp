// SPDX-License-Identifier: LGPL-2.1-or-later
// The functions of facts.hpp that find and query the OCI runtime.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "host/machine/facts.hpp"
#include "host/machine/runtime_version.hpp"

namespace berth::host {

namespace {

constexpr std::array search_directories = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                           "/usr/bin",        "/sbin",          "/bin"};
constexpr std::chrono::seconds answer_timeout{10};

struct Program {
  std::string path;
  bool executable;
};

/// @return nullopt when the path does not exist below the root
std::optional<Program> program_at(int root, const std::string& path) {
  const auto file = base::find_in_root(root, path, O_PATH);
  if (!file) {
    return std::nullopt;
  }
  struct stat status {};
  base::check_errno(::fstat(file->get(), &status), "examine " + path);
  return Program{path, S_ISREG(status.st_mode) && (status.st_mode & 0111U) != 0};
}

/// The first executable file of that name, else the first file of it.
std::optional<Program> find_program(int root, const std::string& wanted) {
  if (wanted.find('/') != std::string::npos) {
    return program_at(root, wanted);
  }
  std::optional<Program> first;
  for (const std::string_view directory : search_directories) {
    auto program = program_at(root, fmt::format("{}/{}", directory, wanted));
    if (program && program->executable) {
      return program;
    }
    if (!first) {
      first = std::move(program);
    }
  }
  return first;
}

Program choose(int root, const std::vector<std::string>& names) {
  std::optional<Program> unusable;
  for (const std::string& name : names) {
    auto program = find_program(root, name);
    if (program && program->executable) {
      return *program;
    }
    if (!unusable) {
      unusable = std::move(program);
    }
  }
  if (unusable) {
    throw base::Error(base::ErrorKind::not_permitted,
                      fmt::format("The runtime {} is not an executable file", unusable->path),
                      "choose another one with --runtime, or make it executable");
  }
  throw base::Error(base::ErrorKind::not_found,
                    fmt::format("The runtime {} is not installed", fmt::join(names, " or ")),
                    "install runc or crun, or name another runtime with --runtime");
}

/// "runc version 1.1.5+ds1\n…" → "runc 1.1.5+ds1"
std::string short_version(const std::string& output) {
  constexpr std::string_view word = " version ";
  const std::string line = output.substr(0, output.find('\n'));
  const std::size_t place = line.find(word);
  return place == std::string::npos ? line
                                    : fmt::format("{} {}", line.substr(0, place), line.substr(place + word.size()));
}

void ask(Runtime& runtime) {
  base::ProcessOptions options;
  options.timeout = answer_timeout;
  const auto version = base::run_process({runtime.path, "--version"}, options);
  runtime.version = version.exit_code == 0 ? short_version(version.output) : "";
  const auto help = base::run_process({runtime.path, "run", "--help"}, options);
  runtime.has_pid_file = (help.output + help.error_output).find("--pid-file") != std::string::npos;
}

/// The namespaces that `RUNTIME features` lists (runtime-spec 1.1, features.md); nullopt when the output has no list.
std::optional<std::vector<std::string>> known_namespaces(const Runtime& runtime) {
  base::ProcessOptions options;
  options.timeout = answer_timeout;
  const auto features = base::run_process({runtime.path, "features"}, options);
  if (features.exit_code != 0) {
    return std::nullopt;  // older runtimes do not have this command
  }
  try {
    const auto json = base::parse_json(features.output, "features");
    const auto linux_part = base::JsonView(json, "features").find("linux");
    const auto namespaces = linux_part ? linux_part->find("namespaces") : std::nullopt;
    return namespaces ? std::optional(namespaces->as_strings()) : std::nullopt;
  } catch (const base::Error&) {
    return std::nullopt;  // its command `features` is a different one
  }
}

/// Rootless containers need a user namespace.
void refuse_rootful_only(const Runtime& runtime) {
  const auto namespaces = known_namespaces(runtime);
  if (namespaces && std::find(namespaces->begin(), namespaces->end(), "user") == namespaces->end()) {
    throw base::Error(
        base::ErrorKind::failed,
        fmt::format("The runtime {} cannot run rootless containers: it does not support user namespaces", runtime.path),
        "choose another one with --runtime, e.g. runc or crun");
  }
}

void refuse_too_old(const Runtime& runtime) {
  if (const auto least = newer_runtime_needed(runtime.version); !least.empty()) {
    throw base::Error(base::ErrorKind::failed,
                      fmt::format("The runtime {} is too old: it is {}, and berth needs {} or newer", runtime.path,
                                  base::printable(runtime.version), least),
                      "install a newer one, or name another runtime with --runtime");
  }
}

}  // namespace

Runtime find_runtime(const Layout& layout, const std::string& wanted, const std::vector<std::string>& candidates) {
  if (wanted.find('/') != std::string::npos && !wanted.starts_with('/')) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("the runtime '{}' is neither a name nor an absolute path", wanted),
                      "give a name such as runc, or a path that begins with '/'");
  }
  const base::Fd root = base::open_host_directory(layout.root());
  Runtime runtime;
  runtime.path = choose(root.get(), wanted.empty() ? candidates : std::vector<std::string>{wanted}).path;
  if (layout.root() == "/") {  // programs of another root are not run
    base::in_context([&] { return fmt::format("querying the version of the runtime {}", runtime.path); },
                     [&] { ask(runtime); });
    refuse_too_old(runtime);
    if (layout.user()) {
      refuse_rootful_only(runtime);
    }
  }
  return runtime;
}

bool runtime_knows(const Runtime& runtime, const std::string& name) {
  base::ProcessOptions options;
  options.timeout = answer_timeout;
  return base::run_process({runtime.path, "state", name}, options).exit_code == 0;
}

}  // namespace berth::host
