// berth install: from an image to a unit that systemd knows.
#pragma once

#include <optional>
#include <string>
#include <vector>

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
  std::string name;
  std::optional<InstallPlan> plan;  ///< none either for atomic.run=once: nothing was done, it is to be run (run.hpp)
};

/// @param hook fault injection for tests
/// @throws Error; the host is then as it was
InstallOutcome install(Context& context, const InstallRequest& request, const StepHook& hook = {});

/// What an install of `plan` will do, noted.
SwitchRecord note_of_install(const Context& context, const InstallPlan& plan, bool start);

/// --set options. @throws Error(usage)
render::Values parse_set(const std::vector<std::string>& assignments);

}  // namespace berth::ops
