// SPDX-License-Identifier: LGPL-2.1-or-later
// Prepares the command line for the parser.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace berth::cli {

/// The arguments in reverse order, as CLI::App::parse expects them. In verbs that take a command, all words after the
/// container's name belong to the command: `berth exec web ls --all` works without `--`.
std::vector<std::string> guarded_arguments(const CLI::App& app, int argc, const char* const* argv);

}  // namespace berth::cli
