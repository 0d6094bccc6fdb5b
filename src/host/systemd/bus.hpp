// SPDX-License-Identifier: LGPL-2.1-or-later
// A connection to org.freedesktop.systemd1 over sd-bus (sd-bus(3)).
#pragma once

#include <systemd/sd-bus.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace berth::host {

struct BusCloser {
  void operator()(sd_bus* bus) const noexcept { sd_bus_flush_close_unref(bus); }
};
struct MessageCloser {
  void operator()(sd_bus_message* message) const noexcept { sd_bus_message_unref(message); }
};
struct SlotCloser {
  void operator()(sd_bus_slot* slot) const noexcept { sd_bus_slot_unref(slot); }
};
using BusPtr = std::unique_ptr<sd_bus, BusCloser>;
using MessagePtr = std::unique_ptr<sd_bus_message, MessageCloser>;
using SlotPtr = std::unique_ptr<sd_bus_slot, SlotCloser>;

inline constexpr const char* systemd_name = "org.freedesktop.systemd1";
inline constexpr const char* systemd_path = "/org/freedesktop/systemd1";
inline constexpr const char* systemd_interface = "org.freedesktop.systemd1.Manager";

/// The connection is lost: the bus or systemd was restarted, or ended. The request may have been executed.
class LostConnection : public base::Error {
 public:
  explicit LostConnection(const std::string& message);
};

/// Checks the result of an sd-bus function. @return `result` when it is not negative
/// @throws Error(failed) "cannot WHAT: …" for a negative errno, LostConnection for one of the connection
int check_bus(int result, std::string_view what);

/// The reply to a method call: the message, or the name and text of an error.
struct BusReply {
  MessagePtr message;
  std::string error_name;  ///< e.g. org.freedesktop.systemd1.NoSuchUnit; empty for success
  std::string error_text;
};

/// Throws the error of a reply. Refusals become not_permitted, unknown units not_found, taken names conflict.
/// @param action "start web.service", for "systemd refuses to start web.service: …"
[[noreturn]] void throw_reply(const BusReply& reply, std::string_view action);

/// A connection to systemd that is subscribed to its signals.
class Bus {
 public:
  /// Connects to the peer at `address`, or, when that is empty, to the system bus, else to systemd's private socket.
  /// @param user_runtime runtime directory of a user, to use the user's bus and systemd instead
  /// @throws Error(failed) naming the addresses that failed
  Bus(const std::string& address, std::chrono::microseconds call_timeout, const std::string& user_runtime = "");

  [[nodiscard]] sd_bus* get() const noexcept { return bus_.get(); }
  /// Whether there is a bus daemon, so that senders have names.
  [[nodiscard]] bool has_daemon() const noexcept { return has_daemon_; }

  /// A new call of a method of the Manager.
  [[nodiscard]] MessagePtr new_call(const char* method) const;
  [[nodiscard]] MessagePtr new_call(const char* path, const char* interface, const char* method) const;
  /// Sends a call and waits for the reply, which may be an error. @throws LostConnection
  [[nodiscard]] BusReply call(const MessagePtr& message) const;
  /// As call, but throws an error reply.
  [[nodiscard]] MessagePtr call_checked(const MessagePtr& message, std::string_view action) const;

 private:
  void connect_anywhere(const std::string& user_runtime);

  std::chrono::microseconds call_timeout_;
  BusPtr bus_;
  bool has_daemon_ = false;
};

}  // namespace berth::host
