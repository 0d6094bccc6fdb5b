// SPDX-License-Identifier: LGPL-2.1-or-later
// systemd on a running host, over sd-bus.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "base/activity.hpp"
#include "base/error.hpp"
#include "base/process.hpp"
#include "host/systemd/bus.hpp"
#include "host/systemd/job.hpp"
#include "host/systemd/scope.hpp"
#include "host/systemd/systemd.hpp"
#include "host/systemd/systemd_journal.hpp"
#include "host/systemd/unit_properties.hpp"

namespace berth::host {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t dependents_limit = 1000;  // each costs a call

bool is_unknown_unit(const BusReply& reply) {
  return reply.error_name == "org.freedesktop.systemd1.NoSuchUnit" || reply.error_name == SD_BUS_ERROR_FILE_NOT_FOUND ||
         reply.error_name == "System.Error.ENOENT";
}

bool is_load_error(const BusReply& reply) {
  return reply.error_name == "org.freedesktop.systemd1.BadUnitSetting" ||
         reply.error_name == "org.freedesktop.systemd1.LoadFailed";
}

constexpr std::chrono::milliseconds reconnect_interval{100};

class BusSystemd : public Systemd {
 public:
  BusSystemd(base::Reporter& reporter, std::stop_token stop, BusOptions options)
      : reporter_(reporter), stop_(std::move(stop)), options_(std::move(options)) {}

  void reload() override {
    reloaded_ = now();
    persistently([&] {
      const MessagePtr call = bus().new_call("Reload");
      static_cast<void>(bus().call_checked(call, "reload its configuration"));
    });
  }

  EnableResult enable(const std::string& unit) override {
    const std::string action = "enable " + unit;
    const MessagePtr reply = persistently([&] {
      const MessagePtr call = bus().new_call("EnableUnitFiles");
      check_bus(sd_bus_message_append(call.get(), "asbb", 1, unit.c_str(), 0, 0), action);
      return bus().call_checked(call, action);
    });
    int has_install_section = 0;
    check_bus(sd_bus_message_read(reply.get(), "b", &has_install_section), action);
    if (has_install_section == 0) {
      reporter_.warning(fmt::format("{} has no [Install] section: it will not start when the system boots", unit));
    }
    return read_changes(reply.get(), action);
  }

  void disable(const std::string& unit) override {
    const std::string action = "disable " + unit;
    const BusReply reply = persistently([&] {
      const MessagePtr call = bus().new_call("DisableUnitFiles");
      check_bus(sd_bus_message_append(call.get(), "asb", 1, unit.c_str(), 0), action);
      return bus().call(call);
    });
    if (!reply.error_name.empty() && !is_unknown_unit(reply)) {
      throw_reply(reply, action);
    }
  }

  JobResult start(const std::string& unit) override {
    const auto before = known_invocation(state(unit));
    return persistently([&] { return start_by("StartUnit", "start ", unit, before); },
                        [&]() -> std::optional<JobResult> { return how_started(unit, ""); });
  }

  JobResult restart(const std::string& unit) override {
    const auto now = state(unit);
    return persistently([&] { return start_by("RestartUnit", "restart ", unit, known_invocation(now)); },
                        [&]() -> std::optional<JobResult> { return how_started(unit, now.invocation_id); });
  }

  std::vector<std::string> stopped_with(const std::vector<std::string>& units) override {
    return persistently([&] { return find_stopped_with(units); });
  }

  JobResult start_again(const std::string& unit) override {
    // A target would start all of its dependencies, including stopped ones.
    const char* mode = unit.ends_with(".target") ? "ignore-dependencies" : "replace";
    return persistently([&] { return start_by("StartUnit", "start ", unit, "", mode); },
                        [&]() -> std::optional<JobResult> { return how_started(unit, ""); });
  }

  std::string enter_scope(const std::string& scope, const std::string& description) override {
    const std::string action = "start " + scope;
    watch_.emplace(bus(), stop_);
    const BusReply reply = bus().call(scope_call(bus(), scope, description, for_user() ? "app.slice" : "system.slice"));
    if (!reply.error_name.empty()) {
      throw_reply(reply, action);
    }
    if (const JobResult job = finish(JobKind::start, scope, reply); !job.done) {
      throw Error(ErrorKind::failed, fmt::format("{} did not start: {}", scope, job.reason));
    }
    return enter_leaf_of_own_cgroup();
  }

