// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/rollback.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/files/host_file.hpp"
#include "host/state/deployment.hpp"
#include "ops/change/recover.hpp"
#include "ops/change/replacement.hpp"
#include "ops/change/staged_deployment.hpp"
#include "ops/footprint/enablement.hpp"
#include "ops/footprint/installed_unit.hpp"
#include "ops/plan/remote_rootfs.hpp"
#include "render/unit/tmpfiles.hpp"
#include "render/unit/unit.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// One rollback, under the container's lock. The deployment in the other slot is read into a plan.
class Rollback {
 public:
  Rollback(Context& context, const std::string& name)
      : context_(context),
        before_(changeable_deployment(context, name)),
        slot_name_(host::slot_name(name, other_slot(before_))) {}

  RollbackOutcome run(const GateOptions& gate, const StepHook& hook) {
    read_other();
    refuse_damaged();
    const auto footprint = footprint_of(context_, before_);
    StagedDeployment staged(context_, before_.name, plan_.slot);
    const auto rootfs = rootfs_path(staged);
    if (!plan_.info.installed_files.empty() && plan_.info.package.empty()) {
      staged.use_rootfs(rootfs);
      take_recorded(staged.host_files(plan_.values, footprint.replaced));
    }
    if (plan_.tmpfiles) {
      const auto root = open_root(context_);
      plan_.tmpfiles_paths = render::missing_tmpfiles_paths(
          *plan_.tmpfiles, [&](const std::string& path) { return host::host_exists(root.get(), path); });
    }
    mark_disablement();
    const auto record = replacement_record(context_, "rollback", before_, footprint, plan_, false);
    replace_deployment(context_, record, {&plan_, "", rootfs, {}}, gate, hook);
    return {before_.name, plan_.image, before_.info.revision, plan_.image_id};
  }

 private:
  /// Updates the mark in the deployment that becomes live: the administrator may have enabled or disabled the unit
  /// since.
  void mark_disablement() {
    auto info = plan_.info;
    carry_disablement(context_, before_, plan_.unit, info);
    if (info.document != plan_.info.document) {
      const auto deployments = open_deployments(context_);
      base::replace_file_at(deployments.get(), slot_name_ + "/info", host::write_info(info), 0600);
    }
  }

  void read_other() {
    const auto deployments = open_deployments(context_);
    const auto status = base::stat_at(deployments.get(), slot_name_);
    if (!status || !S_ISDIR(status->st_mode)) {
      throw Error(ErrorKind::not_found, fmt::format("{} has no other deployment", before_.name),
                  "an update creates one");
    }
    const auto directory = base::open_directory_at(deployments.get(), slot_name_);
    const auto text = base::read_file_at(directory.get(), "info", base::json_size_limit);
    if (!text) {
      throw Error(ErrorKind::failed, fmt::format("the other deployment of {} has no info file", before_.name),
                  "it is incomplete; the next update replaces it");
    }
    plan_.info = host::parse_info(*text, slot_name_ + "/info");
    refuse_damaged_files();
    plan_.name = before_.name;
    plan_.slot = other_slot(before_);
    plan_.deployment = context_.layout.deployment_in_root(plan_.name, plan_.slot);
    plan_.image = plan_.info.image;
    plan_.image_id = plan_.info.revision;
    plan_.commit = plan_.info.ostree_commit;
    plan_.runtime = plan_.info.runtime.empty() ? before_.info.runtime : plan_.info.runtime;
    plan_.values = plan_.info.values;
    if (plan_.info.has_container_service) {
      plan_.unit = base::read_file_at(directory.get(), host::unit_name(plan_.name), host::deployment_text_limit);
      if (!plan_.unit) {
        throw Error(ErrorKind::failed, fmt::format("the other deployment of {} has no unit file", before_.name),
                    "it is incomplete; the next update replaces it");
      }
    }
    plan_.config = base::read_file_at(directory.get(), "config.json", host::deployment_text_limit).value_or("");
    plan_.tmpfiles =
        base::read_file_at(directory.get(), host::tmpfiles_copy_name(plan_.name), host::deployment_text_limit);
  }

