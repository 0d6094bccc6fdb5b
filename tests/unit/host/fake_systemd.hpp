// SPDX-License-Identifier: LGPL-2.1-or-later
// A systemd for unit tests: it records calls, can fail on demand, and creates the same links as the real one.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/reporter.hpp"
#include "host/layout.hpp"
#include "host/systemd/systemd.hpp"
#include "host/systemd/unit_file.hpp"

namespace berth::host::testing {

/// Records reported messages.
class RecordingReporter final : public base::Reporter {
 public:
  void step(std::string_view message) override { steps.emplace_back(message); }
  void progress(const base::Progress& /*progress*/) override {}
  void warning(std::string_view message) override { warnings.emplace_back(message); }

  std::vector<std::string> steps;
  std::vector<std::string> warnings;
};

/// Members are public: tests set the results of calls and inspect the record of calls.
///
///   FakeSystemd systemd(layout);          // enable makes links below the layout's root
///   systemd.fail_at = 3;                  // the third call throws (counted from 1)
///   systemd.fail_on = "start web.service";  // so does every call recorded under this text, or verb alone: "start"
///   systemd.start_results["web.service"] = {false, "failed", "exited with status 3"};
class FakeSystemd final : public Systemd {
 public:
  FakeSystemd() = default;
  explicit FakeSystemd(const Layout& layout) : links_(make_offline_systemd(layout, reporter)) {}

  std::vector<std::string> calls;  ///< "verb argument", in order; queries are in `queries`
  std::vector<std::string> queries;
  std::size_t fail_at = 0;  ///< 0: never
  std::string fail_on;
  base::Error failure{base::ErrorKind::failed, "systemd refused"};
  std::map<std::string, JobResult> start_results;  ///< default: done
  std::map<std::string, JobResult> stop_results;
  std::set<std::string> enabled;
  std::set<std::string> active;
  std::set<std::string> failed;
  std::map<std::string, std::vector<std::string>> journal;
  bool only_unit_names = false;                                ///< refuses queries about other names
  std::function<void(UnitState&)> on_state;                    ///< changes the result of state()
  std::function<void(const std::string& call)> on_call;        ///< may throw, which ends the call or query
  std::map<std::string, std::vector<std::string>> dependents;  ///< units that a stop of an active unit also stops
  std::function<void(const std::string& unit)> on_start;       ///< called when a unit comes up, by a start or otherwise
  std::function<void(const std::string& unit)> on_stop;        ///< called right after a stop
  RecordingReporter reporter;

  void reload() override { record("reload", ""); }

  EnableResult enable(const std::string& unit) override {
    record("enable", unit);
    EnableResult result = links_ ? links_->enable(unit) : EnableResult{};
    enabled.insert(unit);
    return result;
  }

  void disable(const std::string& unit) override {
    record("disable", unit);
    if (links_) {
      links_->disable(unit);
    }
    enabled.erase(unit);
  }

  JobResult start(const std::string& unit) override {
    record("start", unit);
    return run(unit);
  }

  JobResult stop(const std::string& unit) override {
    record("stop", unit);
    JobResult result = result_of(stop_results, unit);
    if (result.done) {
      for (const auto& dependent : stopped_with({unit})) {
        active.erase(dependent);
      }
      active.erase(unit);
    }
    if (on_stop) {
      on_stop(unit);
    }
    return result;
  }

  JobResult restart(const std::string& unit) override {
    record("restart", unit);
    active.erase(unit);
    return run(unit);
  }

  std::vector<std::string> stopped_with(const std::vector<std::string>& units) override {
    std::vector<std::string> found;
    for (const auto& unit : units) {
      for (const auto& dependent : dependents[unit]) {
        if (active.count(dependent) != 0) {
          found.push_back(dependent);
        }
      }
    }
    return found;
  }

  JobResult start_again(const std::string& unit) override { return start(unit); }

  /// Starts a unit as another program does: no call is recorded.
  JobResult run(const std::string& unit) {
    JobResult result = result_of(start_results, unit);
    if (active.count(unit) == 0 && result.done) {
      invocations[unit] += 1;
      if (on_start) {
        on_start(unit);
      }
    }
    (result.done ? active : failed).insert(unit);
    return result;
  }

  std::map<std::string, int> invocations;  ///< how often each unit came up

  std::string enter_scope(const std::string& scope, const std::string& /*description*/) override {
    record("enter_scope", scope);
    return "/system.slice/" + scope;
  }

  std::map<std::string, UnitState> states(const std::vector<std::string>& units) override {
    queries.emplace_back("states");
    ask(queries.back());
    std::map<std::string, UnitState> states;
    for (const std::string& unit : units) {
      states.emplace(unit, look_up(unit));
    }
    return states;
  }

  UnitState state(const std::string& unit) override {
    queries.push_back("state " + unit);
    ask(queries.back());
    UnitState state = look_up(unit);
    if (on_state) {
      on_state(state);
    }
    return state;
  }

  void create_tmpfiles(const std::string& conf) override { record("create_tmpfiles", conf); }
  void remove_tmpfiles(const std::string& conf) override { record("remove_tmpfiles", conf); }

  void reset_failed(const std::string& unit) override {
    record("reset_failed", unit);
    failed.erase(unit);
  }

  std::vector<std::string> journal_tail(const std::string& unit, std::size_t count) override {
    queries.push_back("journal_tail " + unit);
    std::vector<std::string> lines = journal[unit];
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(std::min(count, lines.size())));
    return lines;
  }

 private:
  void ask(const std::string& call) const {
    if (on_call) {
      on_call(call);
    }
  }

  void record(const std::string& verb, const std::string& argument) {
    calls.push_back(argument.empty() ? verb : verb + " " + argument);
    ask(calls.back());
    if (calls.size() == fail_at || (!fail_on.empty() && (fail_on == verb || fail_on == calls.back()))) {
      throw base::Error(failure);
    }
  }

  static JobResult result_of(const std::map<std::string, JobResult>& results, const std::string& unit) {
    const auto found = results.find(unit);
    return found == results.end() ? JobResult{} : found->second;
  }

  [[nodiscard]] UnitState look_up(const std::string& unit) const {
    if (only_unit_names && !is_unit_name(unit)) {
      throw base::Error(base::ErrorKind::failed, "systemd refuses to show " + unit);
    }
    UnitState state = links_ ? links_->state(unit) : UnitState{};
    if (enabled.count(unit) != 0) {
      state.unit_file_state = "enabled";
    }
    if (const auto found = invocations.find(unit); found != invocations.end()) {
      state.invocation_id = std::to_string(found->second);
    }
    if (active.count(unit) != 0) {
      state.load_state = "loaded";
      state.active_state = "active";
      state.sub_state = "running";
      state.main_pid = 4242;
    } else if (failed.count(unit) != 0) {
      state.load_state = "loaded";
      state.active_state = "failed";
      state.sub_state = "failed";
      state.result = "exit-code";
    }
    return state;
  }

  std::unique_ptr<Systemd> links_;
};

}  // namespace berth::host::testing
