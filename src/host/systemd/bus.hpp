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

/// Nobody is at the other end any more: the bus or systemd was restarted, or ended. What was asked may have been done.
class LostConnection : public base::Error {
 public:
  explicit LostConnection(const std::string& message);
};

/// Throws Error(failed) "cannot WHAT: …" when the negative errno `result` of an sd-bus function says so.
/// @throws LostConnection when it is about the connection
int check_bus(int result, std::string_view what);

/// An answer to a method call: the message, or the name and text of an error.
struct BusReply {
  MessagePtr message;
  std::string error_name;  ///< e.g. org.freedesktop.systemd1.NoSuchUnit; empty for success
  std::string error_text;
};

/// Throws the error of a reply. Refusals become not_permitted, unknown units not_found, taken names conflict.
/// @param action "start web.service", for "systemd refuses to start web.service: …"
[[noreturn]] void throw_reply(const BusReply& reply, std::string_view action);

/// A connection on which systemd answers and sends its signals.
class Bus {
 public:
  /// Connects to the peer at `address`, or, when that is empty, to the system bus, else to systemd's private socket.
  /// @param user_runtime the runtime directory of a user, for his bus and the socket of his systemd in their place
  /// @throws Error(failed) naming what was tried
  Bus(const std::string& address, std::chrono::microseconds call_timeout, const std::string& user_runtime = "");

  [[nodiscard]] sd_bus* get() const noexcept { return bus_.get(); }
  /// True on a bus with a daemon: there, senders have names.
  [[nodiscard]] bool has_daemon() const noexcept { return has_daemon_; }

  /// A new call of a method of the Manager.
  [[nodiscard]] MessagePtr new_call(const char* method) const;
  [[nodiscard]] MessagePtr new_call(const char* path, const char* interface, const char* method) const;
  /// Sends a call and waits for the answer. @throws LostConnection; errors that systemd answers are in the reply
  [[nodiscard]] BusReply call(const MessagePtr& message) const;
  /// As call; an error answer is thrown.
  [[nodiscard]] MessagePtr call_checked(const MessagePtr& message, std::string_view action) const;

 private:
  void connect_anywhere(const std::string& user_runtime);

  std::chrono::microseconds call_timeout_;
  BusPtr bus_;
  bool has_daemon_ = false;
};

}  // namespace berth::host
