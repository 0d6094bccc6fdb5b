// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/systemd/unit_properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <limits>
#include <map>

#include "base/error.hpp"

namespace berth::host {

namespace {

/// Reads one property's value from the message into the properties.
using Reader = std::function<void(sd_bus_message*, UnitProperties&)>;

template <typename Value>
Value read_basic(sd_bus_message* message, const char* type) {
  Value value{};
  check_bus(sd_bus_message_read(message, type, &value), "read a property of a unit");
  return value;
}

std::string read_text(sd_bus_message* message, const char* type = "s") {
  const auto* text = read_basic<const char*>(message, type);
  return text == nullptr ? "" : text;
}

/// As hex digits.
std::string read_bytes(sd_bus_message* message) {
  const void* bytes = nullptr;
  std::size_t size = 0;
  check_bus(sd_bus_message_read_array(message, 'y', &bytes, &size), "read a property of a unit");
  std::string digits;
  for (std::size_t index = 0; index < size; ++index) {
    digits += fmt::format("{:02x}", static_cast<const std::uint8_t*>(bytes)[index]);
  }
  return digits;
}

std::chrono::microseconds read_timeout(sd_bus_message* message) {
  const auto value = read_basic<std::uint64_t>(message, "t");
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return std::chrono::microseconds(value > most ? 0 : static_cast<std::int64_t>(value));  // infinity is 2^64-1
}

std::string read_load_error(sd_bus_message* message) {
  const char* name = nullptr;
  const char* text = nullptr;
  check_bus(sd_bus_message_read(message, "(ss)", &name, &text), "read the load error of a unit");
  return text != nullptr && *text != '\0' ? text : name != nullptr ? name : "";
}

/// a(sasbttttuii): program, arguments, ignore failure, four times, pid, code, status.
void read_commands(sd_bus_message* message, const std::string& setting, UnitProperties& properties) {
  constexpr const char* what = "read the commands of a unit";
  check_bus(sd_bus_message_enter_container(message, 'a', "(sasbttttuii)"), what);
  while (check_bus(sd_bus_message_enter_container(message, 'r', "sasbttttuii"), what) > 0) {
    UnitCommand command;
    command.setting = setting;
    command.path = read_text(message);
    check_bus(sd_bus_message_skip(message, "as"), what);
    int ignore = 0;
    check_bus(sd_bus_message_read(message, "b", &ignore), what);
    command.ignore_failure = ignore != 0;
    check_bus(sd_bus_message_skip(message, "ttttu"), what);
    check_bus(sd_bus_message_read(message, "ii", &command.code, &command.status), what);
    properties.commands.push_back(std::move(command));
    check_bus(sd_bus_message_exit_container(message), what);
  }
  check_bus(sd_bus_message_exit_container(message), what);
}

/// a(sbbsi): setting, whether it is a trigger, whether it is negated, value, last result.
void read_conditions(sd_bus_message* message, UnitProperties& properties) {
  constexpr const char* what = "read the conditions of a unit";
  check_bus(sd_bus_message_enter_container(message, 'a', "(sbbsi)"), what);
  const char* setting = nullptr;
  const char* value = nullptr;
  int triggers = 0;
  int negated = 0;
  std::int32_t answer = 0;
  while (check_bus(sd_bus_message_read(message, "(sbbsi)", &setting, &triggers, &negated, &value, &answer), what) > 0) {
    if (answer < 0 && properties.state.unmet.empty()) {
      properties.state.unmet =
          fmt::format("{}={}{}{}", setting, triggers != 0 ? "|" : "", negated != 0 ? "!" : "", value);
    }
  }
  check_bus(sd_bus_message_exit_container(message), what);
}

/// (uo): number, which is 0 for none, and object path.
bool has_job(sd_bus_message* message) {
  std::uint32_t number = 0;
  const char* path = nullptr;
  check_bus(sd_bus_message_read(message, "(uo)", &number, &path), "read the job of a unit");
  return number != 0;
}

void read_names(sd_bus_message* message, std::vector<std::string>& names) {
  constexpr const char* what = "read the dependencies of a unit";
  check_bus(sd_bus_message_enter_container(message, 'a', "s"), what);
  const char* name = nullptr;
  while (check_bus(sd_bus_message_read(message, "s", &name), what) > 0) {
    names.emplace_back(name);
  }
  check_bus(sd_bus_message_exit_container(message), what);
}

Reader text_into(std::string UnitState::*member) {
  return
      [member](sd_bus_message* message, UnitProperties& properties) { properties.state.*member = read_text(message); };
}

Reader number_into(std::int32_t UnitState::*member) {
  return [member](sd_bus_message* message, UnitProperties& properties) {
    properties.state.*member = read_basic<std::int32_t>(message, "i");
  };
}

Reader timestamp_into(std::uint64_t UnitState::*member) {
  return [member](sd_bus_message* message, UnitProperties& properties) {
    properties.state.*member = read_basic<std::uint64_t>(message, "t");
  };
}

Reader commands_of(std::string setting) {
  return [setting = std::move(setting)](sd_bus_message* message, UnitProperties& properties) {
    read_commands(message, setting, properties);
  };
}

struct KnownProperty {
  const char* type;
  Reader read;
};

using KnownProperties = std::map<std::string, KnownProperty, std::less<>>;

/// Dependencies that propagate a stop to other units, and those that start the unit again.
void add_dependents(KnownProperties& known) {
  for (const auto* name : {"RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf", "PropagatesStopTo"}) {
    known.emplace(
        name, KnownProperty{"as", [](auto* message, auto& properties) { read_names(message, properties.stops_too); }});
  }
  for (const auto* name : {"TriggeredBy", "UpheldBy"}) {
    known.emplace(name, KnownProperty{"as", [](auto* message, auto& properties) {
                                        read_names(message, properties.state.started_by);
                                      }});
  }
}

KnownProperties known_properties() {
  constexpr const char* commands = "a(sasbttttuii)";
  KnownProperties known = {
      {"LoadState", {"s", text_into(&UnitState::load_state)}},
      {"ActiveState", {"s", text_into(&UnitState::active_state)}},
      {"SubState", {"s", text_into(&UnitState::sub_state)}},
      {"UnitFileState", {"s", text_into(&UnitState::unit_file_state)}},
      {"Result", {"s", text_into(&UnitState::result)}},
      {"ControlGroup", {"s", text_into(&UnitState::control_group)}},
      {"Slice", {"s", text_into(&UnitState::slice)}},
      {"Job", {"(uo)", [](auto* message, auto& properties) { properties.state.waits = has_job(message); }}},
      {"ExecMainCode", {"i", number_into(&UnitState::exec_main_code)}},
      {"ExecMainStatus", {"i", number_into(&UnitState::exec_main_status)}},
      {"MainPID",
       {"u",
        [](auto* message, auto& properties) {
          properties.state.main_pid = static_cast<pid_t>(read_basic<std::uint32_t>(message, "u"));
        }}},
      {"Type", {"s", text_into(&UnitState::type)}},
      {"NRestarts",
       {"u",
        [](auto* message, auto& properties) { properties.state.restarts = read_basic<std::uint32_t>(message, "u"); }}},
      {"InvocationID",
       {"ay", [](auto* message, auto& properties) { properties.state.invocation_id = read_bytes(message); }}},
      {"LoadError",
       {"(ss)", [](auto* message, auto& properties) { properties.state.load_error = read_load_error(message); }}},
      {"TimeoutStartUSec",
       {"t", [](auto* message, auto& properties) { properties.start_timeout = read_timeout(message); }}},
      {"TimeoutStopUSec",
       {"t", [](auto* message, auto& properties) { properties.stop_timeout = read_timeout(message); }}},
      {"Conditions", {"a(sbbsi)", read_conditions}},
      {"ConditionResult",
       {"b", [](auto* message, auto& properties) { properties.conditions_hold = read_basic<int>(message, "b") != 0; }}},
      {"ActiveEnterTimestampMonotonic", {"t", timestamp_into(&UnitState::active_enter)}},
      {"ActiveExitTimestampMonotonic", {"t", timestamp_into(&UnitState::active_exit)}},
      {"ExecMainExitTimestampMonotonic", {"t", timestamp_into(&UnitState::main_exit)}},
      {"ExecCondition", {commands, commands_of("ExecCondition")}},
      {"ExecStartPre", {commands, commands_of("ExecStartPre")}},
      {"ExecStart", {commands, commands_of("ExecStart")}},
      {"ExecStartPost", {commands, commands_of("ExecStartPost")}},
  };
  add_dependents(known);
  return known;
}

/// a{sv} with the properties of all interfaces of the unit.
UnitProperties parse_properties(sd_bus_message* message) {
  constexpr const char* what = "read the properties of a unit";
  UnitProperties properties;
  const auto known = known_properties();
  check_bus(sd_bus_message_enter_container(message, 'a', "{sv}"), what);
  while (check_bus(sd_bus_message_enter_container(message, 'e', "sv"), what) > 0) {
    const auto property = known.find(read_text(message));
    const char* type = nullptr;
    check_bus(sd_bus_message_peek_type(message, nullptr, &type), what);
    if (property != known.end() && std::string_view(type) == property->second.type) {
      check_bus(sd_bus_message_enter_container(message, 'v', type), what);
      property->second.read(message, properties);
      check_bus(sd_bus_message_exit_container(message), what);
    } else {
      check_bus(sd_bus_message_skip(message, "v"), what);
    }
    check_bus(sd_bus_message_exit_container(message), what);
  }
  check_bus(sd_bus_message_exit_container(message), what);
  return properties;
}

struct Freer {
  void operator()(char* text) const noexcept { std::free(text); }  // NOLINT: allocated by sd-bus
};

}  // namespace

bool was_stopped(const UnitState& unit) {
  constexpr std::int32_t ended_by_term = 128 + SIGTERM;
  const bool ended = unit.active_state == "inactive" || unit.active_state == "failed";
  const bool as_told = unit.result == "success" || unit.result == "signal" ||
                       (unit.result == "exit-code" && unit.exec_main_status == ended_by_term);
  return ended && as_told && unit.active_exit > 0 && unit.active_exit < unit.main_exit;
}

UnitProperties read_unit_properties(const Bus& bus, const std::string& unit) {
  char* raw = nullptr;
  check_bus(sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &raw), "name the unit " + unit);
  const std::unique_ptr<char, Freer> path(raw);
  const MessagePtr call = bus.new_call(path.get(), "org.freedesktop.DBus.Properties", "GetAll");
  check_bus(sd_bus_message_append(call.get(), "s", ""), "get the properties of " + unit);
  const MessagePtr reply = bus.call_checked(call, "show " + unit);
  UnitProperties properties = parse_properties(reply.get());
  if (properties.conditions_hold) {
    properties.state.unmet.clear();  // one of several triggering conditions is enough
  }
  // systemd replies in the order of its own table, which is the order of execution but not documented.
  const auto rank = [](const UnitCommand& command) {
    constexpr std::array order = {"ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost"};
    return std::find(order.begin(), order.end(), command.setting) - order.begin();
  };
  std::stable_sort(properties.commands.begin(), properties.commands.end(),
                   [&](const auto& left, const auto& right) { return rank(left) < rank(right); });
  return properties;
}

}  // namespace berth::host
