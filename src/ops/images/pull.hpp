// berth pull: an image into the store.
#pragma once

#include <optional>
#include <string>

#include "ops/context.hpp"

namespace berth::ops {

struct PullRequest {
  std::string image;                      ///< [SOURCE:]IMAGE
  std::string authfile;                   ///< --authfile
  std::string platform;                   ///< os/architecture[/variant]; empty: this machine's
  std::string login{};                    ///< USER[:PASSWORD] for the registry, in place of what is in files
  std::optional<image::Naming> naming{};  ///< nullopt: the session's
};

/// Fetches what is missing. @throws Error
store::PullResult pull(Context& context, const PullRequest& request);

/// As an install does: fetches only what is not stored. @throws Error
store::StoredImage pull_absent(Context& context, const PullRequest& request);

/// An image that is in the store, found or fetched.
struct PresentImage {
  store::StoredImage image;
  bool fetched = false;
};

/// An image that was asked for and not fetched.
struct OfferedImage {
  image::Manifest manifest;
  std::string config;  ///< text of the image configuration
};

/// Where an image is to come from. Registries are not contacted before they are needed; layouts and archives
/// are opened at once, for they know their own names.
class ImageFetcher {
 public:
  ImageFetcher(Context& context, const PullRequest& request);
  [[nodiscard]] const image::ImageName& name() const;
  /// A layout or archive on this machine. What is stored under its name may be of another one of the same name.
  [[nodiscard]] bool local() const;
  /// The image from `store`, pulled only when absent (contract, section 5: an install never re-pulls). A local one is
  /// always compared, which costs no more than reading its manifest.
  PresentImage ensure(store::Store& store);
  store::PullResult pull_into(store::Store& store);
  /// The manifest that is there now; fetches no layer.
  image::ResolvedManifest resolve();
  /// As resolve, with the image configuration.
  OfferedImage look();

 private:
  image::ImageSource& source();
  void warn_about_platform(const store::StoredImage& image) const;

  image::Reference reference_;
  image::Platform platform_;
  source::SourceOptions options_;
  std::unique_ptr<image::ImageSource> source_;
};

/// For a plan alone, which must change nothing: the store, when it has the image, else a repository that is thrown
/// away.
/// @param throwaway path of that repository
store::Store store_for_plan(Context& context, const std::string& throwaway, const ImageFetcher& origin);

}  // namespace berth::ops
