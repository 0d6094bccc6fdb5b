// SPDX-License-Identifier: LGPL-2.1-or-later
// Failures of the transport: no response, or an incomplete one.
#pragma once

#include <curl/curl.h>

#include <string>

#include "base/error.hpp"
#include "source/http/url.hpp"

namespace berth::source {

enum class HttpFailure {
  unknown_host,  ///< the name does not resolve
  unreachable,   ///< no connection: refused, no route, connect timeout
  untrusted,     ///< the certificate of the peer is not valid
  tls,           ///< the TLS handshake failed
  broken,        ///< the connection ended early or stalled
  not_http,      ///< the answer is not HTTP; over plain http often a TLS server
  redirect,      ///< a redirect that must not be followed
  unavailable,   ///< a server other than the registry is temporarily unavailable
  other,
};

/// A transport failure. Only code that retries distinguishes it from other errors.
class HttpError : public base::Error {
 public:
  HttpError(HttpFailure failure, std::string message, std::string hint = {})
      : base::Error(base::ErrorKind::failed, std::move(message), std::move(hint)), failure_(failure) {}
  [[nodiscard]] HttpFailure failure() const noexcept { return failure_; }

 private:
  HttpFailure failure_;
};

/// Describes a failed transfer.
/// @param easy the handle, for errno and the result of the certificate check
/// @param detail libcurl's error buffer, may be empty
/// @param ca_file the file the certificates were taken from; empty: the system's
HttpError describe_failure(CURL* easy, CURLcode code, const char* detail, const Url& url, const std::string& ca_file);

}  // namespace berth::source