  JobResult stop(const std::string& unit) override {
    return persistently([&]() -> JobResult {
      const BusReply reply = queue(JobKind::stop, "StopUnit", unit);
      if (is_unknown_unit(reply)) {
        return {};
      }
      if (!reply.error_name.empty()) {
        throw_reply(reply, "stop " + unit);
      }
      return finish(JobKind::stop, unit, reply);
    });
  }

  std::map<std::string, UnitState> states(const std::vector<std::string>& units) override {
    return persistently([&] {
      std::map<std::string, UnitState> states;
      for (const std::string& unit : units) {
        states.emplace(unit, UnitState{});
      }
      if (!units.empty()) {
        read_states(units, states);
      }
      return states;
    });
  }

  UnitState state(const std::string& unit) override {
    return persistently([&] { return read_unit_properties(bus(), unit).state; });
  }

  void create_tmpfiles(const std::string& conf) override { run_tmpfiles("--create", conf); }
  void remove_tmpfiles(const std::string& conf) override { run_tmpfiles("--remove", conf); }

  void reset_failed(const std::string& unit) override {
    const std::string action = "reset the failed state of " + unit;
    const BusReply reply = persistently([&] {
      const MessagePtr call = bus().new_call("ResetFailedUnit");
      check_bus(sd_bus_message_append(call.get(), "s", unit.c_str()), action);
      return bus().call(call);
    });
    if (!reply.error_name.empty() && !is_unknown_unit(reply)) {
      throw_reply(reply, action);
    }
  }

  std::vector<std::string> journal_tail(const std::string& unit, std::size_t count) override {
    const auto started = started_.find(unit);
    return read_unit_log(unit, count, for_user(), "", started == started_.end() ? reloaded_ : started->second);
  }

 private:
  Bus& bus() {
    if (!bus_) {
      connect();
    }
    return *bus_;
  }

  void connect() {
    try {
      bus_.emplace(options_.address, options_.call_timeout, options_.user_runtime);
      was_connected_ = true;
    } catch (const Error& error) {
      if (was_connected_) {
        throw LostConnection(error.message());
      }
      throw;
    }
  }

  /// Does `work`, which must be repeatable, again on a new connection when the connection is lost, because the bus or
  /// systemd itself may be restarting. A systemd that was never reached is not waited for.
  /// @param check called first on a new connection; its result, if any, is returned instead
  template <typename Work, typename Check>
  std::invoke_result_t<Work> persistently(Work work, Check check) {
    const auto deadline = std::chrono::steady_clock::now() + options_.patience;
    for (bool first = true;; first = false) {
      try {
        if constexpr (!std::is_void_v<std::invoke_result_t<Check>>) {
          if (auto seen = first ? std::nullopt : check()) {
            return std::move(*seen);
          }
        }
        return work();
      } catch (const LostConnection&) {
        watch_.reset();
        bus_.reset();
        if (!was_connected_ || std::chrono::steady_clock::now() >= deadline) {
          options_.patience = {};
          throw;
        }
      }
      std::this_thread::sleep_for(reconnect_interval);
    }
  }
  template <typename Work>
  std::invoke_result_t<Work> persistently(Work work) {
    return persistently(std::move(work), [] {});
  }

  /// The result of a start whose job was lost with the connection. @param before invocation before the start
  /// @return nullopt when the start has not ended, or has not begun
  std::optional<JobResult> how_started(const std::string& unit, const std::string& before) {
    const auto properties = read_unit_properties(bus(), unit);
    const auto& state = properties.state;
    if (state.active_state == "active" && (before.empty() || state.invocation_id != before)) {
      return JobResult{};
    }
    if (state.active_state == "failed" && !before.empty() && state.invocation_id != before) {
      return JobResult{false, "failed", describe_job_failure(JobKind::start, "failed", properties)};
    }
    return std::nullopt;
  }

