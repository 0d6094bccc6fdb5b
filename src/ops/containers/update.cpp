// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/update.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/state/deployment.hpp"
#include "ops/change/privilege_growth.hpp"
#include "ops/change/recover.hpp"
#include "ops/change/replacement.hpp"
#include "ops/change/staged_deployment.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/update_resolver.hpp"
#include "ops/footprint/enablement.hpp"
#include "ops/footprint/installed_unit.hpp"
#include "ops/plan/remote_rootfs.hpp"
#include "ops/result_json.hpp"
#include "ops/runtime/one_off.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

bool changes_values(const host::DeploymentInfo& info, const render::Values& set) {
  return std::any_of(set.begin(), set.end(), [&](const auto& entry) {
    const auto found = info.values.find(entry.first);
    return found == info.values.end() || found->second != entry.second;
  });
}

/// One update, under the container's lock.
class Update {
 public:
  Update(Context& context, const std::string& name, const UpdateRequest& request, UpdateResolver& images,
         UpdateOutcome& outcome)
      : context_(context),
        request_(request),
        images_(images),
        outcome_(outcome),
        set_(parse_set(request.set)),
        before_(changeable_deployment(context, name)) {}

  void run(const StepHook& hook) {
    const auto& info = before_.info;
    outcome_.image = info.image;
    outcome_.id_before = outcome_.id_after = info.revision;
    auto chosen = info.remote.empty() ? images_.choose(info, request_) : remote_image();
    if (!context_.forced_image_id.empty()) {
      chosen.image.id = context_.forced_image_id;
    }
    outcome_.image = chosen.image.name;
    outcome_.id_latest = chosen.image.id;
    const auto damage = damage_of_deployment(before_.path, before_.name, info.has_container_service);
    if (is_of_image(info, chosen.image) && !changes_values(info, set_) && damage.empty()) {
      restore_missing_texts(context_, before_);
      return;
    }
    if (!damage.empty()) {
      context_.reporter.warning(fmt::format("{}; the deployment is replaced", damage));
    }
    deploy(chosen, hook);
    outcome_.id_after = chosen.image.id;
    outcome_.changed = true;
  }

 private:
  void deploy(const ChosenImage& chosen, const StepHook& hook) {
    refuse_while_one_off_runs(context_, {host::slot_name(before_.name, other_slot(before_))});
    const auto footprint = footprint_of(context_, before_);
    StagedDeployment staged(context_, before_.name, other_slot(before_));
    if (const auto& remote = before_.info.remote; remote.empty()) {
      staged.check_out(images_.store(), chosen.image);
      images_.release();  // the store is not needed during the health gate
    } else {
      staged.use_remote(find_remote_rootfs(context_.layout, remote), chosen.image);
    }
    check_stop(context_.stop);
    auto plan = staged.plan(request_of_update(context_, before_, set_, chosen.local, footprint));
    keep_unknown_keys(plan);
    if (const auto grown = new_privileges(before_, plan); !grown.empty()) {
      context_.reporter.warning(
          fmt::format("{} asks for additional privileges: {}", before_.name, fmt::join(grown, "; ")));
    }
    carry_disablement(context_, before_, plan.unit, plan.info);
    report_plan(context_, plan, footprint.edited);
    staged.write(plan);
    const auto record = replacement_record(context_, "update", before_, footprint, plan, true);
    const auto rootfs = host::slot_name(plan.name, plan.slot) + "/rootfs";
    outcome_.stopped =
        !replace_deployment(context_, record, {&plan, staged.directory(), rootfs, {}}, request_.gate, hook);
  }

  /// berth does not change a remote root file system: only the configuration and the host files are updated.
  ChosenImage remote_image() const {
    if (!request_.rebase.empty()) {
      throw Error(ErrorKind::usage,
                  fmt::format("{} runs from {}, not from an image", before_.name, before_.info.remote),
                  "uninstall it, and install it without --rootfs");
    }
    auto image = named_image(context_, image_name_of(before_.info));
    if (image.id.empty()) {
      image.id = before_.info.revision;
      image.commit = before_.info.ostree_commit;
    }
    return {std::move(image), before_.info.local};
  }

  /// Keeps what other tools wrote into info.
  void keep_unknown_keys(InstallPlan& plan) const {
    auto& document = plan.info.document;
    for (const auto& [key, value] : before_.info.document.items()) {
      if (!document.contains(key) && key != "local" && key != "health-check" && key != "version") {
        document[key] = value;
      }
    }
  }

