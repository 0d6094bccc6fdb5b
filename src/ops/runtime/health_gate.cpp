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
#include "base/process.hpp"
#include "base/scope_exit.hpp"
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
constexpr milliseconds first_look{300};              // a runtime in the foreground needs 100 to fail
constexpr milliseconds start_period_interval{1000};  // a service that becomes ready is noticed soon
constexpr std::size_t shown_output = 2000;           // bytes, the end of what a check says
constexpr std::uint64_t small_file = 4096;           // bytes
constexpr int most_wishes = 5;                       // restarts by hand while one service is judged

double seconds(milliseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

/// One look at a service, from its start to the verdict.
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

  /// A oneshot that has done its work is well; there is nothing to wait for.
  [[nodiscard]] bool is_done() const {
    return first_.type == "oneshot" && first_.active_state == "inactive" && first_.result == "success";
  }

  /// @return false when it was stopped by somebody else
  bool settle(milliseconds time) {
    if (time >= std::chrono::seconds(1)) {
      context_.reporter.step(fmt::format("watching {} for {} s", name_, seconds(time)));
    }
    bool up = look();
    while (up && Clock::now() < begin_ + time) {
      wait(std::min(poll_interval, std::chrono::ceil<milliseconds>(begin_ + time - Clock::now())));
      up = look();
    }
    return up;
  }

  /// As settle, for a moment. One that systemd has seen end with success is well, too; of a Type=forking service it
  /// does not always see that, so that none of them may end. @return whether it is still up
  bool look_once() {
    const auto time = std::min<milliseconds>(first_look, std::chrono::seconds(context_.config.settle_seconds));
    while (true) {
      const auto now = settled_state();
      const bool is_well = now.type != "forking" && now.active_state == "inactive" && now.result == "success";
      if (is_well || !look()) {
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
    context_.reporter.step(fmt::format("asking {} whether it is well", name_));
    enter_user_cgroup(context_);
    static_cast<void>(container_runs(context_, runtime_, name_));  // before, no check can say anything about it
    for (int failures = 0;;) {
      const auto asked = first_.invocation_id;
      if (passes(check)) {
        return true;
      }
      if (!look()) {
        return false;
      }
      if (first_.invocation_id != asked) {
        failures = 0;  // it was asked while somebody restarted it
        continue;
      }
      const bool starting = Clock::now() - begin_ < check.start_period;
      failures += starting ? 0 : 1;
      if (failures >= check.retries) {
        fail(fmt::format("is not well: {}", answer_), answer_output_);
      }
      wait(starting ? std::min(check.interval, start_period_interval) : check.interval);
      if (!look()) {
        return false;
      }
    }
  }

 private:
  /// On its way down, and perhaps up again because somebody restarts it: only then systemd knows how it ended. One
  /// that systemd restarts by itself has failed already.
  [[nodiscard]] bool is_on_its_way(const host::UnitState& now) const {
    const bool by_itself = now.sub_state == "auto-restart" || now.restarts > first_.restarts;
    return now.active_state == "deactivating" || (!by_itself && (now.active_state == "activating" || now.waits));
  }

  host::UnitState settled_state() {
    auto now = context_.systemd.state(unit_);
    while (is_on_its_way(now)) {
      wait(poll_interval);
      now = context_.systemd.state(unit_);
    }
    return now;
  }

  /// Throws when the service is not what it was after its start. @return false when somebody else had it stopped
  bool look() {
    const auto now = settled_state();
    if (host::was_stopped(now)) {
      context_.reporter.warning(
          fmt::format("{} was stopped by somebody else {:.1f} s after its start: it stays stopped, and nothing says "
                      "whether it is well",
                      unit_, age()));
      return false;
    }
    const auto how = host::describe_exit(now.exec_main_code, now.exec_main_status);
    if (now.active_state != "active" && now.active_state != "reloading") {
      fail(fmt::format("did not stay up: it {} {}", how.empty() ? "ended" : how, when_ended(now)), "");
    }
    if (now.invocation_id != first_.invocation_id || now.restarts > first_.restarts) {
      meet_restart(now);
    }
    return true;
  }

  /// systemd counts the restarts that it makes because a service ended. Others are somebody's wish, and what they
  /// started is watched from its beginning; too many of them may be something that hides a crash.
  void meet_restart(const host::UnitState& now) {
    if (now.restarts > first_.restarts || ++wishes_ > most_wishes) {
      fail(fmt::format("did not stay up: it was restarted within {:.1f} s of its start", age()), "");
    }
    context_.reporter.warning(fmt::format(
        "{} was restarted by somebody else {:.1f} s after its start: it is watched from there on", unit_, age()));
    begin_ = Clock::now();
    first_ = now;
  }

  /// As systemd saw it: when we looked says little on a busy machine.
  [[nodiscard]] std::string when_ended(const host::UnitState& now) const {
    const bool seen = now.active_enter > 0 && now.active_exit >= now.active_enter;
    const auto life = seen ? static_cast<double>(now.active_exit - now.active_enter) / 1e6 : age();
    return life <= seconds(first_look) ? "at once" : fmt::format("{:.1f} s after its start", life);
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

  /// Runs the command once inside the container. What it said is in answer_ and answer_output_ when it fails.
  bool passes(const render::HealthCheck& check) {
    std::vector<std::string> argv = {runtime_, "exec", "--pid-file", pid_file_, name_};
    argv.insert(argv.end(), check.command.begin(), check.command.end());
    base::ProcessOptions options;
    options.timeout = check.timeout;
    options.stop = context_.stop;
    const base::ScopeExit forget([this]() noexcept { ::unlink(pid_file_.c_str()); });
    const auto command = fmt::format("{}", fmt::join(check.command, " "));
    try {
      const auto result = base::run_process(argv, options);
      answer_ = fmt::format("`{}` ended with status {}", base::printable(command), result.exit_code);
      answer_output_ = result.output + result.error_output;
      return result.exit_code == 0;
    } catch (const Error& error) {
      kill_check();
      if (error.kind() == ErrorKind::interrupted) {
        throw;
      }
      answer_ = fmt::format("`{}` did not end within {} s", base::printable(command), seconds(check.timeout));
      answer_output_.clear();
      if (error.kind() == ErrorKind::not_found) {
        answer_ = error.message();
      }
      return false;
    }
  }

  /// The runtime that was killed cannot end what it started inside the container.
  void kill_check() const {
    const auto text = base::read_file_at(AT_FDCWD, pid_file_, small_file).value_or("");
    pid_t pid = 0;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    if (pid <= 1) {
      return;
    }
    const auto cgroup = [](pid_t process) {
      return base::read_file_at(AT_FDCWD, fmt::format("/proc/{}/cgroup", process), small_file);
    };
    const auto main_process = context_.systemd.state(unit_).main_pid;
    if (const auto found = cgroup(pid); found && main_process > 0 && found == cgroup(main_process)) {
      ::kill(pid, SIGKILL);
    }
  }

  [[noreturn]] void fail(const std::string& what, const std::string& output) {
    std::string hint;
    if (!output.empty()) {
      hint = "the check said:\n  " + output.substr(output.size() - std::min(output.size(), shown_output));
      hint.erase(hint.find_last_not_of('\n') + 1);
      hint += "\n";
    }
    throw Error(kind_, fmt::format("{} {}", unit_, what), hint + journal_hint(context_, unit_));
  }

  Context& context_;
  ErrorKind kind_;
  std::string name_;
  std::string unit_;
  std::string runtime_;
  std::string pid_file_;
  Clock::time_point begin_ = Clock::now();
  host::UnitState first_;
  int wishes_ = 0;
  std::string answer_;
  std::string answer_output_;
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

void pass_first_look(Context& context, const std::string& name, ErrorKind kind) {
  Gate gate(context, name, "", kind);
  if (!gate.is_done() && !gate.look_once()) {
    const auto unit = host::unit_name(name);
    if (!host::was_stopped(context.systemd.state(unit))) {
      context.reporter.warning(fmt::format("{} has ended already, with success", unit));
    }
  }
}

}  // namespace berth::ops