  void refuse_damaged_files() const {
    const auto path = fmt::format("{}/{}", context_.layout.deployments(), slot_name_);
    if (const auto damage = damage_of_deployment(path, before_.name, plan_.info.has_container_service);
        !damage.empty()) {
      throw Error(ErrorKind::verification,
                  fmt::format("the other deployment of {} is damaged: {}", before_.name, damage),
                  "it cannot be restored; the next update replaces it");
    }
  }

  /// Verifies the files when other users may have been able to change them.
  void refuse_damaged() {
    const auto store = plan_.commit.empty() ? std::nullopt : store::Store::open_existing(store_options(context_));
    const auto image = store ? store->describe(plan_.commit, plan_.image) : std::nullopt;
    if (!image || image->elsewhere || !image->merged || !store->verify_before_use(plan_.commit)) {
      return;
    }
    const auto path = fmt::format("{}/{}/rootfs", context_.layout.deployments(), slot_name_);
    const auto status = base::stat_at(AT_FDCWD, path);
    if (!status || !S_ISDIR(status->st_mode)) {
      return;
    }
    store::VerifyRequest request;
    request.checkouts.push_back({plan_.commit, path, plan_.info.has_container_service});
    if (const auto report = store->verify(request); !report.checkouts.empty()) {
      throw Error(ErrorKind::verification,
                  fmt::format("files of {} differ from what was deployed; they may have been changed by a disk error, "
                              "or by other users "
                              "before the directories were closed",
                              path),
                  fmt::format("berth images verify shows them; berth images repair {} repairs them", plan_.image));
    }
  }

  /// The root file system of a deployment with host files only was removed; it is checked out again.
  std::string rootfs_path(StagedDeployment& staged) {
    auto own = slot_name_ + "/rootfs";
    if (base::stat_at(AT_FDCWD, context_.layout.deployments() + "/" + own) || plan_.info.installed_files.empty()) {
      return own;
    }
    store::StoredImage image;
    image.name = plan_.image;
    if (const auto& remote = plan_.info.remote; !remote.empty()) {
      staged.use_remote(find_remote_rootfs(context_.layout, remote), image);
      return staged.directory() + "/rootfs";
    }
    auto store = store::Store::open(store_options(context_));
    image.commit = plan_.commit;
    staged.check_out(store, image);
    return staged.directory() + "/rootfs";
  }

  /// Restores only the host files that the deployment recorded.
  void take_recorded(std::vector<PlannedFile> files) {
    for (auto& planned : files) {
      const auto& recorded = plan_.info.installed_files;
      if (std::find(recorded.begin(), recorded.end(), planned.file.destination) == recorded.end()) {
        continue;
      }
      const auto checksum = host::recorded_checksum(plan_.info, planned.file.destination);
      if (!checksum.empty() && checksum != planned.checksum) {
        context_.reporter.warning(
            fmt::format("{} cannot be restored with its recorded content and is left out", planned.file.destination));
        continue;
      }
      plan_.files.push_back(std::move(planned));
    }
  }

  Context& context_;
  host::Deployment before_;
  std::string slot_name_;
  InstallPlan plan_;
};

}  // namespace

RollbackOutcome rollback(Context& context, const RollbackRequest& request, const StepHook& hook) {
  host::check_container_name(request.name);
  recover_pending(context);
  changeable_deployment(context, request.name);  // before a lock file is created for a name that does not exist
  const auto lock = lock_container(context, request.name);
  return base::in_context([&] { return fmt::format("rolling back {}", request.name); },
                          [&] { return Rollback(context, request.name).run(request.gate, hook); });
}

base::Json to_json(const RollbackOutcome& outcome) {
  return {{"container", outcome.container},
          {"image", outcome.image},
          {"idBefore", outcome.id_before},
          {"idAfter", outcome.id_after}};
}

}  // namespace berth::ops
