// SPDX-License-Identifier: LGPL-2.1-or-later
// The extended headers before a tar entry, for values that its own header has no room for: pax (POSIX.1-2017, pax, "pax
// Extended Header") and GNU ("././@LongLink").
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace berth::base {

/// Finds a NUL byte within a name from an extended header: a value of `path`, `linkpath` or `GNU.sparse.name`, or a GNU
/// long name. C code ends such a name at the NUL, so that one archive is unpacked to different trees by different
/// tools. Fields of the header itself end at their first NUL by definition, and NULs that follow a GNU name are
/// padding.
/// @param headers whole blocks that libarchive has accepted, from the first header of an entry on; what follows the
///   extended headers is ignored
/// @return the reason for a refusal; nullopt when no name has a NUL
std::optional<std::string> find_nul_in_names(std::span<const std::byte> headers);

}  // namespace berth::base
