// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties of one unit, read from the bus.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "host/systemd/bus.hpp"
#include "host/systemd/systemd.hpp"

namespace berth::host {

/// One command of a unit (ExecStartPre=, ExecStart=…) and its last result.
struct UnitCommand {
  std::string setting;  ///< "ExecStart"
  std::string path;     ///< the program
  bool ignore_failure = false;
  std::int32_t code = 0;    ///< CLD_*; 0 when it has not ended
  std::int32_t status = 0;  ///< exit status or signal
};

/// The properties that describe a failed job.
struct UnitProperties {
  UnitState state;
  bool conditions_hold = false;                ///< at the last start
  std::chrono::microseconds start_timeout{0};  ///< 0: none
  std::chrono::microseconds stop_timeout{0};   ///< 0: none
  std::vector<UnitCommand> commands;           ///< in the order systemd runs them
  std::vector<std::string> stops_too;          ///< units that are stopped with it
};

/// @throws Error as Bus::call does
UnitProperties read_unit_properties(const Bus& bus, const std::string& unit);

}  // namespace berth::host