  std::vector<std::string> find_stopped_with(const std::vector<std::string>& units) {
    std::set<std::string> known(units.begin(), units.end());
    std::vector<std::string> pending = units;
    std::vector<std::pair<std::uint64_t, std::string>> found;
    while (!pending.empty()) {
      const auto unit = std::move(pending.back());
      pending.pop_back();
      for (const auto& dependent : read_unit_properties(bus(), unit).stops_too) {
        if (known.size() >= dependents_limit || !known.insert(dependent).second) {
          continue;
        }
        if (const auto its_state = read_unit_properties(bus(), dependent).state; is_active(its_state)) {
          found.emplace_back(its_state.active_enter, dependent);
          pending.push_back(dependent);
        }
      }
    }
    std::sort(found.begin(), found.end());
    std::vector<std::string> names;
    std::transform(found.begin(), found.end(), std::back_inserter(names), [](auto& entry) { return entry.second; });
    return names;
  }

  /// The invocation that a start replaces; empty while the unit is being started, since our job may join that start.
  static std::string known_invocation(const UnitState& unit) {
    return unit.active_state == "activating" ? "" : unit.invocation_id;
  }

  /// Microseconds since the epoch, as the journal counts them.
  static std::int64_t now() {
    using std::chrono::microseconds;
    using std::chrono::system_clock;
    return std::chrono::duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
  }

  [[nodiscard]] bool for_user() const { return !options_.user_runtime.empty(); }

  /// @param before see finish
  JobResult start_by(const char* method, const char* verb, const std::string& unit, const std::string& before,
                     const char* mode = "replace") {
    started_[unit] = now();
    hold(unit);
    const BusReply reply = queue(JobKind::start, method, unit, mode);
    if (is_load_error(reply)) {
      throw_load_error(unit, reply);
    }
    if (!reply.error_name.empty()) {
      throw_reply(reply, verb + unit);
    }
    return finish(JobKind::start, unit, reply, before);
  }

  /// Makes systemd keep the state of the unit as long as this connection exists; otherwise it unloads an inactive unit
  /// that nothing references. Fails without a bus daemon, which is ignored.
  void hold(const std::string& unit) {
    const MessagePtr call = bus().new_call("RefUnit");
    check_bus(sd_bus_message_append(call.get(), "s", unit.c_str()), "hold " + unit);
    static_cast<void>(bus().call(call));
  }

  BusReply queue(JobKind kind, const char* method, const std::string& unit, const char* mode = "replace") {
    // Before the call: the job may end, and Ctrl-C may be pressed, before the reply is read.
    watch_.emplace(bus(), stop_);
    const MessagePtr call = bus().new_call(method);
    check_bus(sd_bus_message_append(call.get(), "ss", unit.c_str(), mode),
              fmt::format("{} {}", kind == JobKind::start ? "start" : "stop", unit));
    return bus().call(call);
  }

  /// @param before invocation of the unit before the start; empty without one, or when it is unknown
  JobResult finish(JobKind kind, const std::string& unit, const BusReply& reply, const std::string& before = {}) {
    const base::Activity waiting(reporter_, unit,
                                 kind == JobKind::start ? base::ProgressTask::starting : base::ProgressTask::stopping);
    const char* path = nullptr;
    check_bus(sd_bus_message_read(reply.message.get(), "o", &path), "read the reply of systemd");
    const auto result = watch_->wait_for(path, options_.job_timeout);
    watch_.reset();
    if (!result) {
      return {false, "timeout",
              fmt::format("did not {} within {} s ([systemd] job-timeout in berth.conf)",
                          kind == JobKind::start ? "start" : "stop", options_.job_timeout.count())};
    }
    if (*result == "done") {
      return {true, *result, describe_job_failure(kind, *result, {})};
    }
    auto properties = read_unit_properties(bus(), unit);
    if (kind == JobKind::start && !before.empty() && properties.state.invocation_id == before &&
        unit.ends_with(".service")) {
      // Nothing was started: Result= and the exit status are those of the previous run.
      properties.state.result = "start-limit-hit";
    }
    return {false, *result, describe_job_failure(kind, *result, properties)};
  }

  [[noreturn]] void throw_load_error(const std::string& unit, const BusReply& reply) {
    const UnitProperties properties = read_unit_properties(bus(), unit);
    const std::string& reason = properties.state.load_error.empty() ? reply.error_text : properties.state.load_error;
    throw Error(ErrorKind::failed,
                fmt::format("systemd cannot load {} ({}): {}", unit, properties.state.load_state, reason),
                fmt::format("`systemd-analyze{0} verify {1}` and `journalctl{0} -u {1}` name the line",
                            for_user() ? " --user" : "", unit));
  }

