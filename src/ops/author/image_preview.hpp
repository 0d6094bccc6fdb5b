// SPDX-License-Identifier: LGPL-2.1-or-later
// An image under development: an exports directory, or an image that is inspected without installing it.
#pragma once

#include <optional>
#include <string>

#include "ops/context.hpp"
#include "ops/plan/image_files.hpp"
#include "ops/temp_directory.hpp"

namespace berth::ops {

struct PreviewRequest {
  std::string target;  ///< an exports directory, a directory that holds `exports`, or [SOURCE:]IMAGE
  std::string authfile;
  std::string platform;
};

/// Values for a plan of the preview.
struct PreviewValues {
  std::string name;     ///< --name; empty: derived from the target
  render::Values set;   ///< --set
  std::string runtime;  ///< --runtime; empty: the first configured one, which need not exist
};

/// For an author without root: answers "exists, no link, owned by root" about paths that the caller may not see.
class PreviewProbe final : public LaidOutImageProbe {
 public:
  using LaidOutImageProbe::LaidOutImageProbe;
  [[nodiscard]] bool exists(const std::string& path) const override;
  [[nodiscard]] std::string resolve(const std::string& path) const override;
  [[nodiscard]] std::optional<uid_t> directory_owner(const std::string& path) const override;
};

/// Opens an image and its exports directory; temporary files are removed by the destructor. Does not need root: without
/// it, the image is fetched into a temporary repository, which does not keep the owners and setuid bits of its files.
class ImagePreview {
 public:
  /// @param reporter gets warnings about unknown keys of manifest.json
  /// @param fault called for each file of /exports that cannot be used; when it is empty, the first such error is
  /// thrown
  /// @throws Error(not_found) when the directory or image does not exist, and the errors of a pull
  ImagePreview(const Context& context, const PreviewRequest& request, base::Reporter& reporter,
               const render::ExportsFault& fault = {});
  ImagePreview(const ImagePreview&) = delete;
  ImagePreview& operator=(const ImagePreview&) = delete;

  [[nodiscard]] const ImageFiles& files() const noexcept { return files_; }
  /// Whether the target is an image, with an image configuration.
  [[nodiscard]] bool is_image() const noexcept { return is_image_; }
  /// Whether the root file system is available, not only the directory /exports.
  [[nodiscard]] bool has_rootfs() const noexcept { return has_rootfs_; }
  /// Path of the directory /exports for messages: `DIR/exports`, or `exports` of an image.
  [[nodiscard]] const std::string& shown_directory() const noexcept { return shown_directory_; }

  /// @return inputs for the plan of an install of a system container on the host of the context
  [[nodiscard]] PlanInputs inputs(const PreviewValues& values) const;

 private:
  void open_directory(const std::string& path, base::Reporter& reporter, const render::ExportsFault& fault);
  void open_image(const PreviewRequest& request, base::Reporter& reporter, const render::ExportsFault& fault);
  void read(base::Reporter& reporter, const render::ExportsFault& fault);
  bool use_stored(const std::string& text);
  void fetch(const PreviewRequest& request);
  void check_out(store::Store& store, const store::StoredImage& image);

  Context context_;
  Context host_;  ///< context of an install by root
  base::Fd root_;
  std::optional<TempDirectory> temp_directory_;  ///< holds the checkout
  ImageFiles files_;
  PreviewProbe probe_{root_.get(), files_};
  std::string default_name_;
  std::string shown_directory_ = "exports";
  bool is_image_ = false;
  bool has_rootfs_ = false;
};

}  // namespace berth::ops
