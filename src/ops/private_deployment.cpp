// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/private_deployment.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/files/private_directory.hpp"
#include "host/state/deployment.hpp"

namespace berth::ops {

namespace {

std::optional<gid_t> group_of_deployment(const Context& context, int directory) {
  if (context.layout.user()) {
    return std::nullopt;  // the container runs as the user
  }
  try {
    const auto text = base::read_file_at(directory, "config.json", host::deployment_text_limit);
    return text ? passing_group(base::parse_json(*text, "config.json")) : std::nullopt;
  } catch (const base::Error&) {
    return std::nullopt;  // a command that uses the file reports the error
  }
}

}  // namespace

std::optional<gid_t> passing_group(const base::Json& config) {
  const base::JsonView view(config, "config.json");
  const auto linux_section = view.find("linux");
  const auto mappings = linux_section ? linux_section->find("gidMappings") : std::nullopt;
  if (!mappings) {
    return std::nullopt;
  }
  for (const auto& mapping : mappings->as_array()) {
    const auto inside = mapping.find("containerID");
    const auto outside = mapping.find("hostID");
    if (inside && outside && inside->as_integer() == 0 && outside->as_integer() > 0) {
      return static_cast<gid_t>(outside->as_integer());
    }
  }
  return std::nullopt;
}

bool close_deployment(const Context& context, int deployments, const std::string& name) {
  const auto directory = base::find_directory_at(deployments, name);
  if (!directory) {
    return false;  // another command has just removed it
  }
  const auto group = group_of_deployment(context, directory->get());
  const bool opened = host::make_private(directory->get(), group);
  if (group) {
    host::let_pass(deployments, *group);
  }
  return opened;
}

void let_container_pass(const Context& context, int directory, const base::Json& config) {
  const auto group = context.layout.user() ? std::nullopt : passing_group(config);
  host::make_private(directory, group);
  if (group) {
    host::let_pass(open_deployments(context).get(), *group);
  }
}

}  // namespace berth::ops
