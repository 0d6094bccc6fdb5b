// SPDX-License-Identifier: LGPL-2.1-or-later
// Journal records of changes: what is needed to undo or finish a change after an interruption.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "host/state/deployment.hpp"

namespace berth::ops {

/// Suffix of the copies of edited units and tmpfiles.d files. Neither systemd nor systemd-tmpfiles reads such files.
inline constexpr const char* saved_suffix = ".saved";

/// A file on the host, with the checksum of the content that berth wrote.
struct RecordedFile {
  std::string path;      ///< inside the root
  std::string checksum;  ///< sha256 hex; empty for directories
};

/// The package that holds the host files of a deployment.
struct RecordedPackage {
  std::string name;                         ///< empty if there is no package
  std::vector<RecordedFile> configuration;  ///< files below /etc, which are kept when edited
};

/// A unit that came with the host files of a deployment and is replaced or removed with them.
struct RecordedUnit {
  std::string name;
  bool active = false;
  bool enabled = false;
  bool stays = false;  ///< the other deployment has another file at this path
};

/// Files of one deployment on the host.
struct RecordedDeployment {
  int slot = 0;
  std::string unit;                 ///< sha256 hex of the unit file; empty: it has none
  std::string tmpfiles;             ///< sha256 hex of the tmpfiles.d lines; empty: it has none
  std::vector<RecordedFile> files;  ///< host files and directories that the change removes or creates, outermost first
  RecordedPackage package;          ///< that holds the host files instead
};

/// A volume that the change moves from one directory of the host to another.
struct RecordedMove {
  std::string from;  ///< absolute, inside the root
  std::string to;
};

/// A new volume, which is filled with the files that the image has there.
struct RecordedFill {
  std::string path;     ///< absolute, inside the root
  std::string content;  ///< absolute, inside the image
};

/// A switch from one deployment of a container to another, or to its first one. It is enough to undo or to finish the
/// switch without the plan.
struct SwitchRecord {
  std::string operation;  ///< install, update or rollback
  std::string name;
  std::string secret;                        ///< from which names of backups are derived (host::hidden_name)
  std::string boot_id;                       ///< boot in which the switch began
  std::optional<RecordedDeployment> before;  ///< not set: an install
  RecordedDeployment after;
  bool prepared = true;      ///< `after` is new: an undo removes it
  bool had_place = false;    ///< another deployment had the slot of `after` and is kept in waiting_name()
  bool was_active = false;   ///< the service ran
  bool starts = false;       ///< the service is to run afterwards
  bool was_enabled = false;  ///< `before` was enabled
  bool enables = false;      ///< `after` is to be enabled
  bool relinks = false;      ///< the links that enable it change
  std::vector<std::string> link_directories{};  ///< directories that this creates or may leave empty
  std::vector<std::string> tmpfiles_paths;      ///< created by systemd-tmpfiles, outermost first
  std::vector<RecordedMove> moves{};            ///< volumes that are moved
  std::vector<RecordedFill> fills{};            ///< new volumes
  bool committed = false;                       ///< the change can only be finished
  std::string invocation{};                     ///< UnitState::invocation_id of the service before; may be empty
  std::string runtime{};                        ///< OCI runtime of `before`; empty: unknown
  std::vector<std::string> taken_along{};       ///< active units that are stopped with the service
  bool masked = false;                          ///< the unit is masked by the administrator and stays masked
  std::string saved_unit{};                     ///< path of the copy of an edited unit; empty: it was not edited
  std::string saved_tmpfiles{};                 ///< the same for tmpfiles.d lines
  bool links_known = false;                     ///< `made_links` and `dropped_links` are valid
  std::vector<std::string> made_links{};        ///< links that enable `after` and did not exist
  std::vector<std::string> dropped_links{};     ///< links that enabled `before` and that `after` does not want
  std::vector<RecordedUnit> companions{};       ///< units among the host files that change
  bool tmpfiles_masked = false;                 ///< as `masked`, for the tmpfiles.d lines
  std::vector<std::string> also_units{};        ///< units that `after` enables with itself ([Install] Also=)
  std::vector<std::string> also_links{};        ///< links to those units that existed before
};

/// An uninstall: everything that it removes. It is enough to finish the uninstall without the info file.
struct UninstallRecord {
  std::string name;
  std::string secret;  ///< as in SwitchRecord
  bool has_unit = false;
  bool was_active = false;
  bool was_enabled = false;
  std::vector<std::string> links;          ///< links that enable the unit, inside the root
  bool committed = false;                  ///< the change can only be finished
  std::vector<RecordedFile> files;         ///< recorded host files and directories, outermost first
  RecordedPackage package;                 ///< that holds the host files instead
  int slot = 0;                            ///< slot of the deployment with the package
  std::string runtime{};                   ///< its OCI runtime; empty: unknown
  std::string invocation{};                ///< UnitState::invocation_id of the service before; may be empty
  std::string pid_file{};                  ///< PID file at the default path, inside the root; may be empty
  std::vector<std::string> taken_along{};  ///< active units that are stopped with the service
  std::string saved_unit{};                ///< path of the copy of an edited unit; empty: it was not edited
  std::string saved_tmpfiles{};            ///< the same for tmpfiles.d lines
  std::vector<RecordedUnit> companions{};  ///< units among the host files
};

/// The OCI runtime for a record; empty unless it is an absolute path.
std::string recorded_runtime(const host::DeploymentInfo& info);

base::Json to_json(const SwitchRecord& record);
base::Json to_json(const UninstallRecord& record);
/// nullopt when the record is that of another operation. @throws Error(verification) for a damaged one
std::optional<SwitchRecord> parse_switch_record(const base::Json& json);
std::optional<UninstallRecord> parse_uninstall_record(const base::Json& json);

}  // namespace berth::ops
