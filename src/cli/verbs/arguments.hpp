// The words of the command line before they are parsed.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace berth::cli {

/// The arguments, last first as CLI::App::parse wants them. In verbs that take a command, what stands behind the
/// container's name is the command's: `berth exec web ls --all` needs no `--`.
std::vector<std::string> guarded_arguments(const CLI::App& app, int argc, const char* const* argv);

}  // namespace berth::cli
