// SPDX-License-Identifier: LGPL-2.1-or-later
// berth pull: fetches an image into the store.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/json_fwd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

struct PullRequest {
  std::string image;                      ///< [SOURCE:]IMAGE
  std::string authfile;                   ///< --authfile
  std::string platform;                   ///< os/architecture[/variant]; empty: this machine's
  std::string login{};                    ///< USER[:PASSWORD] for the registry; overrides credential files
  std::optional<image::Naming> naming{};  ///< nullopt: that of the context
};

/// Fetches the layers that are not stored. @throws Error
store::PullResult pull(Context& context, const PullRequest& request);

/// berth-pull.schema.json
base::Json to_json(const store::PullResult& result);

/// Fetches an image that is not stored, as an install does. @throws Error
store::StoredImage pull_absent(Context& context, const PullRequest& request);

/// An image that is in the store, found or fetched.
struct PresentImage {
  store::StoredImage image;
  bool fetched = false;
};

/// An image at its source, not fetched.
struct OfferedImage {
  image::Manifest manifest;
  std::string config;  ///< text of the image configuration
};

/// Fetches one image. A registry is not contacted before it is needed; a layout or archive is opened by the
/// constructor, because it determines the name of the image.
class ImageFetcher {
 public:
  ImageFetcher(Context& context, const PullRequest& request);
  [[nodiscard]] const image::ImageName& name() const;
  /// Whether the image comes from a layout, an archive or a daemon. An image that is stored under its name may be
  /// another one.
  [[nodiscard]] bool local() const;
  /// Returns the image from the store, and pulls it when it is not stored (docs/system-containers.md, "Commands": an
  /// install does not pull again). A local image is always compared, which only reads its manifest.
  PresentImage ensure(store::Store& store);
  store::PullResult pull_into(store::Store& store);
  /// Fetches the manifest, and no layer.
  image::ResolvedManifest resolve();
  /// Fetches the manifest and the image configuration.
  OfferedImage inspect();

 private:
  image::ImageSource& source();
  void warn_about_platform(const store::StoredImage& image) const;

  image::Reference reference_;
  image::Platform platform_;
  source::SourceOptions options_;
  std::unique_ptr<image::ImageSource> source_;
};

/// Opens a store for a command that only plans and must not change the store.
/// @param temporary path of a repository for an image that is not stored
/// @return the store when it has the image, else the temporary repository
store::Store store_for_plan(Context& context, const std::string& temporary, const ImageFetcher& fetcher);

}  // namespace berth::ops