  /// ba(sss): kind, link, target.
  static EnableResult read_changes(sd_bus_message* reply, const std::string& action) {
    EnableResult result;
    check_bus(sd_bus_message_enter_container(reply, 'a', "(sss)"), action);
    const char* kind = nullptr;
    const char* link = nullptr;
    const char* target = nullptr;
    while (check_bus(sd_bus_message_read(reply, "(sss)", &kind, &link, &target), action) > 0) {
      if (std::string_view(kind) == "symlink") {
        result.created_links.emplace_back(link);
      }
    }
    return result;
  }

  /// a(ssssssouso): name, description, load, active and sub state, and more.
  void read_states(const std::vector<std::string>& units, std::map<std::string, UnitState>& states) {
    constexpr const char* action = "list units";
    const MessagePtr call = bus().new_call("ListUnitsByNames");
    check_bus(sd_bus_message_open_container(call.get(), 'a', "s"), action);
    for (const std::string& unit : units) {
      check_bus(sd_bus_message_append(call.get(), "s", unit.c_str()), action);
    }
    check_bus(sd_bus_message_close_container(call.get()), action);
    const MessagePtr reply = bus().call_checked(call, action);
    check_bus(sd_bus_message_enter_container(reply.get(), 'a', "(ssssssouso)"), action);
    while (check_bus(sd_bus_message_enter_container(reply.get(), 'r', "ssssssouso"), action) > 0) {
      const char* name = nullptr;
      const char* load = nullptr;
      const char* active = nullptr;
      const char* sub = nullptr;
      check_bus(sd_bus_message_read(reply.get(), "sssss", &name, nullptr, &load, &active, &sub), action);
      UnitState& state = states[name];
      state.load_state = load;
      state.active_state = active;
      state.sub_state = sub;
      check_bus(sd_bus_message_skip(reply.get(), "souso"), action);
      check_bus(sd_bus_message_exit_container(reply.get()), action);
    }
  }

  /// Fails also for the exit statuses 65 (invalid lines) and 73 (a file could not be created) of systemd-tmpfiles(8).
  void run_tmpfiles(const char* option, const std::string& conf) {
    base::ProcessOptions process;
    process.timeout = options_.call_timeout;
    base::in_context([&] { return fmt::format("running systemd-tmpfiles {} {}", option, conf); },
                     [&] {
                       std::vector<std::string> argv = {options_.tmpfiles_program, option, conf};
                       if (for_user()) {
                         argv.insert(argv.begin() + 1, "--user");
                       }
                       base::run_checked(argv, process);
                     });
  }

  base::Reporter& reporter_;
  std::stop_token stop_;
  BusOptions options_;
  std::optional<Bus> bus_;
  bool was_connected_ = false;
  std::optional<JobWatch> watch_;                ///< after bus_, so that it is destroyed first
  std::int64_t reloaded_ = 0;                    ///< microseconds since the epoch; 0: not by this object
  std::map<std::string, std::int64_t> started_;  ///< by unit
};

class BootSystemd final : public BusSystemd {
 public:
  using BusSystemd::BusSystemd;
  JobResult start(const std::string& /*unit*/) override { return {}; }
  JobResult stop(const std::string& /*unit*/) override { return {}; }
  JobResult restart(const std::string& /*unit*/) override { return {}; }
  std::vector<std::string> stopped_with(const std::vector<std::string>& /*units*/) override { return {}; }
  JobResult start_again(const std::string& /*unit*/) override { return {}; }
  void create_tmpfiles(const std::string& /*conf*/) override {}
  void remove_tmpfiles(const std::string& /*conf*/) override {}
  UnitState state(const std::string& /*unit*/) override { return {}; }
};

}  // namespace

std::unique_ptr<Systemd> make_boot_systemd(base::Reporter& reporter, std::stop_token stop) {
  BusOptions options;
  options.address = "unix:path=/run/systemd/private";
  return std::make_unique<BootSystemd>(reporter, std::move(stop), std::move(options));
}

std::unique_ptr<Systemd> make_bus_systemd(base::Reporter& reporter, std::stop_token stop, BusOptions options) {
  return std::make_unique<BusSystemd>(reporter, std::move(stop), std::move(options));
}

}  // namespace berth::host
