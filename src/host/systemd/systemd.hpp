// SPDX-License-Identifier: LGPL-2.1-or-later
// The interface to systemd: sd-bus on a running host, links on disk for --root, a fake in unit tests.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "host/layout.hpp"

namespace berth::host {

/// How a job ended.
struct JobResult {
  bool done = true;
  std::string result = "done";  ///< of JobRemoved: done, canceled, timeout, failed, dependency, skipped…
  std::string reason;           ///< for messages, to follow "X did not start: ": "exited with status 1"
};

/// Properties of one unit, from org.freedesktop.systemd1.
struct UnitState {
  std::string load_state = "not-found";
  std::string load_error;  ///< why it could not be loaded; empty otherwise
  std::string active_state = "inactive";
  std::string sub_state = "dead";
  std::string result = "success";
  std::string unit_file_state;
  pid_t main_pid = 0;
  std::string control_group;
  std::string slice;                ///< Slice= that applies from the next start on
  bool waits = false;               ///< a job for it is queued or running
  std::int32_t exec_main_code = 0;  ///< CLD_* of the last main process
  std::int32_t exec_main_status = 0;
  std::string type;                ///< Type= of a service
  std::uint32_t restarts = 0;      ///< NRestarts: automatic restarts since the last start
  std::string invocation_id;       ///< hex; changes with every start
  std::string unmet;               ///< the condition that made the last start a no-op: "ConditionPathExists=/x"
  std::uint64_t active_enter = 0;  ///< time of the last activation, µs of the monotonic clock; 0: never
  std::uint64_t active_exit = 0;   ///< time of the last deactivation
  std::uint64_t main_exit = 0;     ///< when its last main process ended
  /// Units that start it: sockets, timers, paths, Upholds= of others.
  std::vector<std::string> started_by;
};

/// Whether the service runs or is starting.
inline bool is_active(const UnitState& unit) {
  return unit.active_state == "active" || unit.active_state == "activating" || unit.active_state == "reloading";
}

/// Whether a service was stopped on request and did not end by itself: it was deactivated before its main process
/// ended.
bool was_stopped(const UnitState& unit);

/// The changes of an enable, so that it can be undone.
struct EnableResult {
  std::vector<std::string> created_links;  ///< absolute, inside the root
};

/// All methods throw Error when systemd refuses a request or cannot be reached.
class Systemd {
 public:
  virtual ~Systemd() = default;
  virtual void reload() = 0;
  virtual EnableResult enable(const std::string& unit) = 0;
  /// Not an error when the unit does not exist or is not enabled.
  virtual void disable(const std::string& unit) = 0;
  /// Waits for the job. A stop request during the wait ends the wait (the job continues) and throws Interrupted; an
  /// earlier one does not, so that an undo after Ctrl-C can still start and stop units.
  virtual JobResult start(const std::string& unit) = 0;
  /// As start. A unit that is not loaded or not active is success.
  virtual JobResult stop(const std::string& unit) = 0;
  /// As start; a unit that is not active is started.
  virtual JobResult restart(const std::string& unit) = 0;
  /// The active units that systemd stops together with `units`, because they require, are bound to or are part of one
  /// of them or of each other (systemd.unit(5)); in the order in which they became active.
  virtual std::vector<std::string> stopped_with(const std::vector<std::string>& units) = 0;
  /// As start, for a unit that was stopped together with another one. The dependencies of a target are not started.
  virtual JobResult start_again(const std::string& unit) = 0;
  /// Moves this process into the new transient scope `scope` (systemd.scope(5)) in Layout::default_slice(). The scope
  /// ends with its last process. Its cgroup is delegated, so that a container can have its own cgroup next to that of
  /// this process. @return the cgroup of the scope, e.g. `/system.slice/web-run-1a2b.scope`
  virtual std::string enter_scope(const std::string& scope, const std::string& description) = 0;
  /// States of all named units in one call; a unit systemd does not know is `not-found`. Only load_state,
  /// active_state and sub_state are filled in; state() has the rest.
  virtual std::map<std::string, UnitState> states(const std::vector<std::string>& units) = 0;
  /// All properties of one unit.
  virtual UnitState state(const std::string& unit) = 0;
  /// systemd-tmpfiles --create / --remove of one configuration. @param conf path inside the root
  virtual void create_tmpfiles(const std::string& conf) = 0;
  virtual void remove_tmpfiles(const std::string& conf) = 0;
  /// Forgets a failed state (ResetFailedUnit); not an error when it has not failed.
  virtual void reset_failed(const std::string& unit) = 0;
  /// The last `count` journal lines of a unit, oldest first; empty without a journal. For a unit that this object
  /// started, only lines since that start, because earlier ones may come from another container of the same name;
  /// before a start, only lines since the last reload.
  virtual std::vector<std::string> journal_tail(const std::string& unit, std::size_t count) = 0;
};

/// Options of a connection to systemd; the defaults are for a running host.
struct BusOptions {
  /// D-Bus address of systemd itself as the peer, e.g. "unix:path=/run/systemd/private"; empty: search.
  std::string address;
  std::chrono::seconds job_timeout{0};    ///< of start and stop; 0: only the unit's own timeouts apply
  std::chrono::seconds call_timeout{90};  ///< for a reply; a reload runs all generators
  std::chrono::seconds patience{10};      ///< for reconnecting to a bus or a systemd that is being restarted
  std::string tmpfiles_program = "systemd-tmpfiles";
  std::string user_runtime;  ///< runtime directory of the user whose systemd to use; empty: the system's
};

/// systemd of the running host, over the system bus, or over /run/systemd/private when there is no bus daemon or
/// systemd is not on the bus yet. Connects at the first call that needs it. Not thread-safe. Calls throw Error(failed)
/// with the remedy when neither answers.
std::unique_ptr<Systemd> make_bus_systemd(base::Reporter& reporter, std::stop_token stop, BusOptions options = {});

/// systemd early in the boot, over its own socket, because there is no bus daemon yet. start, stop and tmpfiles do
/// nothing and every unit is inactive: the boot itself starts enabled units and runs systemd-tmpfiles, and waiting for
/// a job could deadlock.
std::unique_ptr<Systemd> make_boot_systemd(base::Reporter& reporter, std::stop_token stop);

/// systemd of a root that is not running (--root): enable and disable make and remove the links of [Install]
/// (systemd.unit(5)) below the root; start and stop throw Error(not_permitted); reload and tmpfiles do nothing, because
/// the next boot does both; every unit is inactive.
std::unique_ptr<Systemd> make_offline_systemd(const Layout& layout, base::Reporter& reporter);

}  // namespace berth::host
