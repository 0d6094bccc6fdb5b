// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/http/transfer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace berth::source {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t overflow_limit = 1U << 20U;
constexpr std::size_t header_limit = 64U << 10U;
constexpr long receive_buffer = 256L << 10;
constexpr int poll_milliseconds = 200;
constexpr std::size_t minimum_rate = 1000;  // bytes a second, as dnf and ostree have it

std::string to_lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

void check_multi(CURLMcode code) {
  if (code != CURLM_OK) {
    throw HttpError(HttpFailure::other, fmt::format("libcurl failed: {}", libcurl().multi_strerror(code)));
  }
}

template <typename Value>
void set_option(CURL* easy, CURLoption option, Value value) {
  if (const auto code = libcurl().easy_setopt(easy, option, value); code != CURLE_OK) {
    throw HttpError(HttpFailure::other, fmt::format("libcurl refuses an option: {}", libcurl().easy_strerror(code)));
  }
}

}  // namespace

Transfer::Transfer(std::unique_ptr<HttpConnection> connection, const HttpRequest& request, const HttpOptions& options)
    : connection_(std::move(connection)), options_(options), url_(request.url) {
  libcurl().easy_reset(easy());
  set_options(request);
  set_tls(request);
  check_multi(libcurl().multi_add_handle(connection_->multi.get(), easy()));
}

Transfer::~Transfer() {
  if (connection_) {
    libcurl().multi_remove_handle(connection_->multi.get(), easy());
  }
}

