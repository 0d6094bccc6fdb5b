// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/http/http.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/hint.hpp"
#include "source/http/http_error.hpp"
#include "source/http/libcurl.hpp"
#include "source/http/transfer.hpp"

namespace berth::source {
namespace {

constexpr int redirect_limit = 10;
constexpr std::size_t idle_limit = 16;
constexpr std::size_t discard_limit = 64U << 10U;

// libcurl has to be initialized once, before other threads use it.
void set_up_curl() {
  static const CURLcode code = libcurl().global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) {
    throw HttpError(HttpFailure::other, fmt::format("libcurl cannot be used: {}", libcurl().easy_strerror(code)));
  }
}

bool is_redirect(int status) {
  constexpr std::array<int, 5> redirects{301, 302, 303, 307, 308};
  return std::find(redirects.begin(), redirects.end(), status) != redirects.end();
}

[[noreturn]] void refuse_redirect(const Url& from, const std::string& reason) {
  throw HttpError(HttpFailure::redirect, fmt::format("{} redirects {}", from.location(), reason),
                  "report this to the operator of the registry");
}

Url redirect_target(const HttpResponse& response) {
  const auto location = response.header("location");
  const auto& from = response.url();
  if (location.empty()) {
    refuse_redirect(from, "without a Location");
  }
  auto target = resolve_url(from, location);
  if (from.scheme == "https" && target.scheme != "https") {
    refuse_redirect(from, fmt::format("from https to plain http at {}, which could be changed on the way",
                                      base::printable(target.location())));
  }
  return target;
}

}  // namespace

HttpResponse::HttpResponse(HttpClient& client, std::unique_ptr<Transfer> transfer, Url url)
    : client_(client), transfer_(std::move(transfer)), url_(std::move(url)) {}

HttpResponse::~HttpResponse() {
  client_.give_back(transfer_->release());
}

int HttpResponse::status() const {
  return transfer_->status();
}

std::vector<std::string> HttpResponse::headers(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : transfer_->headers()) {
    if (key == name) {
      values.push_back(value);
    }
  }
  return values;
}

std::string HttpResponse::header(std::string_view name) const {
  const auto values = headers(name);
  return values.empty() ? "" : values.front();
}

std::optional<std::int64_t> HttpResponse::content_length() const {
  curl_off_t length = -1;
  libcurl().easy_getinfo(transfer_->easy(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  return length < 0 ? std::nullopt : std::optional<std::int64_t>(length);
}

std::optional<std::chrono::seconds> HttpResponse::retry_after() const {
  curl_off_t seconds = 0;
  libcurl().easy_getinfo(transfer_->easy(), CURLINFO_RETRY_AFTER, &seconds);
  return seconds <= 0 ? std::nullopt : std::optional(std::chrono::seconds(seconds));
}

std::size_t HttpResponse::read(std::span<std::byte> buffer) {
  return transfer_->read(buffer);
}

std::string HttpResponse::read_text(std::uint64_t limit, std::string_view document) {
  return base::with_hint("report this to the operator of the registry",
                         [&] { return base::read_text(*this, limit, document); });
}

void HttpResponse::discard() {
  std::array<std::byte, 16U << 10U> buffer{};
  std::size_t total = 0;
  try {
    while (total < discard_limit) {
      const auto count = read(buffer);
      if (count == 0) {
        return;
      }
      total += count;
    }
  } catch (const HttpError&) {
    return;  // these bytes are not needed; the next request opens a new connection
  }
}

HttpClient::HttpClient(HttpOptions options) : options_(std::move(options)) {
  set_up_curl();
  idle_.reserve(idle_limit);  // so that give_back, called by destructors, does not allocate
}
HttpClient::~HttpClient() = default;

std::unique_ptr<HttpConnection> HttpClient::take_connection() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  auto connection = std::make_unique<HttpConnection>();
  connection->multi.reset(libcurl().multi_init());
  connection->easy.reset(libcurl().easy_init());
  if (!connection->multi || !connection->easy) {
    throw std::bad_alloc();
  }
  return connection;
}

void HttpClient::give_back(std::unique_ptr<HttpConnection> connection) noexcept {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < idle_limit) {
    idle_.push_back(std::move(connection));
  }
}

std::unique_ptr<HttpResponse> HttpClient::send_once(const HttpRequest& request) {
  auto transfer = std::make_unique<Transfer>(take_connection(), request, options_);
  transfer->await_headers();
  return std::make_unique<HttpResponse>(*this, std::move(transfer), request.url);
}

std::unique_ptr<HttpResponse> HttpClient::send(HttpRequest request) {
  for (int redirects = 0; redirects <= redirect_limit; ++redirects) {
    auto response = send_once(request);
    if (!is_redirect(response->status())) {
      return response;
    }
    if (request.form) {
      refuse_redirect(request.url, "a request that contains a secret");
    }
    auto target = redirect_target(*response);
    response->discard();
    if (target.origin() != request.url.origin()) {
      request.authorization.clear();
    }
    request.url = std::move(target);
  }
  refuse_redirect(request.url, fmt::format("more than {} times", redirect_limit));
}

}  // namespace berth::source
