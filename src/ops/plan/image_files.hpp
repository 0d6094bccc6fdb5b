// An image as a plan needs it: what is known of it, and its files, laid out somewhere.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "ops/context.hpp"
#include "ops/plan/install_plan.hpp"

namespace berth::ops {

struct ImageFiles {
  store::StoredImage image;
  image::ImageConfig config;
  base::Fd rootfs;
  base::Fd exports_directory;  ///< nothing when the image has none
  render::Exports exports;

  /// @throws Error(verification) for a configuration that cannot be read
  void set_image(const store::StoredImage& stored);
  /// Takes a root file system that is laid out and reads its /exports. @throws Error
  void read(base::Fd laid_out, base::Reporter& reporter);
};

/// The unit template for an image that brings none; empty for one that needs none. @throws Error(failed) when it is
/// not installed
std::string default_service_template(const Context& context, const render::Exports& exports);

/// Everything a plan depends on that image and machine decide. @param files must outlive what is returned, as must
/// `session` and `root`, the directory of the host
PlanInputs plan_inputs(const Context& context, int root, const ImageFiles& files);

/// What the facts of the host say about a config.json.
render::HostFeatures features_of(const host::Facts& facts);

}  // namespace berth::ops
