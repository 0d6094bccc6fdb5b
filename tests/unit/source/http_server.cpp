// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/http_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace berth::test {
namespace {

std::pair<int, std::uint16_t> listen_on_loopback() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (socket < 0 || ::bind(socket, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(socket, 64) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("cannot listen on loopback");
  }
  return {socket, ntohs(address.sin_port)};
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::optional<ServerRequest> parse_head(const std::string& head) {
  ServerRequest request;
  std::size_t at = head.find("\r\n");
  const auto line = head.substr(0, at);
  const auto blank = line.find(' ');
  const auto second = line.find(' ', blank + 1);
  if (blank == std::string::npos || second == std::string::npos) {
    return std::nullopt;
  }
  request.method = line.substr(0, blank);
  request.target = line.substr(blank + 1, second - blank - 1);
  while (at != std::string::npos && at + 2 < head.size()) {
    const auto end = head.find("\r\n", at + 2);
    const auto header = head.substr(at + 2, end - at - 2);
    if (const auto colon = header.find(": "); colon != std::string::npos) {
      request.headers[lower(header.substr(0, colon))] = header.substr(colon + 2);
    }
    at = end;
  }
  return request;
}

}  // namespace

// One connection, with or without TLS.
class HttpServer::Stream {
 public:
  Stream(int socket, SSL_CTX* tls) : socket_(socket), ssl_(tls == nullptr ? nullptr : SSL_new(tls), &SSL_free) {
    if (ssl_) {
      SSL_set_fd(ssl_.get(), socket);
      good_ = SSL_accept(ssl_.get()) == 1;
    }
  }

  [[nodiscard]] bool good() const { return good_; }

  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count =
          ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 20)))
               : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  std::optional<ServerRequest> read_request() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) {
        return std::nullopt;
      }
      if (buffer_.front() == '\x16') {  // a TLS handshake on a plain port; other servers answer likewise
        write("HTTP/1.0 400 Bad Request\r\n\r\n");
        return std::nullopt;
      }
    }
    auto request = parse_head(buffer_.substr(0, end + 2));
    buffer_.erase(0, end + 4);
    if (request) {
      const auto length = static_cast<std::size_t>(std::atol(request->header("content-length").c_str()));
      while (buffer_.size() < length) {
        if (!fill()) {
          return std::nullopt;
        }
      }
      request->body = buffer_.substr(0, length);
      buffer_.erase(0, length);
    }
    return request;
  }

 private:
  bool fill() {
    std::array<char, 16384> bytes{};
    const auto count =
        ssl_ ? SSL_read(ssl_.get(), bytes.data(), bytes.size()) : ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (count <= 0) {
      return false;
    }
    buffer_.append(bytes.data(), static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  bool good_ = true;
  std::string buffer_;
};

HttpServer::HttpServer(Handler handler, const TlsIdentity* identity)
    : handler_(std::move(handler)), tls_(identity == nullptr ? nullptr : server_context(*identity), &SSL_CTX_free) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  std::tie(listener_, port_) = listen_on_loopback();
  acceptor_ = std::thread([this] { accept_loop(); });
}

HttpServer::~HttpServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ended_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) {
      ::shutdown(socket, SHUT_RDWR);
    }
  }
  for (auto& thread : threads_) {
    thread.join();
  }
  for (const int socket : sockets_) {
    ::close(socket);
  }
  ::close(listener_);
}

std::string HttpServer::url(const std::string& path) const {
  return (tls_ ? "https://" : "http://") + location() + path;
}

std::vector<ServerRequest> HttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<std::string> HttpServer::targets() const {
  std::vector<std::string> result;
  for (const auto& request : requests()) {
    result.push_back(request.target);
  }
  return result;
}

void HttpServer::accept_loop() {
  while (!stopping_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) {
      continue;
    }
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void HttpServer::serve(int socket) {
  Stream stream(socket, tls_.get());
  ++connections_;
  while (stream.good() && !stopping_) {
    const auto request = stream.read_request();
    if (!request) {
      break;
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(*request);
    }
    if (!answer(stream, *request)) {
      break;
    }
  }
  ::shutdown(socket, SHUT_RDWR);
}

void HttpServer::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  ended_.wait_for(lock, time, [this] { return stopping_.load(); });
}

bool HttpServer::answer(Stream& stream, const ServerRequest& request) {
  const auto response = handler_(request);
  pause(response.delay);
  if (response.hang_up) {
    return false;
  }
  if (!response.raw.empty()) {
    stream.write(response.raw);
    return false;
  }
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " X\r\n";
  for (const auto& [name, value] : response.headers) {
    head += name + ": " + value + "\r\n";
  }
  head += response.with_length ? "Content-Length: " + std::to_string(response.body.size()) + "\r\n"
                               : "Connection: close\r\n";
  if (!stream.write(head + "\r\n")) {
    return false;
  }
  pause(response.body_delay);
  const auto body = std::string_view(response.body).substr(0, response.cut_after.value_or(response.body.size()));
  if (response.byte_delay.count() > 0) {
    for (const char& byte : body) {
      pause(response.byte_delay);
      if (!stream.write({&byte, 1})) {
        return false;
      }
    }
    return false;
  }
  return stream.write(body) && response.with_length && !response.cut_after;
}

Script& Script::on(const std::string& path, std::vector<ServerResponse> responses) {
  state_->responses[path] = std::move(responses);
  return *this;
}

ServerResponse Script::operator()(const ServerRequest& request) {
  const std::lock_guard lock(state_->mutex);
  const auto path = request.target.substr(0, request.target.find('?'));
  const auto found = state_->responses.find(path);
  if (found == state_->responses.end()) {
    return {404, {},   R"({"errors":[{"code":"NAME_UNKNOWN","message":"unknown"}]})", std::nullopt, true, {}, {}, {},
            {},  false};
  }
  auto& next = state_->next[path];
  const auto at = std::min(next, found->second.size() - 1);
  ++next;
  return found->second[at];
}

std::uint16_t closed_port() {
  const auto [socket, port] = listen_on_loopback();
  ::close(socket);
  return port;
}

}  // namespace berth::test
