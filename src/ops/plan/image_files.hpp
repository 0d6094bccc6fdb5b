// SPDX-License-Identifier: LGPL-2.1-or-later
// The image of a plan: its configuration, and its files laid out in a directory.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "ops/context.hpp"
#include "ops/plan/plan_inputs.hpp"

namespace berth::ops {

struct ImageFiles {
  store::StoredImage image;
  image::ImageConfig config;
  base::Fd rootfs;
  base::Fd exports_directory;  ///< not open when the image has none
  render::Exports exports;

  /// Sets the image and parses its configuration. @throws Error(verification) for a configuration that cannot be parsed
  void set_image(const store::StoredImage& stored);
  /// Takes a root file system that is laid out and reads its /exports. @throws Error
  void read(base::Fd laid_out, base::Reporter& reporter);
};

/// Answers for a host below an open root directory, and for an image that is laid out.
class LaidOutImageProbe : public HostProbe {
 public:
  /// @param root descriptor of the host's root; both must outlive this
  LaidOutImageProbe(int root, const ImageFiles& files) : root_(root), files_(files) {}

  [[nodiscard]] bool exists(const std::string& path) const override;
  [[nodiscard]] bool matches(const PlannedFile& planned) const override;
  [[nodiscard]] std::string resolve(const std::string& path) const override;
  [[nodiscard]] std::optional<uid_t> directory_owner(const std::string& path) const override;
  [[nodiscard]] std::optional<struct stat> status(const std::string& path) const override;
  [[nodiscard]] std::string read_entry(const render::HostEntry& entry) const override;
  [[nodiscard]] std::string entry_checksum(const render::HostEntry& entry) const override;
  [[nodiscard]] std::string generate_config(const render::Values& values,
                                            const render::HostFeatures& features) const override;
  [[nodiscard]] std::vector<render::Volume> volumes(const std::string& directory) const override;
  [[nodiscard]] std::vector<std::string> stream_links() const override;

 private:
  int root_;
  const ImageFiles& files_;
};

/// The unit template for an image that has no template of its own; empty for an image that has one or has no
/// service.
/// @throws Error(failed) when the template is not installed
std::string default_service_template(const Context& context, const render::Exports& exports);

/// @param files must outlive the result
ImageFacts image_facts(const ImageFiles& files);

/// Facts of the host, without the service template and the files of other containers.
/// @param context must outlive the result @param root descriptor of the host's root
HostFacts host_facts(const Context& context, int root);

/// Current time for PlanTarget::created, in epoch seconds.
std::int64_t plan_time();

/// Features of the host that decide what berth writes into a config.json.
render::HostFeatures features_of(const host::Facts& facts);

}  // namespace berth::ops
