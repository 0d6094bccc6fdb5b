// berth images tag, delete, prune and update.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Gives a stored image another name. @return the canonical new name
/// @throws Error(not_found), Error(usage) for a name that is none or holds a digest
std::string tag_image(Context& context, const std::string& source, const std::string& name);

/// Forgets image names (or a layer that no image needs); what they named goes with the next prune. All are looked up
/// before the first is removed.
/// @param force also the last name of an image that a container uses; the container keeps all it needs
/// @return the names, and ids of layers, that were removed
/// @throws Error(not_found), Error(conflict) for an image in use and a beginning of several ids
std::vector<std::string> delete_images(Context& context, const std::vector<std::string>& images, bool force);

struct PruneOutcome {
  store::PruneReport store;
  std::vector<std::string> directories;  ///< left-over deployments and mounts that were removed, or would be
};

/// Removes layers that no image is made of, deployments that no container has any more, views that a reboot has ended,
/// and all objects that nothing uses.
PruneOutcome prune(Context& context, bool dry_run);

struct ImageUpdate {
  std::string name;
  std::string id_before;
  std::string id_after;
  std::string status;                ///< updated, up to date, skipped, failed
  std::string reason;                ///< why it was skipped or failed
  std::optional<base::Error> error;  ///< of one that failed
};

struct ImageUpdateRequest {
  std::vector<std::string> images;  ///< empty: all
  std::string authfile;
};

/// Pulls what the registries have now. One that fails does not keep the others from being pulled.
/// @throws Error for an image that is not stored, before anything is fetched; interrupted
std::vector<ImageUpdate> update_images(Context& context, const ImageUpdateRequest& request);

/// Why there is no registry to ask about an image; empty when there is one.
std::string without_registry(const std::string& name);

/// The platform a stored image is for; this machine's when it does not tell.
std::string platform_of(const store::StoredImage& image);

}  // namespace berth::ops
