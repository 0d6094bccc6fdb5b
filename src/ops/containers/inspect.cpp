// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/inspect.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <map>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/state/deployment.hpp"
#include "ops/containers/list.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/result_json.hpp"
#include "ops/timestamp.hpp"

namespace berth::ops {

namespace {

std::string config_path(const host::Deployment& deployment) {
  return deployment.path + "/config.json";
}

base::Json unit_json(const host::UnitState& state) {
  return {{"loadState", state.load_state},
          {"activeState", state.active_state},
          {"subState", state.sub_state},
          {"result", state.result},
          {"unitFileState", state.unit_file_state},
          {"mainPid", state.main_pid},
          {"controlGroup", state.control_group},
          {"execMainStatus", state.exec_main_status}};
}

InspectedContainer inspect_container(Context& context, const host::Deployment& deployment) {
  InspectedContainer result{deployment, std::nullopt, std::nullopt};
  if (deployment.info.has_container_service) {
    result.unit = context.systemd.state(host::unit_name(deployment.name));
  }
  result.config = base::read_file_at(AT_FDCWD, config_path(deployment), host::deployment_text_limit);
  return result;
}

base::Json container_json(const InspectedContainer& container) {
  const auto& deployment = container.deployment;
  std::map<std::string, host::UnitState> states;
  if (container.unit) {
    states.emplace(host::unit_name(deployment.name), *container.unit);
  }
  return {{"type", "container"},
          {"name", deployment.name},
          {"state", container_state(deployment, states)},
          {"image", deployment.info.image},
          {"imageId", deployment.info.revision},
          {"commit", deployment.info.ostree_commit},
          {"created", rfc3339(deployment.info.created)},
          {"runtime", deployment.info.runtime},
          {"deployment", deployment.path},
          {"slot", deployment.slot},
          {"rootfs", or_null(deployment.info.remote)},
          {"preinstalled", deployment.preinstalled},
          {"values", deployment.info.values},
          {"installedFiles", deployment.info.installed_files},
          {"unit", container.unit ? unit_json(*container.unit) : base::Json(nullptr)},
          {"config",
           container.config ? base::parse_json(*container.config, config_path(deployment)) : base::Json(nullptr)}};
}

base::Json image_json(const store::StoredImage& image) {
  return {
      {"type", "image"},
      {"name", image.name},
      {"imageId", image.id},
      {"commit", image.commit},
      {"manifestDigest", image.manifest_digest},
      {"created", rfc3339(image.created)},
      {"size", image.size},
      {"layers", image.layers},
      {"manifest", image.manifest.empty() ? base::Json(nullptr) : base::parse_json(image.manifest, "manifest")},
      {"config", image.config.empty() ? base::Json(nullptr) : base::parse_json(image.config, "image configuration")}};
}

std::optional<store::StoredImage> find_image(Context& context, const std::string& name) {
  auto store = store::Store::open_existing(store_options(context));
  if (!store) {
    return std::nullopt;
  }
  return find_by_name(*store, name);
}

}  // namespace

Inspection inspect(Context& context, const std::string& name) {
  if (const auto deployment = may_be_container(name) ? host::find_deployment(context.layout, name) : std::nullopt) {
    return inspect_container(context, *deployment);
  }
  if (const auto image = find_image(context, name)) {
    return *image;
  }
  throw base::Error(base::ErrorKind::not_found, fmt::format("there is no container or image {}", name),
                    "berth containers list --all and berth images list show the names");
}

base::Json to_json(const Inspection& inspection) {
  const auto* container = std::get_if<InspectedContainer>(&inspection);
  return container != nullptr ? container_json(*container) : image_json(std::get<store::StoredImage>(inspection));
}

}  // namespace berth::ops
