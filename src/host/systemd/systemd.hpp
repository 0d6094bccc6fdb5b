// systemd as berth needs it: sd-bus on a running host, links on disk for --root, a fake in unit tests.
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
  std::string result = "done";  ///< systemd's word: done, canceled, timeout, failed, dependency, skipped…
  std::string words;            ///< why, for people, to be put after "X did not start: ": "exited with status 1"
};

/// Properties of one unit, from org.freedesktop.systemd1.
struct UnitState {
  std::string load_state = "not-found";
  std::string load_error;  ///< why it could not be loaded, empty when it could
  std::string active_state = "inactive";
  std::string sub_state = "dead";
  std::string result = "success";
  std::string unit_file_state;
  pid_t main_pid = 0;
  std::string control_group;
  std::string slice;                ///< Slice= as it will hold from the next start on
  bool waits = false;               ///< a job is queued for it or at work
  std::int32_t exec_main_code = 0;  ///< CLD_* of the last main process
  std::int32_t exec_main_status = 0;
  std::string type;                ///< Type= of a service
  std::uint32_t restarts = 0;      ///< NRestarts: by itself, since it was started
  std::string invocation_id;       ///< hex; another one after every start
  std::string unmet;               ///< the condition for which the last start did nothing: "ConditionPathExists=/x"
  std::uint64_t active_enter = 0;  ///< when it became active last, µs of the monotonic clock; 0: never
  std::uint64_t active_exit = 0;   ///< when it ceased to be active last
  std::uint64_t main_exit = 0;     ///< when its last main process ended
  std::vector<std::string>
      started_by;  ///< units that start it by themselves: sockets, timers, paths, Upholds= of others
};

/// The service runs, or is on its way there.
inline bool is_active(const UnitState& unit) {
  return unit.active_state == "active" || unit.active_state == "activating" || unit.active_state == "reloading";
}

/// A service that ended because somebody had it stopped, not by itself: systemd ended it while its main process lived.
bool was_stopped(const UnitState& unit);

/// What an enable changed, so that it can be undone.
struct EnableResult {
  std::vector<std::string> created_links;  ///< absolute, inside the root
};

/// Every call throws Error when systemd refuses or cannot be reached.
class Systemd {
 public:
  virtual ~Systemd() = default;
  virtual void reload() = 0;
  virtual EnableResult enable(const std::string& unit) = 0;
  /// Not an error when the unit does not exist or is not enabled.
  virtual void disable(const std::string& unit) = 0;
  /// Waits for the job. A stop request that comes during the wait ends it (the job goes on) and throws interrupted; one
  /// that was made before does not, so that an undo after Ctrl-C can still start and stop units.
  virtual JobResult start(const std::string& unit) = 0;
  /// As start. A unit that is not loaded or not active is success.
  virtual JobResult stop(const std::string& unit) = 0;
  /// As start; a unit that is not active is started.
  virtual JobResult restart(const std::string& unit) = 0;
  /// The active units that systemd stops when it stops `units`, for they require, are bound to or are part of one of
  /// them or of each other (systemd.unit(5)); in the order in which they became active.
  virtual std::vector<std::string> stopped_with(const std::vector<std::string>& units) = 0;
  /// As start, for a unit that was stopped with another one. Of a target nothing is started that it wants.
  virtual JobResult start_again(const std::string& unit) = 0;
  /// Moves this process into the new transient scope `scope` (systemd.scope(5)), which ends when its last process does
  /// and whose cgroup is delegated: a container may have a cgroup of its own beside ours below it.
  /// It is in Layout::default_slice(). @return the cgroup of the scope, e.g. `/system.slice/web-run-1a2b.scope`
  virtual std::string enter_scope(const std::string& scope, const std::string& description) = 0;
  /// States of all named units in one call; a unit systemd does not know is `not-found`. Only load_state,
  /// active_state and sub_state are filled in; state() has the rest.
  virtual std::map<std::string, UnitState> states(const std::vector<std::string>& units) = 0;
  /// Everything about one unit.
  virtual UnitState state(const std::string& unit) = 0;
  /// systemd-tmpfiles --create / --remove of one configuration. @param conf path inside the root
  virtual void create_tmpfiles(const std::string& conf) = 0;
  virtual void remove_tmpfiles(const std::string& conf) = 0;
  /// Forgets a failed state (ResetFailedUnit); not an error when there is none.
  virtual void reset_failed(const std::string& unit) = 0;
  /// The last `count` journal lines of a unit, oldest first; empty when there is no journal. Of a unit that was started
  /// by this object only those since then, for earlier ones may be of another container of its name; before a start,
  /// those since the last reload.
  virtual std::vector<std::string> journal_tail(const std::string& unit, std::size_t count) = 0;
};

/// What a connection to systemd depends on; the defaults are those of a running host.
struct BusOptions {
  /// D-Bus address of a peer that is systemd itself, e.g. "unix:path=/run/systemd/private", instead of the search.
  std::string address;
  std::chrono::seconds job_timeout{0};  ///< how long start and stop wait; 0: as long as the unit's own timeouts let it
  std::chrono::seconds call_timeout{90};  ///< for an answer; a reload runs all generators
  std::chrono::seconds patience{10};      ///< for a bus or a systemd that was there and is being restarted
  std::string tmpfiles_program = "systemd-tmpfiles";
  std::string user_runtime;  ///< the runtime directory of a user whose own systemd is meant; empty: the system's
};

/// The running host: the system bus, or /run/systemd/private when there is no bus daemon (or systemd is not on it yet).
/// Connects at the first call that needs it. To be used by one thread. @throws Error(failed) with the remedy when
/// neither answers
std::unique_ptr<Systemd> make_bus_systemd(base::Reporter& reporter, std::stop_token stop, BusOptions options = {});

/// For the time before the boot has come far enough: over systemd's own socket, for there is no bus daemon yet. start,
/// stop and tmpfiles do nothing and every unit is inactive: the boot itself starts what is enabled and runs
/// systemd-tmpfiles, and waiting for a job here could wait for ever.
std::unique_ptr<Systemd> make_boot_systemd(base::Reporter& reporter, std::stop_token stop);

/// For --root: enable and disable make the links that [Install] asks for (systemd.unit(5)) below the root; start
/// and stop are Error(not_permitted); reload and tmpfiles do nothing, for the next boot does them; every unit is
/// inactive.
std::unique_ptr<Systemd> make_offline_systemd(const Layout& layout, base::Reporter& reporter);

}  // namespace berth::host
