// SPDX-License-Identifier: LGPL-2.1-or-later
// WWW-Authenticate headers (RFC 9110, section 11.6.1).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace berth::source {

/// One challenge, e.g. `Bearer realm="https://auth.example/token",service="registry.example"`.
struct Challenge {
  std::string scheme;                             ///< in lower case
  std::map<std::string, std::string> parameters;  ///< names in lower case, values unquoted

  [[nodiscard]] std::string parameter(const std::string& name) const;
};

/// Reads one header value, which may contain several challenges. Text that cannot be read is ignored: the server then
/// counts as one without a supported challenge.
std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace berth::source
