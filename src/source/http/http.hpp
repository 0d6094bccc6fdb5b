// SPDX-License-Identifier: LGPL-2.1-or-later
// HTTP through libcurl: each response is a bounded stream, connections are reused, and secrets are sent to their own
// origin only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_stream.hpp"
#include "source/http/http_request.hpp"
#include "source/http/url.hpp"

namespace berth::source {

class Transfer;
struct HttpConnection;
class HttpClient;

/// The answer to one request. Must not outlive its client; one thread at a time.
class HttpResponse final : public base::ByteStream {
 public:
  HttpResponse(HttpClient& client, std::unique_ptr<Transfer> transfer, Url url);
  HttpResponse(const HttpResponse&) = delete;
  HttpResponse& operator=(const HttpResponse&) = delete;
  ~HttpResponse() override;

  [[nodiscard]] int status() const;
  /// The address that answered, after redirects.
  [[nodiscard]] const Url& url() const { return url_; }
  /// All values of a header. @param name in lower case
  [[nodiscard]] std::vector<std::string> headers(std::string_view name) const;
  /// The first value of a header, or an empty string.
  [[nodiscard]] std::string header(std::string_view name) const;
  /// Content-Length; nullopt when not given.
  [[nodiscard]] std::optional<std::int64_t> content_length() const;
  /// Retry-After as a time from now; nullopt when not given.
  [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const;

  /// Body bytes. @throws HttpError when the connection breaks off, Interrupted
  std::size_t read(std::span<std::byte> buffer) override;
  /// The rest of the body. @throws Error(verification) naming `document` when it has more than `limit` bytes
  std::string read_text(std::uint64_t limit, std::string_view document);
  /// Ends the response. A short rest is read, so that the connection can be reused.
  void discard();

 private:
  HttpClient& client_;
  std::unique_ptr<Transfer> transfer_;
  Url url_;
};

/// Sends requests; thread-safe. Idle connections are kept and reused.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  /// Sends a request and waits for the headers of the answer, whatever its status is; follows up to 10 redirects of a
  /// GET, never from https to http, and without Authorization once the origin changes (RFC 9110, section 15.4).
  /// @throws HttpError, Interrupted
  std::unique_ptr<HttpResponse> send(HttpRequest request);

 private:
  friend class HttpResponse;

  std::unique_ptr<HttpResponse> send_once(const HttpRequest& request);
  std::unique_ptr<HttpConnection> take_connection();
  void give_back(std::unique_ptr<HttpConnection> connection) noexcept;

  HttpOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<HttpConnection>> idle_;
};

}  // namespace berth::source
