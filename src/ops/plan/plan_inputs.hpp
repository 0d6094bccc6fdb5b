// SPDX-License-Identifier: LGPL-2.1-or-later
// Everything that a plan depends on.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "host/layout.hpp"
#include "host/machine/facts.hpp"
#include "host/machine/package_tool.hpp"
#include "ops/plan/host_probe.hpp"
#include "ops/plan/shared_host_files.hpp"
#include "render/exports/exports.hpp"
#include "render/spec/config_json.hpp"
#include "render/template/values.hpp"

namespace berth::ops {

/// Paths of the deployment that the planned one replaces. They exist on the host and may be used again.
struct ReusablePaths {
  std::set<std::string> host_files;      ///< recorded and unchanged since; recorded directories
  std::set<std::string> tmpfiles_paths;  ///< created by its tmpfiles.d lines
};

/// What the user or the replaced deployment decides.
struct PlanRequest {
  render::Values set;  ///< --set; wins over the image's defaults
  std::string uuid;    ///< used unless `set` or a default gives one
  host::Runtime runtime;
  std::string system_package = "no";  ///< yes, no, or auto: when the image asks for one
  bool local = false;                 ///< the image came from a layout or archive
  std::string name{};                 ///< value of $NAME; empty: the name of the deployment
  bool one_off = false;               ///< the image is run once, not installed
  ReusablePaths replaced;
  std::string volume_directory{};  ///< directory where existing volumes stay; empty: the default one
};

/// The deployment to plan.
struct PlanTarget {
  std::string name;  ///< of the container
  int slot = 0;
  std::string remote_rootfs;  ///< --rootfs, absolute inside the root; empty: the deployment's own
  std::int64_t created = 0;   ///< epoch seconds, for the info file
  bool for_package = false;   ///< it goes into a package: host files that exist on this host do not matter
  bool preview = false;       ///< for the image's author: problems that refuse an install are reported elsewhere
};

/// The image. Not owned: configuration and exports.
struct ImageFacts {
  std::string name;  ///< canonical
  std::string id;
  std::string commit;
  const image::ImageConfig& config;
  const render::Exports& exports;
};

/// The host. Not owned: layout and facts.
struct HostFacts {
  const host::Layout& layout;
  const host::Facts& facts;
  render::HostFeatures features;
  std::optional<host::PackageKind> package_kind;  ///< nullopt: the host has no package manager that berth knows
  std::string default_service_template;           ///< for an image that has no template of its own
  OtherContainersFiles others;
};

/// Making a plan uses these alone; only the probe reads the host, and only when it is called.
struct PlanInputs {
  PlanTarget target;
  ImageFacts image;
  HostFacts host;
  PlanRequest request;
  const HostProbe& probe;
};

}  // namespace berth::ops
