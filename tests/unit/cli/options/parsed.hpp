// SPDX-License-Identifier: LGPL-2.1-or-later
// Command lines as the parser of berth reads them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/options/command_line.hpp"

namespace berth::cli {

/// A parser with all verbs.
struct Parsed {
  CLI::App app;
  CommandLine line;

  Parsed() { build(app, line); }

  /// The words given for an option, of the verb that was parsed.
  [[nodiscard]] std::vector<std::string> values(const std::string& option) const {
    const auto* verb = &app;
    while (!verb->get_subcommands().empty()) {
      verb = verb->get_subcommands().front();
    }
    return verb->get_option(option)->results();
  }
};

}  // namespace berth::cli
