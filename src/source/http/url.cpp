// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/http/url.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <memory>

#include "base/error.hpp"
#include "source/http/libcurl.hpp"

namespace berth::source {
namespace {

struct CurlUrlDeleter {
  void operator()(CURLU* url) const { libcurl().url_cleanup(url); }
};
using CurlUrl = std::unique_ptr<CURLU, CurlUrlDeleter>;

[[noreturn]] void refuse(std::string_view text, std::string_view reason) {
  const auto shown = base::printable(text.substr(0, text.find('?')));
  throw base::Error(base::ErrorKind::failed, fmt::format("'{}' is not a valid address: {}", shown, reason),
                    "the registry gave this address; report this to its operator");
}

void set(CURLU* url, std::string_view text) {
  const auto code = libcurl().url_set(url, CURLUPART_URL, std::string(text).c_str(), 0);
  if (code != CURLUE_OK) {
    refuse(text, libcurl().url_strerror(code));
  }
}

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (libcurl().url_get(url, which, &text, flags) != CURLUE_OK || text == nullptr) {
    return {};
  }
  const std::unique_ptr<char, void (*)(void*)> owner(text, libcurl().free);
  return text;
}

Url parts_of(CURLU* url, std::string_view text) {
  Url result{part(url, CURLUPART_SCHEME), part(url, CURLUPART_HOST), part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT),
             part(url, CURLUPART_PATH), part(url, CURLUPART_QUERY)};
  if (result.scheme != "http" && result.scheme != "https") {
    refuse(text, "it is neither http nor https");
  }
  if (result.host.empty()) {
    refuse(text, "it has no host");
  }
  if (result.path.empty()) {
    result.path.push_back('/');
  }
  return result;
}

bool is_default_port(const Url& url) {
  return url.port == (url.scheme == "https" ? "443" : "80");
}

// Raw bytes below 0x21 in a URL could end the request line early.
void check_bytes(std::string_view text) {
  for (const unsigned char c : text) {
    if (c <= 0x20 || c == 0x7f) {
      refuse(text, "it contains blanks or control characters");
    }
  }
}

}  // namespace

std::string Url::text() const {
  return fmt::format("{}://{}:{}{}{}{}", scheme, host, port, path, query.empty() ? "" : "?", query);
}

std::string Url::origin() const {
  return fmt::format("{}://{}:{}", scheme, host, port);
}

std::string Url::location() const {
  return is_default_port(*this) ? host : fmt::format("{}:{}", host, port);
}

std::string Url::display() const {
  return base::printable(fmt::format("{}://{}{}", scheme, location(), path));
}

Url parse_url(std::string_view text) {
  check_bytes(text);
  const CurlUrl url(libcurl().url());
  set(url.get(), text);
  return parts_of(url.get(), text);
}

Url resolve_url(const Url& base, std::string_view location) {
  check_bytes(location);
  const CurlUrl url(libcurl().url());
  set(url.get(), base.text());
  set(url.get(), location);
  return parts_of(url.get(), location);
}

bool is_loopback(std::string_view location) {
  if (location.starts_with('[')) {
    std::array<unsigned char, 16> address{};
    const std::string host(location.substr(1, location.find(']') - 1));
    constexpr std::array<unsigned char, 16> loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return inet_pton(AF_INET6, host.c_str(), address.data()) == 1 && address == loopback;
  }
  const std::string host(location.substr(0, location.find(':')));
  std::array<unsigned char, 4> address{};
  return host == "localhost" || (inet_pton(AF_INET, host.c_str(), address.data()) == 1 && address[0] == 127);
}

}  // namespace berth::source
