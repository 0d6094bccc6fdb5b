// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/list.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "ops/timestamp.hpp"

namespace berth::ops {

namespace {

std::string command_of(Context& context, const host::Deployment& deployment) {
  try {
    const auto path = deployment.path + "/config.json";
    if (const auto text = base::read_file_at(AT_FDCWD, path, host::deployment_text_limit)) {
      const auto config = base::parse_json_members(*text, path, std::array{std::string_view("process")});
      const base::JsonView view(config, "config.json");
      return fmt::format("{}", fmt::join(view.at("process").strings_or_empty("args"), " "));
    }
  } catch (const base::Error& error) {
    context.reporter.warning(fmt::format("{}: {}", deployment.name, error.what()));
  }
  return {};
}

std::map<std::string, host::UnitState> states_of(Context& context, const std::vector<host::Deployment>& deployments) {
  std::vector<std::string> units;
  for (const auto& deployment : deployments) {
    if (deployment.info.has_container_service) {
      units.push_back(host::unit_name(deployment.name));
    }
  }
  return units.empty() ? std::map<std::string, host::UnitState>{} : context.systemd.states(units);
}

}  // namespace

const std::vector<std::string> container_filter_keys = {"container", "image",   "command", "created",
                                                        "state",     "backend", "runtime"};

std::string backend_of(const ContainerRow& row) {
  return row.preinstalled ? "preinstalled" : "ostree";
}

std::string filter_field(const ContainerRow& row, const std::string& key) {
  if (key == "container") {
    return row.name;
  }
  if (key == "image") {
    return row.image;
  }
  if (key == "command") {
    return row.command;
  }
  if (key == "created") {
    return rfc3339(row.created);
  }
  if (key == "state") {
    return row.state;
  }
  return key == "backend" ? backend_of(row) : row.runtime;
}

std::string container_state(const host::Deployment& deployment, const std::map<std::string, host::UnitState>& states) {
  if (!deployment.info.has_container_service) {
    return "no service";
  }
  const auto found = states.find(host::unit_name(deployment.name));
  if (found == states.end()) {
    return "inactive";
  }
  const auto& active = found->second.active_state;
  if (active == "active" || active == "activating" || active == "reloading" || active == "deactivating") {
    return "running";
  }
  return active == "failed" ? "failed" : "inactive";
}

std::vector<ContainerRow> list_containers(Context& context, const ContainerQuery& query) {
  constexpr std::array<std::string_view, 5> shown{"image", "revision", "created", "has-container-service", "runtime"};
  const auto list = host::list_summaries(context.layout, shown);
  for (const auto& broken : list.broken) {
    context.reporter.warning(fmt::format("{} cannot be read: {}", broken.name, broken.reason));
  }
  const auto states = states_of(context, list.deployments);
  std::vector<ContainerRow> rows;
  for (const auto& deployment : list.deployments) {
    ContainerRow row;
    row.state = container_state(deployment, states);
    if (!query.all && row.state != "running") {
      continue;
    }
    row.name = deployment.name;
    row.image = deployment.info.image;
    row.image_id = deployment.info.revision;
    row.command = command_of(context, deployment);
    row.created = deployment.info.created;
    row.runtime = deployment.info.runtime;
    row.preinstalled = deployment.preinstalled;
    if (match_all(query.filters, [&row](const std::string& key) { return filter_field(row, key); })) {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

base::Json to_json(const std::vector<ContainerRow>& rows) {
  auto list = base::Json::array();
  for (const auto& row : rows) {
    list.push_back({{"container", row.name},
                    {"image", row.image},
                    {"imageId", row.image_id},
                    {"command", row.command},
                    {"created", rfc3339(row.created)},
                    {"state", row.state},
                    {"backend", backend_of(row)},
                    {"runtime", row.runtime},
                    {"preinstalled", row.preinstalled}});
  }
  return {{"containers", std::move(list)}};
}

}  // namespace berth::ops
