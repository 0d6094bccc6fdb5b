// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/change/staged_deployment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/files/private_directory.hpp"
#include "ops/deployments_directory.hpp"
#include "ops/footprint/system_package.hpp"
#include "ops/plan/mount_points.hpp"
#include "ops/plan/plan.hpp"
#include "ops/plan/plan_findings.hpp"
#include "ops/plan/remote_rootfs.hpp"
#include "ops/plan/shared_host_files.hpp"
#include "ops/private_deployment.hpp"
#include "ops/rootless.hpp"
#include "render/spec/config_json.hpp"

namespace berth::ops {

StagedDeployment::StagedDeployment(Context& context, std::string name, int slot, const host::Layout* package)
    : context_(context),
      name_(std::move(name)),
      slot_(slot),
      directory_name_(staging_name(name_)),
      deployments_(open_deployments(context)),
      root_(base::open_host_directory((package != nullptr ? *package : context.layout).root())),
      for_package_(package != nullptr),
      probe_(root_.get(), files_) {
  base::remove_tree_at(deployments_.get(), directory_name_);
  base::check_errno(::mkdirat(deployments_.get(), directory_name_.c_str(), 0700), "create " + directory_name_);
  staging_ = base::open_directory_at(deployments_.get(), directory_name_);
}

StagedDeployment::~StagedDeployment() {
  try {
    remove_users_tree(context_, deployments_.get(), directory_name_);
  } catch (...) {
    context_.reporter.warning(base::current_message());
  }
}

std::string StagedDeployment::throwaway_repository() const {
  return fmt::format("{}/{}/repository", context_.layout.deployments(), directory_name_);
}

void StagedDeployment::check_linkable(const store::Store& store) const {
  store.check_linkable(staging_.get());
}

void StagedDeployment::set_image(const store::StoredImage& image) {
  files_.set_image(image);
  if (!context_.forced_image_id.empty()) {
    files_.image.id = context_.forced_image_id;
  }
}

void StagedDeployment::check_out(store::Store& store, const store::StoredImage& image, store::CheckoutFiles files) {
  store.hold();
  set_image(image);
  write_use_record();
  base::in_context([&] { return fmt::format("checking out {}", image.name); },
                   [&] { store.checkout(image.commit, staging_.get(), "rootfs", files); });
  use_rootfs(directory_name_ + "/rootfs");
}

/// Writes a first info file, by which a prune sees that the commit is in use: also when its branch is deleted, or the
/// store's lock released, before the deployment is complete.
void StagedDeployment::write_use_record() const {
  host::DeploymentInfo info;
  info.image = files_.image.name;
  info.revision = files_.image.id;
  info.ostree_commit = files_.image.commit;
  base::replace_file_at(staging_.get(), "info", host::write_info(info), 0600);
}

void StagedDeployment::use_remote(const std::string& remote, const store::StoredImage& image) {
  set_image(image);
  remote_ = remote;
  if (!context_.layout.user() && host::others_can_reach(root_.get(), remote)) {
    context_.reporter.warning(
        fmt::format("other users can enter {} and use its files, setuid programs included; put it below a directory of "
                    "mode 0700 that belongs to root",
                    remote));
  }
  base::check_errno(::symlinkat(remote_.c_str(), staging_.get(), "rootfs"), "make the link rootfs");
  use_rootfs(directory_name_ + "/rootfs");
}

void StagedDeployment::use_rootfs(const std::string& path) {
  files_.read(open_rootfs(context_.layout, path), context_.reporter);
}

PlanInputs StagedDeployment::inputs(PlanRequest request) const {
  PlanInputs in{{name_, slot_, remote_, plan_time(), for_package_, false},
                image_facts(files_),
                host_facts(context_, root_.get()),
                std::move(request),
                probe_};
  if (!for_package_) {
    in.host.others = OtherContainersFiles(context_.layout, name_);
  }
  return in;
}

InstallPlan StagedDeployment::plan(const PlanRequest& request) const {
  auto in = inputs(request);
  in.host.default_service_template = default_service_template(context_, files_.exports);
  return make_plan(in);
}

std::vector<PlannedFile> StagedDeployment::host_files(const render::Values& values,
                                                      const ReusablePaths& replaced) const {
  PlanRequest request;
  request.replaced = replaced;
  return plan_host_files(inputs(std::move(request)), values).files;
}

void StagedDeployment::become_self_contained(const std::string& config) const {
  base::remove_tree_at(staging_.get(), "repository");  // the hard links to its objects remain
  if (!config.empty()) {
    make_mount_points(root_.get(), files_.rootfs.get(), base::parse_json(config, "config.json"));
  }
}

void StagedDeployment::write(InstallPlan& plan) const {
  const int staging = staging_.get();
  if (plan.package) {
    build_package(context_, directory_name_, files_.rootfs.get(), plan);
  }
  // Both files contain values, which may be passwords.
  if (!plan.config.empty()) {
    base::create_file_at(staging, "config.json", plan.config, 0600);
    let_container_pass(context_, staging, base::parse_json(plan.config, "config.json"));
  }
  base::replace_file_at(staging, "info", host::write_info(plan.info), 0600);
  if (plan.unit) {
    base::create_file_at(staging, host::unit_name(name_), *plan.unit, 0644);
  }
  if (plan.tmpfiles) {
    base::create_file_at(staging, host::tmpfiles_copy_name(name_), *plan.tmpfiles, 0644);
  }
  base::check_errno(::syncfs(staging), "write the deployment to disk");
}

void report_privileges(Context& context, const std::string& name, const InstallPlan& plan) {
  if (!plan.host_privileges.empty()) {
    context.reporter.warning(
        fmt::format("{} can do what root on this host can: {}", name, fmt::join(plan.host_privileges, "; ")));
  }
}

/// A kept file that another container owns is removed with that container.
void report_owner(Context& context, const OtherContainersFiles& others, const std::string& name,
                  const std::string& path) {
  if (const auto owner = others.any_owner(path); !owner.empty()) {
    context.reporter.warning(
        fmt::format("{} belongs to {} and differs from that of {}: it is removed with {}, and the next update of {} "
                    "creates its own",
                    path, owner, name, owner, name));
  }
}

void report_plan(Context& context, const InstallPlan& plan, const std::vector<std::string>& reported) {
  for (const auto& message : plan.conversions) {
    context.reporter.step(fmt::format("config.json: {}", message));
  }
  report_privileges(context, plan.name, plan);
  if (plan.left_out_files > 0) {
    context.reporter.warning(fmt::format(
        "the image's files for the host (exports/hostfs) are not copied: {} is not installed for the system",
        plan.name));
  }
  for (const auto& finding : plan.findings) {
    if (finding.severity == base::Severity::note) {
      context.reporter.step(finding.message);
    }
  }
  for (const auto& warning : warnings_of(plan.findings)) {
    context.reporter.warning(warning);
  }
  const auto others =
      plan.kept_files.empty() ? OtherContainersFiles() : OtherContainersFiles(context.layout, plan.name);
  for (const auto& path : plan.kept_files) {
    if (std::find(reported.begin(), reported.end(), path) == reported.end()) {
      context.reporter.warning(fmt::format("{} exists on the host already and is left as it is", path));
      report_owner(context, others, plan.name, path);
    }
  }
}

}  // namespace berth::ops
