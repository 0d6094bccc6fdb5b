// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/runtime/health_gate.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "base/scope_exit.hpp"
#include "base/shown_text.hpp"
#include "host/systemd/job_failure.hpp"
#include "ops/rootless.hpp"
#include "ops/runtime/runtime_command.hpp"
#include "ops/runtime/unit_job.hpp"
#include "render/exports/health_check.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds poll_interval{100};
constexpr milliseconds immediate{300};               // a runtime in the foreground takes about 100 to fail
constexpr milliseconds start_period_interval{1000};  // notices soon that a service is ready
constexpr std::size_t shown_output = 2000;           // bytes at the end of the output of a check
constexpr std::uint64_t small_file = 4096;           // bytes
constexpr int max_manual_restarts = 5;               // while one service is checked

double seconds(milliseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

/// Checks one service, from its start on.
class Gate {
 public:
  Gate(Context& context, const std::string& name, std::string runtime, ErrorKind kind = ErrorKind::start_failed)
      : context_(context),
        kind_(kind),
        name_(name),
        unit_(host::unit_name(name)),
        runtime_(std::move(runtime)),
        pid_file_(context.layout.on_disk(fmt::format("{}/berth-check-{}.pid", context.layout.runtime_in_root(), name))),
        first_(context.systemd.state(unit_)) {}

  /// A Type=oneshot service that succeeded: there is nothing to check.
  [[nodiscard]] bool is_done() const {
    return first_.type == "oneshot" && first_.active_state == "inactive" && first_.result == "success";
  }

  /// Watches the service for that time. @return false when another command stopped it
  bool settle(milliseconds time) {
    if (time >= std::chrono::seconds(1)) {
      context_.reporter.step(fmt::format("watching {} for {} s", name_, seconds(time)));
    }
    bool up = check_up();
    while (up && Clock::now() < begin_ + time) {
      wait(std::min(poll_interval, std::chrono::ceil<milliseconds>(begin_ + time - Clock::now())));
      up = check_up();
    }
    return up;
  }

  /// As settle, for a moment. A successful exit is accepted, except for Type=forking, see check_immediate_exit().
  /// @return whether the service is still up
  bool settle_briefly() {
    const auto time = std::min<milliseconds>(immediate, std::chrono::seconds(context_.config.settle_seconds));
    while (true) {
      const auto now = settled_state();
      const bool succeeded = now.type != "forking" && now.active_state == "inactive" && now.result == "success";
      if (succeeded || !check_up()) {
        return false;
      }
      if (Clock::now() >= begin_ + time) {
        return true;
      }
      wait(poll_interval / 4);
    }
  }

  /// @return as settle
  bool run(const render::HealthCheck& check) {
    context_.reporter.step(fmt::format("running the health check of {}", name_));
    enter_user_cgroup(context_);
    static_cast<void>(container_runs(context_, runtime_, name_));  // a check needs a running container
    for (int failures = 0;;) {
      const auto checked = first_.invocation_id;
      if (passes(check)) {
        return true;
      }
      if (!check_up()) {
        return false;
      }
      if (first_.invocation_id != checked) {
        failures = 0;  // it was restarted during the check
        continue;
      }
      const bool starting = Clock::now() - begin_ < check.start_period;
      failures += starting ? 0 : 1;
      if (failures >= check.retries) {
        fail(fmt::format("failed its health check: {}", failure_), output_);
      }
      wait(starting ? std::min(check.interval, start_period_interval) : check.interval);
      if (!check_up()) {
        return false;
      }
    }
  }

 private:
  /// Whether the service is stopping, or starting again on request: systemd reports its result only afterwards. A
  /// service that systemd restarts by itself has failed already.
  [[nodiscard]] bool is_changing(const host::UnitState& now) const {
    const bool by_itself = now.sub_state == "auto-restart" || now.restarts > first_.restarts;
    return now.active_state == "deactivating" || (!by_itself && (now.active_state == "activating" || now.waits));
  }

  host::UnitState settled_state() {
    auto now = context_.systemd.state(unit_);
    while (is_changing(now)) {
      wait(poll_interval);
      now = context_.systemd.state(unit_);
    }
    return now;
  }

  /// Throws when the service failed or was restarted by systemd. @return false when another command stopped it
  bool check_up() {
    const auto now = settled_state();
    if (host::was_stopped(now)) {
      context_.reporter.warning(
          fmt::format("{} was stopped by another command {:.1f} s after its start: it stays stopped, and its health is "
                      "not checked",
                      unit_, age()));
      return false;
    }
    const auto how = host::describe_exit(now.exec_main_code, now.exec_main_status);
    if (now.active_state != "active" && now.active_state != "reloading") {
      fail(fmt::format("did not stay up: it {} {}", how.empty() ? "ended" : how, when_ended(now)), "");
    }
    if (now.invocation_id != first_.invocation_id || now.restarts > first_.restarts) {
      handle_restart(now);
    }
    return true;
  }

  /// systemd counts the restarts that it makes because a service exited: these are failures. After another restart, on
  /// request, the service is watched anew; too many of those may hide a crash.
  void handle_restart(const host::UnitState& now) {
    if (now.restarts > first_.restarts || ++manual_restarts_ > max_manual_restarts) {
      fail(fmt::format("did not stay up: it was restarted within {:.1f} s of its start", age()), "");
    }
    context_.reporter.warning(fmt::format(
        "{} was restarted by another command {:.1f} s after its start: its check begins anew", unit_, age()));
    begin_ = Clock::now();
    first_ = now;
  }

  /// Time of the exit according to systemd: on a busy machine it is noticed late.
  [[nodiscard]] std::string when_ended(const host::UnitState& now) const {
    const bool seen = now.active_enter > 0 && now.active_exit >= now.active_enter;
    const auto life = seen ? static_cast<double>(now.active_exit - now.active_enter) / 1e6 : age();
    return life <= seconds(immediate) ? "at once" : fmt::format("{:.1f} s after its start", life);
  }

  [[nodiscard]] double age() const { return seconds(std::chrono::ceil<milliseconds>(Clock::now() - begin_)); }

  void wait(milliseconds time) const {
    const auto end = Clock::now() + time;
    while (Clock::now() < end) {
      check_stop(context_.stop);
      std::this_thread::sleep_for(std::min<Clock::duration>(poll_interval, end - Clock::now()));
    }
    check_stop(context_.stop);
  }

  /// Runs the command once inside the container. When it fails, failure_ and output_ are set.
  bool passes(const render::HealthCheck& check) {
    std::vector<std::string> argv = {runtime_, "exec", "--pid-file", pid_file_, name_};
    argv.insert(argv.end(), check.command.begin(), check.command.end());
    base::ProcessOptions options;
    options.timeout = check.timeout;
    options.stop = context_.stop;
    const base::ScopeExit forget([this]() noexcept { ::unlink(pid_file_.c_str()); });
    base::ScopeExit end_check([this]() noexcept { kill_check(); });
    const auto command = fmt::format("{}", fmt::join(check.command, " "));
    try {
      const auto result = base::run_process(argv, options);
      end_check.dismiss();
      failure_ = fmt::format("`{}` exited with status {}", base::printable(command), result.exit_code);
      output_ = result.output + result.error_output;
      return result.exit_code == 0;
    } catch (const Error& error) {
      failure_ = fmt::format("`{}` timed out after {} s", base::printable(command), seconds(check.timeout));
      output_.clear();
      if (error.kind() == ErrorKind::not_found) {
        failure_ = error.message();
      }
      return false;
    }
  }

  /// The process of the check inside the container, from the file that the runtime wrote. @return 0 without one
  [[nodiscard]] pid_t process_of_check() const {
    const auto text = base::read_file_at(AT_FDCWD, pid_file_, small_file).value_or("");
    pid_t pid = 0;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    if (pid <= 1) {
      return 0;
    }
    const auto cgroup = [](pid_t process) {
      return base::read_file_at(AT_FDCWD, fmt::format("/proc/{}/cgroup", process), small_file);
    };
    const auto main_process = context_.systemd.state(unit_).main_pid;
    const auto found = cgroup(pid);
    return found && main_process > 0 && found == cgroup(main_process) ? pid : 0;
  }

  /// Kills the process of the check inside the container, which outlives the killed runtime.
  void kill_check() const noexcept {
    try {
      if (const auto pid = process_of_check(); pid > 0) {
        ::kill(pid, SIGKILL);
      }
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the process ends with the container
    }
  }

  [[noreturn]] void fail(const std::string& what, const std::string& output) {
    std::string details;
    if (!output.empty()) {
      const auto end = std::string_view(output).substr(output.size() - std::min(output.size(), shown_output));
      details = fmt::format("the health check printed:\n{}\n", base::indented(end));
    }
    throw Error(kind_, fmt::format("{} {}", unit_, what), journal_hint(context_, unit_),
                details + journal_details(context_, unit_));
  }

  Context& context_;
  ErrorKind kind_;
  std::string name_;
  std::string unit_;
  std::string runtime_;
  std::string pid_file_;
  Clock::time_point begin_ = Clock::now();
  host::UnitState first_;
  int manual_restarts_ = 0;
  std::string failure_;  ///< of the last check
  std::string output_;   ///< of the last check
};

}  // namespace

bool pass_health_gate(Context& context, const std::string& name, const std::string& runtime,
                      const base::Json& health_check, const GateOptions& options) {
  if (!options.enabled) {
    return true;
  }
  Gate gate(context, name, context.layout.on_disk(runtime));
  if (gate.is_done()) {
    return true;
  }
  if (!gate.settle(options.settle.value_or(std::chrono::seconds(context.config.settle_seconds)))) {
    return false;
  }
  return health_check.is_null() ||
         gate.run(render::parse_health_check(base::JsonView(health_check, "info", "health-check")));
}

void check_immediate_exit(Context& context, const std::string& name, ErrorKind kind) {
  Gate gate(context, name, "", kind);
  if (!gate.is_done() && !gate.settle_briefly()) {
    const auto unit = host::unit_name(name);
    if (!host::was_stopped(context.systemd.state(unit))) {
      context.reporter.warning(fmt::format("{} has ended already, with success", unit));
    }
  }
}

}  // namespace berth::ops
