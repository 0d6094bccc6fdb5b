// A deployment in the making: checked out, planned and written in a directory of its own, while nothing else changes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "ops/context.hpp"
#include "ops/plan/image_files.hpp"

namespace berth::ops {

/// What a plan depends on besides the image and the machine.
struct PlanRequest {
  render::Values set;  ///< wins over the image's defaults
  std::string uuid;    ///< used unless `set` or a default gives one
  host::Runtime runtime;
  std::string system_package = "no";
  bool local = false;    ///< the image came from a layout or archive
  std::string name{};    ///< what $NAME is; empty: the name of the deployment
  bool one_off = false;  ///< it is run, not installed
  ReusablePaths replaced;
  std::string volume_directory{};  ///< see PlanInputs
};

/// The directory staging_name(NAME) below the deployments, which must exist. What is left of it at the end goes.
class StagedDeployment {
 public:
  /// @param slot in which the deployment will be
  /// @param package the deployment goes into a package, for machines of which only this one is known: its host files
  ///   are planned whatever is there already
  StagedDeployment(Context& context, std::string name, int slot, const host::Layout* package = nullptr);
  StagedDeployment(const StagedDeployment&) = delete;
  StagedDeployment& operator=(const StagedDeployment&) = delete;
  ~StagedDeployment();

  /// Whether check_out() will be possible, to be asked before anything is fetched.
  void check_linkable(const store::Store& store) const;
  /// Lays the image out as `rootfs` in the directory. From then on it is in use, whatever lock the store holds.
  void check_out(store::Store& store, const store::StoredImage& image,
                 store::CheckoutFiles files = store::CheckoutFiles::linked);
  /// Makes `rootfs` in the directory a link to a root file system that somebody else keeps.
  /// @param remote see find_remote_rootfs. @param image its name, and what else is known
  void use_remote(const std::string& remote, const store::StoredImage& image);
  /// Reads a root file system that is laid out already, in place of check_out. @param path below the deployments
  void use_rootfs(const std::string& path);
  /// @throws Error with every missing variable
  InstallPlan plan(const PlanRequest& request);
  /// The host files of a deployment that exists.
  std::vector<PlannedFile> host_files(const render::Values& values, const ReusablePaths& replaced);
  /// Makes the deployment one that needs neither a repository nor a file system that can be written: its files are its
  /// own, and whatever config.json mounts over something finds that there.
  void become_self_contained(const std::string& config) const;
  /// Completes the deployment and makes it durable.
  void write(InstallPlan& plan) const;

  /// `defaultValues` of the image's manifest.json.
  [[nodiscard]] const render::Values& default_values() const { return files_.exports.manifest.default_values; }
  /// Path of the repository in which an image is put that is only looked at.
  [[nodiscard]] std::string throwaway_repository() const;
  [[nodiscard]] const std::string& directory() const { return directory_name_; }
  /// Of the image that was checked out.
  [[nodiscard]] const image::ImageConfig& image_config() const { return files_.config; }

 private:
  void set_image(const store::StoredImage& image);
  void note_use() const;
  PlanInputs inputs(const ReusablePaths& replaced);

  Context& context_;
  std::string name_;
  int slot_;
  std::string directory_name_;
  base::Fd deployments_;
  base::Fd staging_;
  base::Fd root_;  ///< of the machine that plans ask
  bool for_package_;
  std::string remote_;  ///< with use_remote
  ImageFiles files_;
};

/// Tells what of a plan makes the container as mighty as root on this host. @param name of the container, or image
void report_privileges(Context& context, const std::string& name, const InstallPlan& plan);

/// Tells what a plan does that its reader would not expect.
/// @param told files that it keeps and that were told of already
void report_plan(Context& context, const InstallPlan& plan, const std::vector<std::string>& told = {});

}  // namespace berth::ops
