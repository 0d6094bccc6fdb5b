// SPDX-License-Identifier: LGPL-2.1-or-later
// Descriptions of HTTP status codes and of the error documents of registries.
#pragma once

#include <string>
#include <string_view>

namespace berth::source {

/// `503 Service Unavailable`; the number alone for codes that are rare.
std::string status_text(int status);

/// Whether the same request may succeed soon: 408, 429, and 5xx but for 501 and 505.
bool is_transient_status(int status);

/// The message of an error document of distribution-spec 1.1, made printable and short; empty when it is not one. E.g.
/// `TOOMANYREQUESTS: You have reached your pull rate limit`.
std::string registry_message(std::string_view body);

}  // namespace berth::source
