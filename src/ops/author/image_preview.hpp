// An image that is looked at by its author: a folder that is being written, or an image that nobody installs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/plan/image_files.hpp"
#include "ops/temp_directory.hpp"

namespace berth::ops {

struct DraftRequest {
  std::string target;  ///< an exports folder, a folder that holds `exports`, or [SOURCE:]IMAGE
  std::string authfile;
  std::string platform;
};

/// What a draft is rendered with.
struct DraftValues {
  std::string name;     ///< --name; empty: derived from the target
  render::Values set;   ///< --set
  std::string runtime;  ///< --runtime; empty: the first configured one, which need not exist
};

/// Open as long as it lives; what it had to lay out goes with it. Needs no root: then the image is fetched into a
/// repository of its own in a temporary folder, where the owners and setuid bits of its files are lost.
class Draft {
 public:
  /// @param reporter told of what manifest.json has that nobody knows
  /// @param fault called for each part of /exports that cannot be used; without it the first one is thrown
  /// @throws Error(not_found) when there is no such folder or image, and what fetching it throws
  Draft(const Session& session, const DraftRequest& request, base::Reporter& reporter,
        const render::ExportsFault& fault = {});
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  [[nodiscard]] const ImageFiles& files() const noexcept { return files_; }
  /// Whether the target was an image, whose configuration is known.
  [[nodiscard]] bool is_image() const noexcept { return is_image_; }
  /// Whether there is a root file system beside the folder /exports.
  [[nodiscard]] bool has_rootfs() const noexcept { return has_rootfs_; }
  /// Path of the folder /exports for messages: `DIR/exports`, or `exports` of an image.
  [[nodiscard]] const std::string& shown_folder() const noexcept { return shown_folder_; }

  /// What a plan needs; the host that is looked at is that of the session, its root user the one who installs.
  [[nodiscard]] PlanInputs inputs(const DraftValues& values) const;

 private:
  void open_folder(const std::string& path, base::Reporter& reporter, const render::ExportsFault& fault);
  void open_image(const DraftRequest& request, base::Reporter& reporter, const render::ExportsFault& fault);
  void read(base::Reporter& reporter, const render::ExportsFault& fault);
  bool use_stored(const std::string& text);
  void fetch(const DraftRequest& request);
  void lay_out(store::Store& store, const store::StoredImage& image);

  Session session_;
  Session host_;  ///< for which an install is planned: that of the system, by root
  base::Fd root_;
  std::optional<Workplace> workplace_;  ///< for what has to be laid out
  ImageFiles files_;
  std::string default_name_;
  std::string shown_folder_ = "exports";
  bool is_image_ = false;
  bool has_rootfs_ = false;
};

}  // namespace berth::ops
