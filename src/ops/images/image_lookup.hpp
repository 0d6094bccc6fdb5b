// From what a user types to stored images.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

/// The store of this machine. @param asked the image or container that is looked for, as far as it is one
/// @throws Error(not_found) when there is none yet
store::Store open_images(const Context& context, const std::string& asked = {});

/// The image or layer that `text` means (a name, a container, the beginning of a layer's id) of which only the branch
/// is left, see store::Store::lost; nullopt when there is no such.
std::optional<store::StoredImage> find_lost(const Context& context, const store::Store& store, const std::string& text);

/// The image that `text` means: the name of a container (its live deployment's image, also when no name is left for
/// it), an image name, or the beginning of an image id.
/// @throws Error(not_found), Error(conflict) for a beginning that several images have, Error(verification) when only
/// its branch is left
store::StoredImage choose_image(const Context& context, const store::Store& store, const std::string& text);

/// The stored image of that name, as it is written or as it is spelt in full; nullopt for a text that is no image name,
/// or the name of none that is stored.
std::optional<store::StoredImage> find_by_name(const store::Store& store, const std::string& text);

/// All branches that `text` means: one image name, or every tag of the one image (or the one layer) whose id begins so.
/// @throws Error(not_found), Error(conflict) for a beginning that several images have
std::vector<store::StoredImage> choose_branches(const store::Store& store, const std::string& text);

/// Containers whose live deployment is of this very image, sorted.
std::vector<std::string> containers_using(const Context& context, const store::StoredImage& image);

/// Refuses images that are only in the repository that is read and never written to (Layout::read_only_repository).
/// @param remedy what to do with it there: the verb of ostree(1) @throws Error(not_permitted)
void refuse_elsewhere(const Context& context, const std::vector<store::StoredImage>& images, std::string_view remedy);

}  // namespace berth::ops
