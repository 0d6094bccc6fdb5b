// Host files of containers that were installed before a file could belong to several.
#pragma once

#include <string>

#include "ops/deployment_note.hpp"
#include "ops/session.hpp"

namespace berth::ops {

/// Gives a file to another container whose image brings just the same: it found the file there when it was installed,
/// and recorded nothing. Its info file says then that it has it.
/// @param name the container that goes
/// @return the one that has the file now; empty when there is none
std::string hand_over(const Session& session, const std::string& name, const NotedFile& file);

}  // namespace berth::ops
