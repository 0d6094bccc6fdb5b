// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/config/config.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "host/config/config_reader.hpp"
#include "host/files/root_directory.hpp"

namespace berth::host {

namespace {

constexpr std::uint64_t file_limit = 1U << 20U;  // bytes
constexpr std::int64_t day = 86'400;             // seconds

template <typename Target, typename Value>
void assign(Target& target, std::optional<Value> value) {
  if (value) {
    target = static_cast<Target>(std::move(*value));
  }
}

void read_paths(ConfigTable& table, Config& config) {
  assign(config.deployments, table.path("deployments"));
  assign(config.repository, table.path("repository"));
}

void read_pull(ConfigTable& table, Config& config) {
  assign(config.authfile, table.path("authfile"));
  assign(config.parallel_layers, table.integer("parallel-layers", 1, 16));
  assign(config.libostree_writes, table.choice("writer", "own", "libostree"));
  assign(config.gentle, table.choice("durability", "fast", "gentle"));
  assign(config.retries, table.integer("retries", 0, 20));
  assign(config.connect_timeout_seconds, table.integer("connect-timeout", 1, 600));
}

void read_runtime(ConfigTable& table, Config& config) {
  assign(config.runtimes, table.texts("candidates"));
}

void read_locks(ConfigTable& table, Config& config) {
  assign(config.lock_timeout_seconds, table.integer("timeout", 0, day));
}

void read_systemd(ConfigTable& table, Config& config) {
  assign(config.start_timeout_seconds, table.integer("job-timeout", 0, day));
}

void read_update(ConfigTable& table, Config& config) {
  assign(config.settle_seconds, table.integer("settle", 0, day));
}

/// The settings of a registry in a later file override those in an earlier file, key by key.
void read_registry(ConfigTable& table, Config& config) {
  const auto location = table.text("location");
  if (!location) {
    table.fail_missing("location");
  }
  auto registry = std::find_if(config.registries.begin(), config.registries.end(),
                               [&](const RegistryConfig& known) { return known.location == *location; });
  if (registry == config.registries.end()) {
    registry = config.registries.insert(registry, RegistryConfig{});
    registry->location = *location;
  }
  assign(registry->insecure, table.boolean("insecure"));
  assign(registry->ca_file, table.path("ca-file"));
}

void apply(const toml::table& document, const std::string& path, Config& config, base::Reporter& reporter) {
  ConfigTable top(document, path, "");
  const auto section = [&](std::string_view name, void (*read)(ConfigTable&, Config&)) {
    if (auto table = top.table(name)) {
      read(*table, config);
      table->warn_of_unknown(reporter);
    }
  };
  section("paths", read_paths);
  section("pull", read_pull);
  section("runtime", read_runtime);
  section("locks", read_locks);
  section("systemd", read_systemd);
  section("update", read_update);
  for (ConfigTable& registry : top.tables("registry")) {
    read_registry(registry, config);
    registry.warn_of_unknown(reporter);
  }
  top.warn_of_unknown(reporter);
}

void read_text(const std::string& text, const std::string& path, Config& config, base::Reporter& reporter) {
  try {
    apply(toml::parse(text, path), path, config, reporter);
  } catch (const toml::parse_error& error) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("{}:{}: {}", path, error.source().begin.line, base::printable(error.description())),
                      "the file is TOML 1.0; berth.conf(5) has an example");
  }
}

/// File name → path inside the root, for both drop-in directories; a file in /etc hides one in /usr/lib.
std::map<std::string, std::string> find_drop_ins(int root) {
  std::map<std::string, std::string> found;
  for (const std::string directory : {"/usr/lib/berth/berth.conf.d", "/etc/berth/berth.conf.d"}) {
    const auto opened = find_directory_in_root(root, directory);
    if (!opened) {
      continue;
    }
    for (const std::string& name : base::list_directory(opened->get())) {
      if (name.ends_with(".conf") && !name.starts_with('.')) {
        found[name] = fmt::format("{}/{}", directory, name);
      }
    }
  }
  return found;
}

}  // namespace

Config read_config(const std::string& root, const std::string& file, base::Reporter& reporter,
                   const std::string& own_directory) {
  Config config;
  if (!file.empty()) {
    // Opened as named: it may be relative to the working directory, a link, or /dev/fd/N.
    const base::Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    base::check_errno(opened.get(), "open the configuration file " + file);
    read_text(base::read_all(opened.get(), file_limit, file), file, config, reporter);
    return config;
  }
  const base::Fd directory = base::open_host_directory(root);
  const std::string prefix = root == "/" ? "" : root;
  std::vector<std::string> paths = {"/etc/berth/berth.conf"};
  for (const auto& [name, path] : find_drop_ins(directory.get())) {
    paths.push_back(path);
  }
  for (const std::string& path : paths) {
    if (const auto text = base::read_file_in_root(directory.get(), path, file_limit, prefix + path)) {
      read_text(*text, prefix + path, config, reporter);
    }
  }
  if (!own_directory.empty()) {
    config.deployments.clear();
    config.repository.clear();
    config.authfile.clear();
    const auto path = own_directory + "/berth.conf";
    if (const auto text = base::read_file_in_root(directory.get(), path, file_limit, prefix + path)) {
      read_text(*text, prefix + path, config, reporter);
    }
  }
  return config;
}

}  // namespace berth::host
