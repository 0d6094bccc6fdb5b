// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/options/shared_options.hpp"

#include <chrono>
#include <cstdint>

namespace berth::cli {

void add_set(const Subcommand& verb, SetOptions& set, const std::string& description) {
  add_set_alone(verb, set, description);
  verb.add_option("--set-file", set.files, "The same, with the value in a file; - for standard input")
      .type_name("NAME=FILE")
      .one_value();
}

void add_set_alone(const Subcommand& verb, SetOptions& set, const std::string& description) {
  verb.add_option("--set", set.assignments, description).type_name("NAME=VALUE").one_value();
}

void add_authfile(const Subcommand& verb, std::string& file) {
  verb.add_option("--authfile", file, "Credentials in the format of containers-auth.json(5)").type_name("FILE");
}

void add_platform(const Subcommand& verb, std::string& platform) {
  verb.add_option("--platform", platform, "Choose from an index, e.g. linux/arm64").type_name("OS/ARCH[/VARIANT]");
}

void add_runtime(const Subcommand& verb, std::string& runtime) {
  verb.add_option("--runtime", runtime, "OCI runtime to use").type_name("PATH");
}

void add_gate_options(const Subcommand& verb, ops::GateOptions& gate) {
  verb.add_option_function(
          "--settle",
          [&gate](double seconds) {
            gate.settle = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
          },
          "How long the service must stay up to count as healthy")
      .between(0, 86400)
      .type_name("SECONDS");
  verb.add_flag_callback(
      "--no-gate", [&gate] { gate.enabled = false; }, "Do not check the health of the started service");
}

void add_list_options(const Subcommand& verb, ListOptions& options, const ListHelp& help) {
  verb.add_flag("-a,--all", options.all, help.all);
  verb.add_flag("-q,--quiet", options.quiet, help.quiet);
  verb.add_flag("-n,--noheading", options.no_heading, "Omit the heading");
  verb.add_flag("--no-trunc", options.no_truncation, "Do not truncate columns");
  verb.add_flag("--json", options.json, "Print JSON");
  verb.add_option("-f,--filter", options.filters, help.filter).type_name("KEY=VALUE").one_value();
}

std::vector<ops::Filter> filters_of(const ListOptions& options, const std::vector<std::string>& keys) {
  std::vector<ops::Filter> filters;
  filters.reserve(options.filters.size());
  for (const auto& text : options.filters) {
    filters.push_back(ops::parse_filter(text, keys));
  }
  return filters;
}

}  // namespace berth::cli
