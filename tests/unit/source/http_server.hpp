// SPDX-License-Identifier: LGPL-2.1-or-later
// A small HTTP/1.1 server on loopback with scripted answers: truncation, delays, invalid responses, TLS.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "source/tls_identity.hpp"

namespace berth::test {

struct ServerRequest {
  std::string method;
  std::string target;                          ///< path and query
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  [[nodiscard]] std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct ServerResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<std::size_t> cut_after;     ///< close the connection after this number of body bytes
  bool with_length = true;                  ///< send Content-Length; without it the body ends with the connection
  std::chrono::milliseconds delay{0};       ///< before the answer; ends early when the server is destroyed
  std::chrono::milliseconds body_delay{0};  ///< between headers and body, likewise
  std::chrono::milliseconds byte_delay{0};  ///< before each byte of the body, likewise
  std::string raw;                          ///< sent instead of all of the above, then the connection is closed
  bool hang_up = false;                     ///< close the connection without an answer
};

/// Serves requests until it is destroyed. Each connection has its own thread, so the handler must be thread-safe.
class HttpServer {
 public:
  using Handler = std::function<ServerResponse(const ServerRequest&)>;

  explicit HttpServer(Handler handler, const TlsIdentity* identity = nullptr);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  /// `127.0.0.1:PORT`
  [[nodiscard]] std::string location() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string url(const std::string& path) const;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] std::vector<ServerRequest> requests() const;
  /// The targets of all requests, in order.
  [[nodiscard]] std::vector<std::string> targets() const;

 private:
  class Stream;
  void accept_loop();
  void serve(int socket);
  bool answer(Stream& stream, const ServerRequest& request);
  void pause(std::chrono::milliseconds time);

  Handler handler_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> tls_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::condition_variable ended_;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  std::vector<ServerRequest> requests_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// Answers by path: the answers of a path are used in order, the last one repeatedly; other paths get 404.
class Script {
 public:
  Script& on(const std::string& path, std::vector<ServerResponse> responses);
  ServerResponse operator()(const ServerRequest& request);

 private:
  // The state is shared by all copies of the handler.
  struct State {
    std::mutex mutex;
    std::map<std::string, std::vector<ServerResponse>> responses;
    std::map<std::string, std::size_t> next;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// A loopback port on which no process listens.
std::uint16_t closed_port();

}  // namespace berth::test
