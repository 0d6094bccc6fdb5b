// SPDX-License-Identifier: LGPL-2.1-or-later
// A minimal systemd on a socket, so that the real client code runs without PID 1.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host/scratch.hpp"
#include "host/systemd/bus.hpp"

namespace berth::host::testing {

/// Serves one connection at a time on a socket in a scratch directory until destroyed.
class BusPeer {
 public:
  /// Answers a method call with an sd_bus_reply_… function, and returns its result.
  using Handler = std::function<int(sd_bus_message* call)>;

  BusPeer() : path_(scratch_.at("socket")) {
    listener_ = base::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    EXPECT_EQ(0, ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
    EXPECT_EQ(0, ::listen(listener_.get(), 5));
    on("Subscribe", [](sd_bus_message* call) { return sd_bus_reply_method_return(call, ""); });
  }
  BusPeer(const BusPeer&) = delete;
  BusPeer& operator=(const BusPeer&) = delete;
  ~BusPeer() { thread_.request_stop(); }

  [[nodiscard]] std::string address() const { return "unix:path=" + path_; }

  /// Before serve() only.
  void on(const std::string& method, Handler handler) { handlers_[method] = std::move(handler); }
  void serve() {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  /// Names of the methods called, in order.
  [[nodiscard]] std::vector<std::string> calls() const {
    const std::scoped_lock lock(mutex_);
    return calls_;
  }

  /// Sent from a handler: the JobRemoved signal.
  static int send_job_removed(sd_bus_message* call, const std::string& job, const std::string& unit,
                              const std::string& result) {
    return sd_bus_emit_signal(sd_bus_message_get_bus(call), systemd_path, systemd_interface, "JobRemoved", "uoss", 1,
                              job.c_str(), unit.c_str(), result.c_str());
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd >= 0) {
        serve_connection(fd, stop);
      } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    }
  }

  void serve_connection(int fd, const std::stop_token& stop) {
    sd_bus* raw = nullptr;
    sd_id128_t id{};
    sd_bus_new(&raw);
    const BusPtr bus(raw);
    sd_id128_randomize(&id);
    sd_bus_set_fd(raw, fd, fd);
    sd_bus_set_server(raw, 1, id);
    sd_bus_add_filter(raw, nullptr, &BusPeer::on_message, this);
    if (sd_bus_start(raw) < 0) {
      return;
    }
    while (!stop.stop_requested()) {
      const int result = sd_bus_process(raw, nullptr);
      if (result < 0) {
        return;  // the client has disconnected
      }
      if (result == 0) {
        sd_bus_wait(raw, 5'000);
      }
    }
  }

  static int on_message(sd_bus_message* message, void* data, sd_bus_error* error) {
    const char* member = sd_bus_message_get_member(message);
    if (member == nullptr || sd_bus_message_is_method_call(message, nullptr, nullptr) <= 0) {
      return 0;
    }
    auto& peer = *static_cast<BusPeer*>(data);
    {
      const std::scoped_lock lock(peer.mutex_);
      peer.calls_.emplace_back(member);
    }
    const auto handler = peer.handlers_.find(member);
    if (handler == peer.handlers_.end()) {
      return sd_bus_error_set(error, SD_BUS_ERROR_UNKNOWN_METHOD, "the test does not know this method");
    }
    const int result = handler->second(message);
    return result < 0 ? result : 1;
  }

  Scratch scratch_;
  std::string path_;
  base::Fd listener_;
  std::map<std::string, Handler> handlers_;
  mutable std::mutex mutex_;
  std::vector<std::string> calls_;
  std::jthread thread_;  ///< last, so that it ends before what it uses
};

}  // namespace berth::host::testing
