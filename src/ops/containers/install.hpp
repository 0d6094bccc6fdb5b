// SPDX-License-Identifier: LGPL-2.1-or-later
// berth install: installs an image as a systemd service.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/change/deployment_switch.hpp"
#include "ops/context.hpp"
#include "ops/plan/install_plan.hpp"

namespace berth::ops {

struct InstallRequest {
  std::string image;             ///< [SOURCE:]IMAGE
  std::string name;              ///< --name; empty: derived from the image
  std::vector<std::string> set;  ///< --set NAME=VALUE
  std::string runtime;           ///< --runtime; empty: the first configured one that exists
  std::string rootfs;            ///< --rootfs; empty: the image is checked out
  std::string system_package = "auto";
  std::string authfile;
  std::string login{};  ///< as PullRequest::login
  std::string platform;
  bool only_plan = false;  ///< --display, --dry-run: change nothing
  bool start = false;      ///< --now
};

struct InstallOutcome {
  bool already_present = false;  ///< the name is installed; nothing was done
  bool started = false;          ///< with --now
  std::string name;
  std::optional<InstallPlan> plan;  ///< empty also for atomic.run=once: run_image runs it instead
};

/// @param hook fault injection for tests
/// @throws Error; the host is unchanged then
InstallOutcome install(Context& context, const InstallRequest& request, const StepHook& hook = {});

/// @return the journal record of an install
SwitchRecord install_record(const Context& context, const InstallPlan& plan, bool start);

/// Parses --set options. @throws Error(usage)
render::Values parse_set(const std::vector<std::string>& assignments);

/// What was done; of an outcome that is only a plan see to_json(const InstallPlan&) (berth-install.schema.json).
base::Json to_json(const InstallOutcome& outcome);

}  // namespace berth::ops
