// SPDX-License-Identifier: LGPL-2.1-or-later
// One running transfer of libcurl, pumped by the thread that reads from it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/http/http_error.hpp"
#include "source/http/http_request.hpp"
#include "source/http/libcurl.hpp"
#include "source/http/url.hpp"

namespace berth::source {

struct CurlEasyDeleter {
  void operator()(CURL* easy) const { libcurl().easy_cleanup(easy); }
};
struct CurlMultiDeleter {
  void operator()(CURLM* multi) const { libcurl().multi_cleanup(multi); }
};
struct CurlListDeleter {
  void operator()(curl_slist* list) const { libcurl().slist_free_all(list); }
};

/// A pair of handles; libcurl keeps the open connections in the multi handle.
struct HttpConnection {
  std::unique_ptr<CURLM, CurlMultiDeleter> multi;
  std::unique_ptr<CURL, CurlEasyDeleter> easy;
};

class Transfer {
 public:
  Transfer(std::unique_ptr<HttpConnection> connection, const HttpRequest& request, const HttpOptions& options);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  /// Pumps until the headers of the final answer are there.
  void await_headers();
  std::size_t read(std::span<std::byte> buffer);
  /// Ends the transfer and gives the handles back.
  std::unique_ptr<HttpConnection> release();

  [[nodiscard]] CURL* easy() const { return connection_->easy.get(); }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& headers() const { return headers_; }

 private:
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* transfer);
  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* transfer);
  std::size_t take_body(std::span<const std::byte> bytes);
  bool take_header(std::string_view line);
  void set_options(const HttpRequest& request);
  void set_tls(const HttpRequest& request);
  void pump();
  void collect_result();
  void wait_for_bytes();
  void begin_window();
  void check_result() const;
  std::size_t take_overflow(std::span<std::byte> buffer);

  std::unique_ptr<HttpConnection> connection_;
  const HttpOptions& options_;
  Url url_;
  std::string ca_file_;
  std::unique_ptr<curl_slist, CurlListDeleter> request_headers_;
  std::array<char, CURL_ERROR_SIZE> detail_{};

  std::vector<std::pair<std::string, std::string>> headers_;
  std::size_t header_bytes_ = 0;
  int status_ = 0;
  bool headers_done_ = false;

  std::span<std::byte> sink_;  // the reader's buffer while it waits
  std::size_t sunk_ = 0;
  std::vector<std::byte> overflow_;  // bytes that did not fit into it; bounded by pausing
  std::size_t overflow_at_ = 0;
  bool paused_ = false;
  bool done_ = false;
  CURLcode result_ = CURLE_OK;

  std::chrono::steady_clock::duration waited_{};  // time spent waiting in the current stall window
  std::size_t window_bytes_ = 0;
};

}  // namespace berth::source
