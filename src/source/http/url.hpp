// SPDX-License-Identifier: LGPL-2.1-or-later
// URLs, http and https only.
#pragma once

#include <string>
#include <string_view>

namespace berth::source {

/// An absolute http or https URL (RFC 3986) without user, password and fragment.
struct Url {
  std::string scheme;  ///< `http` or `https`
  std::string host;    ///< an IPv6 address stands in brackets
  std::string port;    ///< never empty
  std::string path;    ///< begins with `/`
  std::string query;   ///< may be empty; often holds a secret signature

  /// The whole URL, for the request. Never for messages: the query may be secret.
  [[nodiscard]] std::string text() const;
  /// Scheme, host and port: where a credential may be sent again.
  [[nodiscard]] std::string origin() const;
  /// `host:port`, without the port that the scheme implies.
  [[nodiscard]] std::string location() const;
  /// Without the query, made fit for messages.
  [[nodiscard]] std::string display() const;
};

/// @throws Error(failed) naming the text when it is not a URL, or has another scheme
Url parse_url(std::string_view text);

/// The target of a redirect. @param location as in the Location header; may be relative to `base`
/// @throws Error(failed)
Url resolve_url(const Url& base, std::string_view location);

/// Whether `location` (host[:port]) is this machine by its name: localhost, 127.0.0.0/8 or ::1.
bool is_loopback(std::string_view location);

}  // namespace berth::source
