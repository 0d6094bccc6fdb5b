// The properties of one unit, read off the bus.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "host/systemd/bus.hpp"
#include "host/systemd/systemd.hpp"

namespace berth::host {

/// One command of a unit (ExecStartPre=, ExecStart=…) and how it last ended.
struct UnitCommand {
  std::string setting;  ///< "ExecStart"
  std::string path;     ///< the program
  bool ignore_failure = false;
  std::int32_t code = 0;    ///< CLD_*; 0 when it has not ended
  std::int32_t status = 0;  ///< exit status or signal
};

/// What is needed to say why a job failed.
struct UnitProperties {
  UnitState state;
  bool conditions_hold = false;                ///< when it was last started
  std::chrono::microseconds start_timeout{0};  ///< 0: none
  std::chrono::microseconds stop_timeout{0};   ///< 0: none
  std::vector<UnitCommand> commands;           ///< in the order systemd runs them
  std::vector<std::string> stops_too;          ///< units that are stopped when it is stopped
};

/// @throws Error as Bus::call does
UnitProperties read_unit_properties(const Bus& bus, const std::string& unit);

}  // namespace berth::host
