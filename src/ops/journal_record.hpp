// The journal notes of changes as types: what has to be undone or finished after an interruption.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "host/state/deployment.hpp"

namespace berth::ops {

/// Ends the names of texts that are kept. Neither systemd nor systemd-tmpfiles reads files with such an end.
inline constexpr const char* saved_suffix = ".saved";

/// A path on the host and the checksum by which we recognise our own work.
struct NotedFile {
  std::string path;      ///< inside the root
  std::string checksum;  ///< sha256 hex; empty for directories
};

/// The package that holds the host files of a deployment.
struct NotedPackage {
  std::string name;                      ///< empty for none
  std::vector<NotedFile> configuration;  ///< files below /etc, which stay when somebody edited them
};

/// A unit that came with the host files of a deployment and is replaced or removed with them.
struct NotedUnit {
  std::string name;
  bool active = false;
  bool enabled = false;
  bool stays = false;  ///< the other deployment has another file of that name
};

/// What one deployment has on the host.
struct NotedDeployment {
  int slot = 0;
  std::string unit;              ///< sha256 hex of the unit file; empty for none
  std::string tmpfiles;          ///< sha256 hex of the tmpfiles.d lines; empty for none
  std::vector<NotedFile> files;  ///< host files and directories that the change removes or creates, outermost first
  NotedPackage package;          ///< holds them instead
};

/// A volume that goes with the change, from one directory of the host to another.
struct NotedMove {
  std::string from;  ///< absolute, inside the root
  std::string to;
};

/// A volume that is made new, with what the image has there.
struct NotedFill {
  std::string path;     ///< absolute, inside the root
  std::string content;  ///< absolute, inside the image
};

/// A switch from one deployment of a container to another, or to its first one; enough to take it back, or to finish
/// it, without the plan.
struct SwitchRecord {
  std::string operation;  ///< install, update, rollback: for people
  std::string name;
  std::string secret;                     ///< of the names under which files wait meanwhile (host::hidden_name)
  std::string boot_id;                    ///< of the boot in which it began
  std::optional<NotedDeployment> before;  ///< none: an install
  NotedDeployment after;
  bool prepared = true;                         ///< `after` is made by this change, and goes when it is taken back
  bool had_place = false;                       ///< another deployment had the slot of `after` and waits aside
  bool was_active = false;                      ///< the service ran
  bool starts = false;                          ///< it is to run afterwards
  bool was_enabled = false;                     ///< `before` was enabled
  bool enables = false;                         ///< `after` is to be enabled
  bool relinks = false;                         ///< the links that enable it change
  std::vector<std::string> link_directories{};  ///< that this makes or may leave empty
  std::vector<std::string> tmpfiles_paths;      ///< made by systemd-tmpfiles, outermost first
  std::vector<NotedMove> moves{};               ///< volumes that change their place
  std::vector<NotedFill> fills{};               ///< volumes that are made new
  bool committed = false;                       ///< beyond this there is no way back
  std::string invocation{};                     ///< UnitState::invocation_id of the service before; may be empty
  std::string runtime{};                        ///< OCI runtime of `before`; empty when nobody knows
  std::vector<std::string> taken_along{};       ///< active units that are stopped with the service
  bool masked = false;                          ///< an administrator's mask stands in place of the unit file, and stays
  std::string saved_unit{};                     ///< path under which the text of an edited unit is kept; empty for none
  std::string saved_tmpfiles{};                 ///< the same for tmpfiles.d lines
  bool links_known = false;                     ///< the two lists say how the links change
  std::vector<std::string> made_links{};        ///< links that enable `after` and were not there
  std::vector<std::string> dropped_links{};     ///< links that enabled `before` and are not asked for any more
  std::vector<NotedUnit> companions{};          ///< units among the host files that change
  bool tmpfiles_masked = false;                 ///< as `masked`, of the tmpfiles.d lines
  std::vector<std::string> also_units{};        ///< that `after` enables with itself ([Install] Also=)
  std::vector<std::string> also_links{};        ///< links to those that were there before
};

/// All that an uninstall removes; enough to finish it without the info file.
struct UninstallNote {
  std::string name;
  std::string secret;  ///< as that of a SwitchRecord
  bool has_unit = false;
  bool was_active = false;
  bool was_enabled = false;
  std::vector<std::string> links;          ///< that enable the unit, inside the root
  bool committed = false;                  ///< beyond this there is no way back
  std::vector<NotedFile> files;            ///< recorded host files and directories, outermost first
  NotedPackage package;                    ///< holds them instead
  int slot = 0;                            ///< of the deployment that has the package
  std::string runtime{};                   ///< its OCI runtime; empty when nobody knows
  std::string invocation{};                ///< UnitState::invocation_id of the service before; may be empty
  std::string pid_file{};                  ///< of the default kind, inside the root; empty for none
  std::vector<std::string> taken_along{};  ///< active units that are stopped with the service
  std::string saved_unit{};                ///< path under which the text of an edited unit is kept; empty for none
  std::string saved_tmpfiles{};            ///< the same for tmpfiles.d lines
  std::vector<NotedUnit> companions{};     ///< units among the host files
};

/// The OCI runtime as a note names it; empty for one that is named without its path.
std::string noted_runtime(const host::DeploymentInfo& info);

base::Json to_json(const SwitchRecord& note);
base::Json to_json(const UninstallNote& note);
/// nullopt when the note is of another operation. @throws Error(verification) for a damaged one
std::optional<SwitchRecord> switch_note(const base::Json& json);
std::optional<UninstallNote> uninstall_note(const base::Json& json);

}  // namespace berth::ops
