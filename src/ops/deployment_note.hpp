// The journal notes of install and uninstall as types: what has to be undone or finished after an interruption.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "ops/plan.hpp"

namespace berth::ops {

/// A path on the host and the checksum by which we recognise our own work.
struct NotedFile {
  std::string path;      ///< inside the root
  std::string checksum;  ///< sha256 hex; empty for folders
};

/// All that an install may have made; enough to take it back without the plan.
struct InstallNote {
  std::string name;
  int slot = 0;
  bool has_unit = false;
  std::vector<NotedFile> files;             ///< host files, then tmpfiles and unit, in order of creation
  std::vector<std::string> tmpfiles_paths;  ///< made by systemd-tmpfiles, outermost first
};

/// All that an uninstall removes; enough to finish it without the info file.
struct UninstallNote {
  std::string name;
  bool has_unit = false;
  bool was_active = false;
  bool was_enabled = false;
  bool committed = false;        ///< beyond this there is no way back
  std::vector<NotedFile> files;  ///< recorded host files and folders, outermost first
};

InstallNote note_of_plan(const InstallPlan& plan, const host::Layout& layout);

base::Json to_json(const InstallNote& note);
base::Json to_json(const UninstallNote& note);
/// nullopt when the note is of another operation. @throws Error(verification) for a damaged one
std::optional<InstallNote> install_note(const base::Json& json);
std::optional<UninstallNote> uninstall_note(const base::Json& json);

}  // namespace berth::ops
