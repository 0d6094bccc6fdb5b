// What other verbs share with berth run.
#pragma once

#include "cli/verbs/command_line.hpp"

namespace berth::cli {

/// What `install` does with an image that is to be run once: as `run` with the same options.
/// @return the exit code of what was run
int run_image_once(const CommandLine& line, ops::Context& context);

/// `run NAME COMMAND...` for an installed container.
int run_in_container(const CommandLine& line, ops::Context& context, const std::string& name);

}  // namespace berth::cli
