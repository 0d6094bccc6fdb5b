// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/systemd/bus.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>

#include "base/error.hpp"

namespace berth::host {

namespace {

using base::Error;
using base::ErrorKind;

/// Owns the contents of an sd_bus_error.
class BusFailure {
 public:
  BusFailure() = default;
  BusFailure(const BusFailure&) = delete;
  BusFailure& operator=(const BusFailure&) = delete;
  ~BusFailure() { sd_bus_error_free(&error_); }
  sd_bus_error* get() noexcept { return &error_; }
  [[nodiscard]] std::string name() const { return error_.name == nullptr ? "" : error_.name; }
  [[nodiscard]] std::string text() const { return error_.message == nullptr ? "" : error_.message; }

 private:
  sd_bus_error error_{};  // SD_BUS_ERROR_NULL
};

/// @param daemon the peer is a bus daemon, which expects Hello, and not systemd itself
BusPtr open_peer(const std::string& address, bool daemon = false) {
  sd_bus* raw = nullptr;
  check_bus(sd_bus_new(&raw), "prepare a connection to systemd");
  BusPtr bus(raw);
  check_bus(sd_bus_set_address(raw, address.c_str()), "use the address " + address);
  check_bus(sd_bus_set_bus_client(raw, daemon ? 1 : 0), "use the address " + address);
  check_bus(sd_bus_start(raw), "connect to " + address);
  return bus;
}

BusPtr open_system_bus() {
  sd_bus* raw = nullptr;
  check_bus(sd_bus_open_system(&raw), "connect to the system bus");
  return BusPtr(raw);
}

/// The socket on which systemd itself listens.
std::string private_address(const std::string& user_runtime) {
  return fmt::format("unix:path={}/systemd/private", user_runtime.empty() ? "/run" : user_runtime);
}

[[noreturn]] void throw_unreachable(const std::string& reasons, bool for_user) {
  if (for_user) {
    throw Error(ErrorKind::failed, "your systemd (systemd --user) cannot be reached: " + reasons,
                "log in as this user, with XDG_RUNTIME_DIR set; or have root run: loginctl enable-linger USER");
  }
  throw Error(ErrorKind::failed, "systemd cannot be reached: " + reasons,
              ::geteuid() == 0
                  ? "berth needs a host booted with systemd; use --root DIR to work on one that is not running"
                  : "run it as root");
}

bool is_lost_connection(int code) {
  return code == ECONNRESET || code == ENOTCONN || code == EPIPE || code == ESHUTDOWN || code == ECONNREFUSED;
}

bool is_one_of(const std::string& name, std::initializer_list<std::string_view> names) {
  for (const std::string_view candidate : names) {
    if (name == candidate) {
      return true;
    }
  }
  return false;
}

/// Whether an error means that systemd is not on the bus. NoReply also ends a call that timed out.
bool is_absence(const std::string& error_name, bool daemon) {
  return is_one_of(error_name, {SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER}) ||
         (daemon && error_name == SD_BUS_ERROR_NO_REPLY);
}

}  // namespace

LostConnection::LostConnection(const std::string& message)
    : Error(ErrorKind::failed, message, "run the command again") {}

int check_bus(int result, std::string_view what) {
  if (result < 0 && is_lost_connection(-result)) {
    throw LostConnection(fmt::format("cannot {}: {}", what, std::strerror(-result)));
  }
  if (result == -EINVAL || result == -EOPNOTSUPP) {  // base::throw_errno would blame a file system
    throw Error(ErrorKind::failed, fmt::format("cannot {}: systemd does not support this request", what),
                "systemd 252 or later is needed; `journalctl -b` may show details");
  }
  if (result < 0) {
    base::throw_errno(what, -result);
  }
  return result;
}

void throw_reply(const BusReply& reply, std::string_view action) {
  const std::string message =
      fmt::format("systemd refuses to {}: {}", action, reply.error_text.empty() ? reply.error_name : reply.error_text);
  const std::string& name = reply.error_name;
  if (is_one_of(name, {SD_BUS_ERROR_ACCESS_DENIED, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                       SD_BUS_ERROR_AUTH_FAILED, "System.Error.EPERM", "System.Error.EACCES"})) {
    throw Error(ErrorKind::not_permitted, message);  // the command line adds the remedy
  }
  if (is_one_of(name,
                {SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT, SD_BUS_ERROR_DISCONNECTED, "System.Error.ETIMEDOUT"})) {
    throw Error(ErrorKind::failed, fmt::format("systemd did not answer the request to {}", action),
                "check its state with `systemctl status`");
  }
  if (name == "org.freedesktop.systemd1.NoSuchUnit") {
    throw Error(ErrorKind::not_found, message);
  }
  if (is_one_of(name, {SD_BUS_ERROR_FILE_EXISTS, "System.Error.EEXIST"})) {
    throw Error(ErrorKind::conflict, message, "inspect that file, and remove it if it is not needed");
  }
  if (name == "org.freedesktop.systemd1.UnitMasked") {
    throw Error(ErrorKind::failed, message, "its unit file is a link to /dev/null, or empty");
  }
  throw Error(ErrorKind::failed, message);
}

Bus::Bus(const std::string& address, std::chrono::microseconds call_timeout, const std::string& user_runtime)
    : call_timeout_(call_timeout) {
  if (address.empty()) {
    connect_anywhere(user_runtime);
    return;
  }
  bus_ = open_peer(address);
  static_cast<void>(call_checked(new_call("Subscribe"), "send its signals"));
}

void Bus::connect_anywhere(const std::string& user_runtime) {
  const bool for_user = !user_runtime.empty();
  std::string reasons;
  const auto attempt = [&](bool daemon) {
    try {
      if (daemon) {
        bus_ = for_user ? open_peer(fmt::format("unix:path={}/bus", user_runtime), true) : open_system_bus();
      } else {
        bus_ = open_peer(private_address(user_runtime));
      }
      has_daemon_ = daemon;
      // systemd joins the bus after the daemon has started: only a reply shows that it has. The subscription is needed
      // for the signals of jobs.
      static_cast<void>(call_checked(new_call("Subscribe"), "send its signals"));
      return true;
    } catch (const Error& error) {
      reasons += (reasons.empty() ? "" : "; ") + error.message();
      bus_.reset();
      return false;
    }
  };
  if (attempt(true) || ((for_user || ::geteuid() == 0) && attempt(false))) {
    return;
  }
  throw_unreachable(reasons, for_user);
}

MessagePtr Bus::new_call(const char* method) const {
  return new_call(systemd_path, systemd_interface, method);
}

MessagePtr Bus::new_call(const char* path, const char* interface, const char* method) const {
  sd_bus_message* raw = nullptr;
  check_bus(sd_bus_message_new_method_call(bus_.get(), &raw, systemd_name, path, interface, method),
            fmt::format("prepare the call {} of systemd", method));
  return MessagePtr(raw);
}

BusReply Bus::call(const MessagePtr& message) const {
  BusFailure failure;
  sd_bus_message* raw = nullptr;
  const auto timeout = static_cast<std::uint64_t>(call_timeout_.count());
  const auto deadline = std::chrono::steady_clock::now() + call_timeout_;
  const int result = sd_bus_call(bus_.get(), message.get(), timeout, failure.get(), &raw);
  BusReply reply{MessagePtr(raw), failure.name(), failure.text()};
  if (result < 0 && is_lost_connection(-result)) {
    throw LostConnection(fmt::format("lost the connection to systemd: {}", std::strerror(-result)));
  }
  if (is_absence(reply.error_name, has_daemon_) && std::chrono::steady_clock::now() < deadline) {
    throw LostConnection("systemd left the bus: " + reply.error_text);
  }
  if (result < 0 && reply.error_name.empty()) {
    base::throw_errno("call systemd", -result);
  }
  return reply;
}

MessagePtr Bus::call_checked(const MessagePtr& message, std::string_view action) const {
  BusReply reply = call(message);
  if (!reply.error_name.empty()) {
    throw_reply(reply, action);
  }
  return std::move(reply.message);
}

}  // namespace berth::host
