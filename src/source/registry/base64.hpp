// SPDX-License-Identifier: LGPL-2.1-or-later
// Base64 (RFC 4648, section 4), as authentication uses it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth::source {

[[nodiscard]] std::string encode_base64(std::string_view bytes);

/// Decodes base64. Padding may be missing, and line ends are ignored, as in Go's decoder; other blanks are not allowed.
/// @return nullopt when `text` is not base64
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace berth::source
