// The headers in front of a tar entry that hold what its own has no room for: pax (POSIX.1-2017, pax, "pax Extended
// Header") and GNU ("././@LongLink").
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace berth::store {

/// Looks for a NUL within the names that extended headers bring: values of `path`, `linkpath` and `GNU.sparse.name`,
/// GNU long names. C code cuts names there, so that one archive means different trees to different
/// tools. Fields of a header itself end at their first NUL by definition, and NULs behind a GNU name are padding.
/// @param headers whole blocks that libarchive has accepted, from the first header of an entry on; what follows the
///   extended ones is not looked at
/// @return the words of a refusal; nullopt when there is none
std::optional<std::string> nul_in_names(std::span<const std::byte> headers);

}  // namespace berth::store
