// An image that is looked at by its author: a directory that is being written, or an image that nobody installs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/plan/image_files.hpp"
#include "ops/temp_directory.hpp"

namespace berth::ops {

struct PreviewRequest {
  std::string target;  ///< an exports directory, a directory that holds `exports`, or [SOURCE:]IMAGE
  std::string authfile;
  std::string platform;
};

/// What a draft is rendered with.
struct PreviewValues {
  std::string name;     ///< --name; empty: derived from the target
  render::Values set;   ///< --set
  std::string runtime;  ///< --runtime; empty: the first configured one, which need not exist
};

/// Open as long as it lives; what it had to lay out goes with it. Needs no root: then the image is fetched into a
/// repository of its own in a temporary directory, where the owners and setuid bits of its files are lost.
class ImagePreview {
 public:
  /// @param reporter told of what manifest.json has that nobody knows
  /// @param fault called for each part of /exports that cannot be used; without it the first one is thrown
  /// @throws Error(not_found) when there is no such directory or image, and what fetching it throws
  ImagePreview(const Context& context, const PreviewRequest& request, base::Reporter& reporter,
               const render::ExportsFault& fault = {});
  ImagePreview(const ImagePreview&) = delete;
  ImagePreview& operator=(const ImagePreview&) = delete;

  [[nodiscard]] const ImageFiles& files() const noexcept { return files_; }
  /// Whether the target was an image, whose configuration is known.
  [[nodiscard]] bool is_image() const noexcept { return is_image_; }
  /// Whether there is a root file system beside the directory /exports.
  [[nodiscard]] bool has_rootfs() const noexcept { return has_rootfs_; }
  /// Path of the directory /exports for messages: `DIR/exports`, or `exports` of an image.
  [[nodiscard]] const std::string& shown_directory() const noexcept { return shown_directory_; }

  /// What a plan needs; the host that is looked at is that of the session, its root user the one who installs.
  [[nodiscard]] PlanInputs inputs(const PreviewValues& values) const;

 private:
  void open_directory(const std::string& path, base::Reporter& reporter, const render::ExportsFault& fault);
  void open_image(const PreviewRequest& request, base::Reporter& reporter, const render::ExportsFault& fault);
  void read(base::Reporter& reporter, const render::ExportsFault& fault);
  bool use_stored(const std::string& text);
  void fetch(const PreviewRequest& request);
  void lay_out(store::Store& store, const store::StoredImage& image);

  Context context_;
  Context host_;  ///< for which an install is planned: that of the system, by root
  base::Fd root_;
  std::optional<TempDirectory> temp_directory_;  ///< for what has to be laid out
  ImageFiles files_;
  std::string default_name_;
  std::string shown_directory_ = "exports";
  bool is_image_ = false;
  bool has_rootfs_ = false;
};

}  // namespace berth::ops
