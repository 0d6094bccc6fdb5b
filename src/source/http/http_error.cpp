// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/http/http_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "source/http/libcurl.hpp"

namespace berth::source {
namespace {

// Results of X509_verify_cert(3). The numbers alone, since libcurl does TLS.
constexpr long unspecified = 1;
constexpr long not_yet_valid = 9;
constexpr long has_expired = 10;
constexpr long self_signed_leaf = 18;
constexpr long self_signed_in_chain = 19;
constexpr long unknown_issuer = 20;
constexpr long unverifiable_leaf = 21;
constexpr long hostname_mismatch = 62;
constexpr long address_mismatch = 64;

constexpr std::string_view trust_hint =
    "if you trust it, name its CA certificate with ca-file in a [[registry]] of berth.conf";

HttpError certificate_failure(CURL* easy, const char* detail, const Url& url) {
  long result = 0;
  libcurl().easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
  const auto fail = [&](std::string_view reason, std::string_view hint) {
    return HttpError(HttpFailure::untrusted, fmt::format("cannot trust {}: {}", url.location(), reason),
                     std::string(hint));
  };
  switch (result) {
    case has_expired:
      return fail("its certificate has expired", "have it renewed; check this machine's clock, too");
    case not_yet_valid:
      return fail("its certificate is not valid yet", "check this machine's clock");
    case self_signed_leaf:
    case self_signed_in_chain:
    case unknown_issuer:
    case unverifiable_leaf:
      return fail("its certificate is signed by an unknown authority", trust_hint);
    case unspecified:  // what libcurl leaves when it compares the names itself, after the chain
    case hostname_mismatch:
    case address_mismatch:
      return fail("its certificate is for another name", "use the name that the certificate was made for");
    default:
      return fail(base::printable(detail), trust_hint);
  }
}

HttpError unreachable(CURL* easy, const Url& url) {
  long code = 0;
  libcurl().easy_getinfo(easy, CURLINFO_OS_ERRNO, &code);
  const auto* reason = code == 0 ? "no connection" : std::strerror(static_cast<int>(code));
  return {HttpFailure::unreachable, fmt::format("cannot reach {}: {}", url.location(), reason),
          code == ECONNREFUSED ? "check that the registry runs and that the port is right"
                               : "check the network and the registry's address"};
}

std::string reason_of(const char* detail, CURLcode code) {
  return base::printable(*detail == '\0' ? libcurl().easy_strerror(code) : detail);
}

HttpError broken(const char* detail, CURLcode code, const Url& url) {
  return {HttpFailure::broken,
          fmt::format("the connection to {} broke off: {}", url.location(), reason_of(detail, code)),
          "try again; layers that are complete are kept"};
}

HttpError timed_out(CURL* easy, const Url& url) {
  curl_off_t connected = 0;
  libcurl().easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
  return {
      HttpFailure::unreachable,
      fmt::format("cannot reach {}: {}", url.location(),
                  connected == 0 ? "no connection within the time limit" : "no TLS connection within the time limit"),
      "check the network and the registry's address"};
}

}  // namespace

HttpError describe_failure(CURL* easy, CURLcode code, const char* detail, const Url& url, const std::string& ca_file) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {HttpFailure::unknown_host, fmt::format("the host {} is unknown", url.host),
              "check the registry's name and this machine's DNS"};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {HttpFailure::unknown_host, "the host of the proxy is unknown", "check https_proxy and http_proxy"};
    case CURLE_COULDNT_CONNECT:
      return unreachable(easy, url);
    case CURLE_OPERATION_TIMEDOUT:
      return timed_out(easy, url);
    case CURLE_PEER_FAILED_VERIFICATION:
      return certificate_failure(easy, detail, url);
    case CURLE_SSL_CACERT_BADFILE:
      return {HttpFailure::tls,
              fmt::format("cannot read the CA certificates in {}", ca_file.empty() ? "the system's store" : ca_file),
              ca_file.empty() ? "install ca-certificates, or set ca-file in berth.conf to a PEM file"
                              : "it must be a PEM file; see ca-file in berth.conf"};
    case CURLE_SSL_CONNECT_ERROR:
      return {HttpFailure::tls, fmt::format("cannot speak TLS with {}: {}", url.location(), reason_of(detail, code)),
              "if it only speaks plain http, write http:IMAGE or mark it insecure in berth.conf"};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return {HttpFailure::not_http, fmt::format("{} does not answer in HTTP", url.location()), "check the port"};
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return broken(detail, code, url);
    default:
      return {HttpFailure::other, fmt::format("cannot query {}: {}", url.location(), reason_of(detail, code))};
  }
}

}  // namespace berth::source