  Context& context_;
  const UpdateRequest& request_;
  UpdateResolver& images_;
  UpdateOutcome& outcome_;
  render::Values set_;
  host::Deployment before_;
};

/// @param request its name is not used
void update_one(Context& context, const std::string& name, const UpdateRequest& request, UpdateResolver& images,
                UpdateOutcome& outcome, const StepHook& hook) {
  const auto lock = lock_container(context, name);
  base::in_context([&] { return fmt::format("updating {}", name); },
                   [&] { Update(context, name, request, images, outcome).run(hook); });
}

/// @return names of the active units of the containers
std::set<std::string> running_services(const Context& context, const std::vector<host::Deployment>& deployments) {
  std::vector<std::string> units;
  for (const auto& deployment : deployments) {
    if (deployment.info.has_container_service && !context.layout.offline()) {
      units.push_back(host::unit_name(deployment.name));
    }
  }
  std::set<std::string> running;
  for (const auto& [unit, state] : context.systemd.states(units)) {
    if (host::is_active(state)) {
      running.insert(unit);
    }
  }
  return running;
}

/// Reports services that are not running any more. Called after all updates, because the update of one container may
/// stop another one.
void check_running(const Context& context, const std::vector<host::Deployment>& deployments,
                   const std::set<std::string>& before, std::vector<UpdateRow>& rows) {
  const auto after = running_services(context, deployments);
  for (auto& row : rows) {
    const auto unit = host::unit_name(row.container);
    if (before.contains(unit) && !after.contains(unit) && !row.error && !row.outcome.stopped) {
      row.status = "not running";
      row.error =
          Error(ErrorKind::failed, fmt::format("{} was running before the updates and is not running now", unit),
                fmt::format("start it with: {} start {}", context.layout.command("systemctl"), row.container));
    }
  }
}

UpdateRow row_of_failure(UpdateRow row, const Error& error) {
  row.status = error.kind() == ErrorKind::start_failed ? "rolled back" : "failed";
  row.error = error;
  return row;
}

}  // namespace

UpdateOutcome update(Context& context, const UpdateRequest& request, const StepHook& hook) {
  host::check_container_name(request.name);
  parse_set(request.set);  // to report usage errors before anything is fetched
  recover_pending(context);
  changeable_deployment(context, request.name);  // before a lock file is created for a name that does not exist
  UpdateResolver images(context);
  UpdateOutcome outcome;
  update_one(context, request.name, request, images, outcome, hook);
  return outcome;
}

std::vector<UpdateRow> update_all(Context& context, const UpdateRequest& request) {
  recover_pending(context);
  const auto list = host::list_deployments(context.layout);
  const auto running = running_services(context, list.deployments);
  UpdateResolver images(context);
  std::vector<UpdateRow> rows;
  for (const auto& broken : list.broken) {
    rows.push_back(row_of_failure({broken.name, "", {}, {}}, Error(ErrorKind::failed, broken.reason)));
  }
  for (const auto& deployment : list.deployments) {
    if (deployment.preinstalled) {
      continue;
    }
    UpdateRow row{deployment.name, "", {}, {}};
    try {
      update_one(context, deployment.name, request, images, row.outcome, {});
      row.status = row.outcome.changed ? "updated" : "unchanged";
    } catch (const Error& error) {
      row = row_of_failure(std::move(row), error);
    }
    images.release();
    rows.push_back(std::move(row));
  }
  check_running(context, list.deployments, running, rows);
  std::sort(rows.begin(), rows.end(),
            [](const auto& left, const auto& right) { return left.container < right.container; });
  return rows;
}

base::Json to_json(const UpdateRow& row) {
  return {{"container", row.container},
          {"image", or_null(row.outcome.image)},
          {"idBefore", or_null(row.outcome.id_before)},
          {"idAfter", or_null(row.outcome.id_after)},
          {"idLatest", or_null(row.outcome.id_latest)},
          {"status", row.status},
          {"error", row.error ? to_json(*row.error) : base::Json(nullptr)}};
}

base::Json to_json(const std::vector<UpdateRow>& rows) {
  return {{"containers", array_of(rows)}};
}

}  // namespace berth::ops
