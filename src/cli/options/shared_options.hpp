// SPDX-License-Identifier: LGPL-2.1-or-later
// Options that several verbs have.
#pragma once

#include <string>
#include <vector>

#include "cli/options/command_line.hpp"
#include "ops/filter.hpp"
#include "ops/runtime/health_gate.hpp"

namespace berth::cli {

/// --set and --set-file.
void add_set(const Subcommand& verb, SetOptions& set, const std::string& description);

/// --set, without --set-file.
void add_set_alone(const Subcommand& verb, SetOptions& set, const std::string& description);

/// --authfile, of the verbs that may query a registry.
void add_authfile(const Subcommand& verb, std::string& file);

/// --platform
void add_platform(const Subcommand& verb, std::string& platform);

/// --runtime
void add_runtime(const Subcommand& verb, std::string& runtime);

/// --settle and --no-gate, of the verbs that start another deployment.
void add_gate_options(const Subcommand& verb, ops::GateOptions& gate);

/// Options of the verbs that print a list.
struct ListOptions {
  bool all = false;
  bool quiet = false;
  bool no_heading = false;
  bool no_truncation = false;
  bool json = false;
  std::vector<std::string> filters;
};

/// What the help of a list says of options whose meaning depends on its rows.
struct ListHelp {
  std::string all;
  std::string quiet;
  std::string filter;
};

void add_list_options(const Subcommand& verb, ListOptions& options, const ListHelp& help);

/// @param keys that --filter may name
/// @throws Error(usage)
std::vector<ops::Filter> filters_of(const ListOptions& options, const std::vector<std::string>& keys);

}  // namespace berth::cli
