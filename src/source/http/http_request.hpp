// SPDX-License-Identifier: LGPL-2.1-or-later
// HTTP requests and their options.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "source/http/url.hpp"

namespace berth::source {

/// How the certificate of a server is checked.
struct TlsSettings {
  bool verify = true;
  std::string ca_file;  ///< PEM; empty: the system's
};

struct HttpOptions {
  std::chrono::milliseconds connect_timeout{15'000};  ///< name lookup, connection and TLS handshake together
  std::chrono::seconds stall_timeout{60};             ///< headers later than that, or less than 1000 bytes/s, fail
  std::string user_agent{};
  std::string socket{};                          ///< a Unix socket that every request goes to; empty: the network
  std::stop_token stop{};                        ///< checked at least every 200 ms
  std::function<TlsSettings(const Url&)> tls{};  ///< called for each connection, including those of redirects
};

struct HttpRequest {
  Url url;
  std::vector<std::string> headers;  ///< `Name: value`
  std::string authorization;         ///< value of the Authorization header; sent to the origin of `url` only
  std::optional<std::string> form;   ///< POST this application/x-www-form-urlencoded body; redirects are then refused
};

}  // namespace berth::source
