// SPDX-License-Identifier: LGPL-2.1-or-later
// Lookup of stored images by what a user types: a name, a container, or the beginning of an ID; and facts about them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

/// Opens the store of this machine.
/// @param text the image or container that is looked up, for the message
/// @throws Error(not_found) when no image was ever stored
store::Store open_images(const Context& context, const std::string& text = {});

/// Whether `text` can be the name of a container. An image whose name could be one, too, is meant by a text with a tag
/// or a slash.
bool may_be_container(const std::string& text);

/// Looks up an image or layer of which only the branch is left (store::Store::lost).
/// @param text a name, a container, or the beginning of a layer's ID
std::optional<store::StoredImage> find_lost(const Context& context, const store::Store& store, const std::string& text);

/// Looks up the image that `text` names.
/// @param text the name of a container, which means the image of its live deployment, even when that has no name any
///   more; an image name; or the beginning of an image ID
/// @return nullopt when no such image is stored
/// @throws Error(conflict) for an ambiguous ID, Error(verification) when only the branch of the image is left
std::optional<store::StoredImage> find_image(const Context& context, const store::Store& store,
                                             const std::string& text);

/// As find_image. @throws Error(not_found), too
store::StoredImage choose_image(const Context& context, const store::Store& store, const std::string& text);

/// Looks up an image by its name, as written or in full.
/// @return nullopt when `text` is not an image name, or when no such image is stored
std::optional<store::StoredImage> find_by_name(const store::Store& store, const std::string& text);

/// Looks up the branches that `text` names: one for an image name; all names of the image, or the layer, whose ID
/// begins with it.
/// @return empty when no such image is stored
/// @throws Error(conflict) for an ambiguous ID
std::vector<store::StoredImage> find_branches(const store::Store& store, const std::string& text);

/// As find_branches. @throws Error(not_found), too
std::vector<store::StoredImage> choose_branches(const store::Store& store, const std::string& text);

/// @return containers whose live deployment is of this image, sorted
std::vector<std::string> containers_using(const Context& context, const store::StoredImage& image);

/// Refuses images of the repository that berth only reads (host::Layout::read_only_repository).
/// @param remedy the command of ostree(1) for the hint: `fsck` or `refs`
/// @throws Error(not_permitted)
void refuse_read_only(const Context& context, const std::vector<store::StoredImage>& images, std::string_view remedy);

/// @param name of a stored image
/// @return why no registry can be queried about the image; empty when there is a registry
std::string no_registry_reason(const std::string& name);

/// @return os/architecture[/variant] of a stored image; empty when its configuration does not say
std::string platform_of(const store::StoredImage& image);

/// @return the labels of a stored image; empty when it was stored without a configuration
std::map<std::string, std::string> labels_of(const store::StoredImage& image);

}  // namespace berth::ops
