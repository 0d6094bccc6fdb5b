// The system's log, read through sd-journal (sd-journal(3)).
#pragma once

#include <string>
#include <vector>

namespace berth::host {

/// The last `count` messages of a unit and of systemd about it, oldest first. Waits a moment for messages that are on
/// their way. Empty when there is no journal or it may not be read.
/// @param folder a journal folder instead of the system's, when not empty
std::vector<std::string> read_unit_log(const std::string& unit, std::size_t count, const std::string& folder = "");

}  // namespace berth::host
