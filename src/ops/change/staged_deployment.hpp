// SPDX-License-Identifier: LGPL-2.1-or-later
// A deployment in its staging directory: checked out, planned and written while nothing else changes.
#pragma once

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "ops/context.hpp"
#include "ops/plan/image_files.hpp"
#include "ops/plan/install_plan.hpp"

namespace berth::ops {

/// Owns the directory staging_name(NAME) below the deployments, which must exist. The directory is removed on
/// destruction, unless it was renamed.
class StagedDeployment {
 public:
  /// @param slot in which the deployment will be
  /// @param package for a deployment that goes into a package: layout of the tree that is packaged. Host files are
  ///   planned regardless of files that exist on this host
  StagedDeployment(Context& context, std::string name, int slot, const host::Layout* package = nullptr);
  StagedDeployment(const StagedDeployment&) = delete;
  StagedDeployment& operator=(const StagedDeployment&) = delete;
  ~StagedDeployment();

  /// Checks that check_out() can link files of the store; called before anything is fetched. @throws Error
  void check_linkable(const store::Store& store) const;
  /// Checks the image out as `rootfs` in the directory. From then on a prune keeps its objects.
  void check_out(store::Store& store, const store::StoredImage& image,
                 store::CheckoutFiles files = store::CheckoutFiles::linked);
  /// Makes `rootfs` in the directory a link to a remote root file system.
  /// @param remote see find_remote_rootfs. @param image may have no more than its name
  void use_remote(const std::string& remote, const store::StoredImage& image);
  /// Uses an existing root file system in place of check_out. @param path below the deployments
  void use_rootfs(const std::string& path);
  /// @throws Error that names every missing variable
  [[nodiscard]] InstallPlan plan(const PlanRequest& request) const;
  /// Plans the host files of an existing deployment. @param values of that deployment
  [[nodiscard]] std::vector<PlannedFile> host_files(const render::Values& values, const ReusablePaths& replaced) const;
  /// Makes the deployment independent of a repository and usable on a read-only file system: removes the repository
  /// that it was linked from, and creates the mount points of config.json.
  void become_self_contained(const std::string& config) const;
  /// Completes the deployment and makes it durable.
  void write(InstallPlan& plan) const;

  /// `defaultValues` of the image's manifest.json.
  [[nodiscard]] const render::Values& default_values() const { return files_.exports.manifest.default_values; }
  /// Path of a repository in the staging directory, for an image that is not to be stored.
  [[nodiscard]] std::string throwaway_repository() const;
  [[nodiscard]] const std::string& directory() const { return directory_name_; }
  /// Configuration of the image.
  [[nodiscard]] const image::ImageConfig& image_config() const { return files_.config; }

 private:
  void set_image(const store::StoredImage& image);
  void write_use_record() const;
  [[nodiscard]] PlanInputs inputs(PlanRequest request) const;

  Context& context_;
  std::string name_;
  int slot_;
  std::string directory_name_;
  base::Fd deployments_;
  base::Fd staging_;
  base::Fd root_;  ///< of the host that plans query
  bool for_package_;
  std::string remote_;  ///< see use_remote
  ImageFiles files_;
  LaidOutImageProbe probe_;
};

/// Warns of privileges that amount to root on this host. @param name of the container, or image
void report_privileges(Context& context, const std::string& name, const InstallPlan& plan);

/// Reports conversions, privileges, findings and kept files of a plan.
/// @param reported kept files that a previous call reported
void report_plan(Context& context, const InstallPlan& plan, const std::vector<std::string>& reported = {});

}  // namespace berth::ops
