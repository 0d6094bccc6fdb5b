// SPDX-License-Identifier: LGPL-2.1-or-later
// The header that names a content object together with its bytes, as ostree-core defines it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "store/tree/tree.hpp"

namespace berth::store {

/// The bytes that are hashed before a file's content: the length of the header as a 32 bit number, four zeros, and the
/// header `(uuuusa(ayay))` = owner, group, mode with file type, 0, target of a symbolic link, xattrs. Big endian.
std::vector<std::byte> file_header(const Ownership& ownership, mode_t type, const std::string& link_target);

/// Value of the xattr `user.ostreemeta` that keeps an object's metadata in a bare-user repository: `(uuua(ayay))` =
/// owner, group, mode with file type, xattrs. Big endian.
std::vector<std::byte> bare_user_metadata(const Ownership& ownership, mode_t type);

}  // namespace berth::store
