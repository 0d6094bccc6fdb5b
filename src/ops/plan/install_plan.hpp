// SPDX-License-Identifier: LGPL-2.1-or-later
// The plan of an install, as data.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/finding.hpp"
#include "host/machine/package_tool.hpp"
#include "host/state/deployment.hpp"
#include "ops/plan/planned_file.hpp"
#include "render/spec/volumes.hpp"
#include "render/template/values.hpp"

namespace berth::ops {

/// The package that will hold the host files.
struct PlannedPackage {
  host::PackageKind kind = host::PackageKind::deb;
  std::string name;
  std::string text;    ///< control file or spec file
  std::string lists;   ///< DEBIAN/conffiles: one path a line
  bool ready = false;  ///< the image brings the package itself, as exports/container.rpm
};

struct InstallPlan {
  std::string name;
  int slot = 0;
  std::string deployment;  ///< $DESTDIR: absolute path on the booted host
  std::string image;       ///< canonical image name
  std::string image_id;
  std::string commit;
  std::string runtime;  ///< absolute path, inside the root
  render::Values values;
  std::string config;                        ///< text of config.json; empty for an image that only brings host files
  std::string cgroups_path;                  ///< linux.cgroupsPath when config.json sets none
  std::vector<std::string> conversions;      ///< messages: what was changed in config.json
  std::optional<std::string> unit;           ///< not set with noContainerService
  std::optional<std::string> tmpfiles;       ///< not set when it would have no line
  std::vector<PlannedFile> files;            ///< directories before their entries
  std::optional<PlannedPackage> package;     ///< that holds `files`
  std::size_t left_out_files = 0;            ///< hostfs entries that a user's container does not get
  std::vector<std::string> kept_files;       ///< host files that exist and are not changed
  std::vector<std::string> tmpfiles_paths;   ///< missing paths that the tmpfiles.d lines will create
  std::vector<render::Volume> volumes;       ///< of a generated config.json
  base::Findings findings;                   ///< problems on this host; see plan_findings
  std::vector<std::string> privileges;       ///< privileges of the container, as messages
  std::vector<std::string> host_privileges;  ///< those of them that amount to root on this host
  host::DeploymentInfo info;
};

/// The member of an info document with InstallPlan::privileges.
inline constexpr const char* privileges_key = "privileges";
/// That member in documents of earlier versions.
inline constexpr const char* former_privileges_key = "powers";

}  // namespace berth::ops
