// SPDX-License-Identifier: LGPL-2.1-or-later
// From argv to an exit code.
#pragma once

namespace berth::cli {

/// Parses the command line, runs the verb, and prints its result or error.
/// @return the exit code, see exit_code.hpp
int run(int argc, char** argv);

}  // namespace berth::cli
