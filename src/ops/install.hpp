// berth install: from an image to a unit that systemd knows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ops/deployment_note.hpp"
#include "ops/plan.hpp"
#include "ops/session.hpp"
#include "ops/transaction.hpp"

namespace berth::ops {

struct InstallRequest {
  std::string image;             ///< [SOURCE:]IMAGE
  std::string name;              ///< --name; empty: derived from the image
  std::vector<std::string> set;  ///< --set NAME=VALUE
  std::string runtime;           ///< --runtime; empty: the first configured one that exists
  std::string system_package = "auto";
  std::string authfile;
  std::string platform;
  bool only_plan = false;  ///< --display, --dry-run: change nothing
  bool start = false;      ///< --now
};

struct InstallOutcome {
  bool already_present = false;  ///< the name is installed; nothing was done
  std::string name;
  std::optional<InstallPlan> plan;
};

/// @param hook fault injection for tests
/// @throws Error; the host is then as it was
InstallOutcome install(Session& session, const InstallRequest& request, const StepHook& hook = {});

/// The steps that apply a plan whose deployment is prepared in `staging` (name of a folder below the deployments).
std::vector<Step> install_steps(Session& session, const InstallPlan& plan, const std::string& staging, bool start);

/// Takes back an install from its note, whatever had been done of it.
void undo_install(Session& session, const InstallNote& note);

/// Name of the folder in which a deployment of `name` is prepared, below the deployments.
std::string staging_name(const std::string& name);

}  // namespace berth::ops
