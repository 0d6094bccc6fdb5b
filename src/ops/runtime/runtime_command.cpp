// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/runtime/runtime_command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "host/machine/facts.hpp"
#include "ops/plan/image_files.hpp"
#include "render/spec/config_json.hpp"
#include "render/unit/unit.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::chrono::seconds longest_creation{20};
constexpr std::chrono::milliseconds creation_interval{50};
constexpr int no_such_program = 127;
constexpr std::uint64_t log_limit = 1U << 20U;  // bytes
constexpr std::size_t reason_limit = 1000;      // bytes

/// The log of the runtime, apart from the output of the command: an anonymous file, which the runtime opens by way of
/// /proc.
class RuntimeLog {
 public:
  RuntimeLog() : file_(base::check_errno(::memfd_create("runtime-log", MFD_CLOEXEC), "create a file in memory")) {}
  [[nodiscard]] std::string path() const { return fmt::format("/proc/{}/fd/{}", ::getpid(), file_.get()); }

  /// The last error that was logged.
  [[nodiscard]] std::optional<std::string> error() const {
    base::check_errno(static_cast<int>(::lseek(file_.get(), 0, SEEK_SET)), "rewind a file in memory");
    const auto text = base::read_all(file_.get(), log_limit, "the log of the runtime");
    std::optional<std::string> last;
    for (std::size_t start = 0; start < text.size();) {
      const auto end = std::min(text.find('\n', start), text.size());
      if (auto message = error_of_line(text.substr(start, end - start))) {
        last = std::move(message);
      }
      start = end + 1;
    }
    return last;
  }

 private:
  static std::optional<std::string> error_of_line(const std::string& line) {
    try {
      const auto json = base::parse_json(line, "log");
      const base::JsonView view(json, "log");
      const auto level = view.string_or("level", "");
      if (level == "error" || level == "fatal" || level == "panic") {
        return base::printable(view.string_or("msg", ""), reason_limit);
      }
    } catch (const Error&) {
      return std::nullopt;  // not a log line of a runtime
    }
    return std::nullopt;
  }

  base::Fd file_;
};

CommandOutcome failed(int code, const std::string& what, const std::string& reason) {
  const auto kind = code == no_such_program ? ErrorKind::not_found : ErrorKind::failed;
  return {code, Error(kind, fmt::format("cannot {}: {}", what, reason))};
}

}  // namespace

std::string runtime_of(const Context& context, const host::Deployment& deployment) {
  const auto& path = deployment.info.runtime;
  return context.layout.on_disk(
      path.empty() ? host::find_runtime(context.layout, context.runtime_override, context.config.runtimes).path : path);
}

std::string runtime_status(const std::string& runtime, const std::string& id) {
  const auto answer = base::run_process({runtime, "state", id});
  if (answer.exit_code != 0) {
    return {};
  }
  const auto document = fmt::format("the answer of {} state {}", runtime, id);
  const auto json = base::parse_json(answer.output, document);
  return base::JsonView(json, document).string_or("status", "");
}

bool container_runs(Context& context, const std::string& runtime, const std::string& name) {
  const auto deadline = std::chrono::steady_clock::now() + longest_creation;
  while (true) {
    const auto status = runtime_status(runtime, name);
    const bool may_come = status.empty() || status == "creating" || status == "created";
    if (!may_come || std::chrono::steady_clock::now() >= deadline) {
      return status == "running";
    }
    const auto unit = context.systemd.state(host::unit_name(name));
    if (!host::is_active(unit) || unit.main_pid <= 0) {
      return false;
    }
    check_stop(context.stop);
    std::this_thread::sleep_for(creation_interval);
  }
}

base::Json config_of(const Context& context, const host::Deployment& deployment) {
  const auto path = deployment.path + "/config.json";
  const auto text = base::read_file_at(AT_FDCWD, path, base::json_size_limit);
  if (!text) {
    throw Error(ErrorKind::failed,
                fmt::format("{} has nothing to run: its image only brings files for the host", deployment.name));
  }
  // An absolute path: the configuration is used in another directory.
  const auto rootfs = deployment.info.remote.empty() ? deployment.path + "/rootfs" : deployment.info.remote;
  return render::finish_config(*text, path, features_of(context.facts),
                               render::cgroups_path(context.layout.default_slice(), deployment.name), rootfs)
      .document;
}

void set_command(base::Json& process, const std::vector<std::string>& command, const Attachment& attachment) {
  if (!command.empty()) {
    process["args"] = command;
  }
  process["terminal"] = attachment.terminal;
  process.erase("consoleSize");
  if (!attachment.terminal) {
    return;
  }
  if (attachment.rows > 0 && attachment.columns > 0) {
    process["consoleSize"] = {{"height", attachment.rows}, {"width", attachment.columns}};
  }
  auto& environment = process["env"];
  if (environment.is_null()) {
    environment = base::Json::array();
  }
  const bool has_term = std::any_of(environment.begin(), environment.end(), [](const base::Json& entry) {
    return entry.get_ref<const std::string&>().starts_with("TERM=");
  });
  if (!has_term) {
    environment.push_back("TERM=xterm");
  }
}

CommandOutcome run_runtime(const std::string& runtime, const std::vector<std::string>& arguments,
                           const Attachment& attachment, const std::string& what,
                           const std::function<int()>& failure_code, const std::function<void()>& before_start) {
  const RuntimeLog log;
  std::vector<std::string> argv = {runtime, "--log", log.path(), "--log-format", "json"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  base::AttachedOptions options;
  options.standard = attachment.standard;
  options.running = attachment.running;
  options.before_start = before_start;
  const int code = base::run_attached(argv, options);
  if (code != 0) {
    if (const auto reason = log.error()) {
      return failed(failure_code(), what, *reason);
    }
  }
  return {code, std::nullopt};
}

}  // namespace berth::ops
