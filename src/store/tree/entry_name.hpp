// SPDX-License-Identifier: LGPL-2.1-or-later
// Names in layers: strict paths and the markers of OCI image-spec 1.1 layer.md.
#pragma once

#include <string>
#include <string_view>

namespace berth::store {

/// Normalises the name of an archive entry to a path below the image's root. Empty components and `.`, which occur in
/// real images, are dropped; the root itself is the empty string.
/// @param what the entry and its archive, for errors
/// @throws Error(verification) for an empty name, `..` components, the whiteouts that meaning_of refuses, a component
///   over 255 bytes (of a whiteout: the name that it hides), a path over 4095 bytes or nested deeper than
///   directory_depth_limit, and bytes that are not UTF-8, which OSTree cannot store
std::string normal_entry_path(std::string_view raw, std::string_view what);

/// The meaning of one component of a path in a layer.
enum class NameMeaning {
  plain,
  whiteout,     ///< `.wh.NAME` hides NAME of lower layers
  opaque,       ///< `.wh..wh..opq` hides all siblings of lower layers
  bookkeeping,  ///< other `.wh..wh.*`, left by aufs: never part of an image
};

/// @throws Error(verification) for `.wh.`, `.wh..` and `.wh...`, which hide nothing that could exist
NameMeaning meaning_of(std::string_view component);

/// The opaque marker, and the whiteout of `name`.
inline constexpr std::string_view opaque_marker = ".wh..wh..opq";
std::string whiteout_of(std::string_view name);

/// The name that a whiteout hides: `.wh.NAME` → `NAME`.
std::string_view hidden_name(std::string_view whiteout);

/// The last component of a normalised path, and the path of its parent ("" for the root).
std::string_view base_name(std::string_view path);
std::string_view parent_path(std::string_view path);

/// Whether a text is valid UTF-8, which OSTree requires.
bool is_utf8(std::string_view text);

}  // namespace berth::store