void Transfer::set_options(const HttpRequest& request) {
  set_option(easy(), CURLOPT_URL, url_.text().c_str());
  set_option(easy(), CURLOPT_PROTOCOLS_STR, "http,https");
  set_option(easy(), CURLOPT_NOSIGNAL, 1L);
  set_option(easy(), CURLOPT_FOLLOWLOCATION, 0L);
  set_option(easy(), CURLOPT_UNRESTRICTED_AUTH, 0L);
  set_option(easy(), CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set_option(easy(), CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set_option(easy(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  set_option(easy(), CURLOPT_BUFFERSIZE, receive_buffer);
  set_option(easy(), CURLOPT_USERAGENT, options_.user_agent.c_str());
  set_option(easy(), CURLOPT_ERRORBUFFER, detail_.data());
  set_option(easy(), CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set_option(easy(), CURLOPT_WRITEDATA, this);
  set_option(easy(), CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set_option(easy(), CURLOPT_HEADERDATA, this);
  if (!options_.socket.empty()) {
    set_option(easy(), CURLOPT_UNIX_SOCKET_PATH, options_.socket.c_str());
  }
  if (is_loopback(url_.location())) {
    set_option(easy(), CURLOPT_PROXY, "");  // the loopback of a proxy is another one
  }
  auto headers = request.headers;
  headers.emplace_back("Accept-Encoding: identity");  // digests are those of the bytes as they are stored
  if (!request.authorization.empty()) {
    headers.push_back("Authorization: " + request.authorization);
  }
  for (const auto& header : headers) {
    auto* longer = libcurl().slist_append(request_headers_.get(), header.c_str());
    if (longer == nullptr) {
      throw std::bad_alloc();
    }
    static_cast<void>(request_headers_.release());
    request_headers_.reset(longer);
  }
  set_option(easy(), CURLOPT_HTTPHEADER, request_headers_.get());
  if (request.form) {
    set_option(easy(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.form->size()));
    set_option(easy(), CURLOPT_COPYPOSTFIELDS, request.form->c_str());
  }
}

void Transfer::set_tls(const HttpRequest& request) {
  const auto tls = options_.tls ? options_.tls(request.url) : TlsSettings{};
  set_option(easy(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set_option(easy(), CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  set_option(easy(), CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
  if (!tls.ca_file.empty()) {
    ca_file_ = tls.ca_file;
    set_option(easy(), CURLOPT_CAINFO, ca_file_.c_str());
    set_option(easy(), CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
}

std::size_t Transfer::on_body(char* bytes, std::size_t size, std::size_t count, void* transfer) {
  return static_cast<Transfer*>(transfer)->take_body(std::as_bytes(std::span(bytes, size * count)));
}

std::size_t Transfer::on_header(char* bytes, std::size_t size, std::size_t count, void* transfer) {
  try {
    return static_cast<Transfer*>(transfer)->take_header({bytes, size * count}) ? size * count : 0;
  } catch (const std::bad_alloc&) {
    return 0;  // exceptions must not pass through C code
  }
}

std::size_t Transfer::take_body(std::span<const std::byte> bytes) {
  if (overflow_.size() - overflow_at_ >= overflow_limit) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  const auto direct = std::min(bytes.size(), sink_.size() - sunk_);
  std::copy_n(bytes.begin(), direct, sink_.begin() + static_cast<std::ptrdiff_t>(sunk_));
  sunk_ += direct;
  window_bytes_ += bytes.size();
  const auto rest = bytes.subspan(direct);
  try {
    overflow_.insert(overflow_.end(), rest.begin(), rest.end());
  } catch (const std::bad_alloc&) {
    return CURL_WRITEFUNC_ERROR;
  }
  headers_done_ = true;
  return bytes.size();
}

bool Transfer::take_header(std::string_view line) {
  header_bytes_ += line.size();
  window_bytes_ += line.size();
  if (header_bytes_ > header_limit) {
    return false;
  }
  if (line.starts_with("HTTP/")) {
    headers_.clear();  // the headers so far were of an interim response
    const auto code = line.substr(std::min(line.find(' '), line.size() - 1) + 1, 3);
    status_ = 0;
    std::from_chars(code.data(), code.data() + code.size(), status_);
    return true;
  }
  const auto content = trimmed(line);
  if (content.empty()) {
    headers_done_ = status_ >= 200;
    return true;
  }
  if (const auto colon = content.find(':'); colon != std::string_view::npos) {
    headers_.emplace_back(to_lower(trimmed(content.substr(0, colon))), trimmed(content.substr(colon + 1)));
  }
  return true;
}

void Transfer::collect_result() {
  int queued = 0;
  while (const auto* message = libcurl().multi_info_read(connection_->multi.get(), &queued)) {
    if (message->msg == CURLMSG_DONE) {
      done_ = true;
      result_ = message->data.result;
    }
  }
}

// Only time in which a reader waits is counted: a slow reader is not a slow server.
void Transfer::wait_for_bytes() {
  const auto start = Clock::now();
  check_multi(libcurl().multi_poll(connection_->multi.get(), nullptr, 0, poll_milliseconds, nullptr));
  waited_ += Clock::now() - start;
  if (waited_ < options_.stall_timeout) {
    return;
  }
  const auto seconds = options_.stall_timeout.count();
  // The rate does not apply to headers: they have to be complete.
  if (!headers_done_ || window_bytes_ < minimum_rate * static_cast<std::size_t>(seconds)) {
    const auto sent = window_bytes_ == 0 ? "nothing for" : fmt::format("only {} bytes in", window_bytes_);
    throw HttpError(HttpFailure::broken, fmt::format("{} sent {} {} seconds", url_.location(), sent, seconds),
                    "try again; layers that are complete are kept");
  }
  begin_window();
}

void Transfer::begin_window() {
  waited_ = {};
  window_bytes_ = 0;
}

void Transfer::pump() {
  if (options_.stop.stop_requested()) {
    base::throw_interrupted();
  }
  int running = 0;
  check_multi(libcurl().multi_perform(connection_->multi.get(), &running));
  collect_result();
}

void Transfer::check_result() const {
  if (result_ == CURLE_OK) {
    return;
  }
  if (header_bytes_ > header_limit) {
    throw HttpError(HttpFailure::other,
                    fmt::format("{} sends headers of more than {} bytes", url_.location(), header_limit));
  }
  throw describe_failure(easy(), result_, detail_.data(), url_, ca_file_);
}

void Transfer::await_headers() {
  pump();
  while (!headers_done_ && !done_) {
    wait_for_bytes();
    pump();
  }
  begin_window();  // the time until the headers does not count for the rate of the body
  // If the body has failed already, read() throws that after the bytes before it.
  if (!headers_done_) {
    check_result();
  }
}

std::size_t Transfer::take_overflow(std::span<std::byte> buffer) {
  const auto count = std::min(buffer.size(), overflow_.size() - overflow_at_);
  std::copy_n(overflow_.begin() + static_cast<std::ptrdiff_t>(overflow_at_), count, buffer.begin());
  overflow_at_ += count;
  if (overflow_at_ == overflow_.size()) {
    overflow_.clear();
    overflow_at_ = 0;
  }
  return count;
}

std::size_t Transfer::read(std::span<std::byte> buffer) {
  if (overflow_at_ < overflow_.size()) {
    return take_overflow(buffer);
  }
  sink_ = buffer;
  sunk_ = 0;
  if (paused_) {
    paused_ = false;
    libcurl().easy_pause(easy(), CURLPAUSE_CONT);  // may deliver the paused bytes immediately
  }
  if (sunk_ == 0 && !done_) {
    pump();
  }
  while (sunk_ == 0 && !done_) {
    wait_for_bytes();
    pump();
  }
  sink_ = {};
  if (sunk_ == 0) {
    check_result();
  }
  return std::exchange(sunk_, 0);
}

std::unique_ptr<HttpConnection> Transfer::release() {
  libcurl().multi_remove_handle(connection_->multi.get(), easy());
  libcurl().easy_reset(easy());
  return std::move(connection_);
}

}  // namespace berth::source
