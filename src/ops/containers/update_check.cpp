// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/update_check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/file.hpp"
#include "base/json.hpp"
#include "ops/change/recover.hpp"
#include "ops/change/replacement.hpp"
#include "ops/change/staged_deployment.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/update_resolver.hpp"
#include "ops/images/pull.hpp"
#include "ops/plan/remote_rootfs.hpp"
#include "ops/result_json.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;
using Texts = std::vector<std::string>;

std::string version_of(const std::string& config) {
  if (config.empty()) {
    return {};
  }
  const auto labels = image::parse_image_config(config, "image configuration").labels;
  const auto found = labels.find("version");
  return found == labels.end() ? "" : found->second;
}

/// @return hex digests of the stored layers
std::set<std::string> stored_layers(Context& context) {
  std::set<std::string> layers;
  if (auto store = store::Store::open_existing(store_options(context))) {
    for (const auto& image : store->images(true)) {
      if (image.name.empty()) {
        layers.insert(image.id);
      }
    }
  }
  return layers;
}

/// Queries the registry, or the store, for the available image.
void query_available(Context& context, const host::DeploymentInfo& info, const UpdateRequest& request,
                     UpdateCheck& check) {
  if (!info.remote.empty()) {  // only its configuration can change
    check.id_available = check.id_installed;
    check.version_available = check.version_installed;
    return;
  }
  const bool queries = request.pull && (!request.rebase.empty() || UpdateResolver::has_registry(info));
  if (!queries) {
    UpdateResolver images(context);
    const auto chosen = images.choose(info, request);
    check.image = chosen.image.name;
    check.id_available = chosen.image.id;
    check.version_available = version_of(chosen.image.config);
    return;
  }
  const auto reference = request.rebase.empty() ? image_name_of(info).text() : request.rebase;
  PullRequest wanted{reference, request.authfile, request.platform};
  if (request.rebase.empty()) {
    wanted.naming = image::Naming::as_written;
  }
  ImageFetcher fetcher(context, wanted);
  const auto offered = fetcher.inspect();
  check.image = fetcher.name().text();
  check.id_available = offered.manifest.config.digest.hex();
  check.version_available = version_of(offered.config);
  const auto present = stored_layers(context);
  std::set<std::string> counted;
  for (const auto& layer : offered.manifest.layers) {
    if (!present.contains(layer.digest.hex()) && counted.insert(layer.digest.hex()).second) {
      ++check.layers_to_fetch;
      check.bytes_to_fetch += static_cast<std::uint64_t>(layer.size);
    }
  }
}

void add_texts(const base::Json& list, Texts& texts) {
  if (list.is_array()) {
    for (const auto& entry : list) {
      if (entry.is_string() && std::find(texts.begin(), texts.end(), entry.get<std::string>()) == texts.end()) {
        texts.push_back(entry.get<std::string>());
      }
    }
  }
}

/// @return a member of an object; null when it does not exist
const base::Json& member(const base::Json& json, const char* key) {
  static const base::Json none;
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() ? *found : none;
}

Texts capabilities_of(const base::Json& config) {
  Texts result;
  for (const auto* set : {"bounding", "effective", "permitted", "inheritable", "ambient"}) {
    add_texts(member(member(member(config, "process"), "capabilities"), set), result);
  }
  return result;
}

Texts dumped(const base::Json& list) {
  Texts result;
  if (list.is_array()) {
    for (const auto& entry : list) {
      result.push_back(entry.dump());
    }
  }
  return result;
}

std::string mount_text(const base::Json& mount) {
  const auto text = [&](const char* key) {
    const auto& value = member(mount, key);
    return value.is_string() ? value.get<std::string>() : std::string();
  };
  Texts options;
  add_texts(member(mount, "options"), options);
  return fmt::format("{} on {} type {} ({})", text("source"), text("destination"), text("type"),
                     fmt::join(options, ","));
}

Texts mounts_of(const base::Json& config) {
  Texts result;
  const auto& mounts = member(config, "mounts");
  if (mounts.is_array()) {
    std::transform(mounts.begin(), mounts.end(), std::back_inserter(result), mount_text);
  }
  return result;
}

Texts environment_of(const base::Json& config) {
  Texts result;
  add_texts(member(member(config, "process"), "env"), result);
  return result;
}

/// @return config.json without the parts that are compared separately
std::string rest_of(base::Json config) {
  if (config.is_object()) {
    config.erase("mounts");
    if (config.contains("process") && config["process"].is_object()) {
      config["process"].erase("capabilities");
      config["process"].erase("env");
    }
    if (config.contains("linux") && config["linux"].is_object()) {
      config["linux"].erase("namespaces");
    }
  }
  return config.is_null() ? "" : config.dump(2) + "\n";
}

void compare_configs(const base::Json& before, const base::Json& after, DeploymentDiff& diff) {
  diff.capabilities = base::difference(capabilities_of(before), capabilities_of(after));
  diff.namespaces = base::difference(dumped(member(member(before, "linux"), "namespaces")),
                                     dumped(member(member(after, "linux"), "namespaces")));
  diff.mounts = base::difference(mounts_of(before), mounts_of(after));
  diff.environment = base::difference(environment_of(before), environment_of(after));
  diff.config = base::unified_diff(rest_of(before), rest_of(after));
}

void compare_host_files(const host::DeploymentInfo& before, const host::DeploymentInfo& after, DeploymentDiff& diff) {
  diff.host_files = base::difference(before.installed_files, after.installed_files);
  for (const auto& path : after.installed_files) {
    const auto& old = before.installed_files;
    if (std::find(old.begin(), old.end(), path) != old.end() &&
        host::recorded_checksum(before, path) != host::recorded_checksum(after, path)) {
      diff.changed_host_files.push_back(path);
    }
  }
}

Texts assignments(const render::Values& values) {
  Texts result;
  for (const auto& [name, value] : values) {
    result.push_back(fmt::format("{}={}", name, value));
  }
  return result;
}

base::Json parsed_config(const std::string& text) {
  return text.empty() ? base::Json() : base::parse_json(text, "config.json");
}

/// Provides the root file system of the new deployment. @return whether the image came from a layout or an archive
bool provide_rootfs(Context& context, const UpdateRequest& request, const host::DeploymentInfo& info,
                    StagedDeployment& staged) {
  if (!info.remote.empty()) {
    store::StoredImage image;
    image.name = info.image;
    image.id = info.revision;
    staged.use_remote(find_remote_rootfs(context.layout, info.remote), image);
    return info.local;
  }
  UpdateResolver images(context);
  const auto chosen = images.choose(info, request);
  staged.check_out(images.store(), chosen.image);
  return chosen.local;
}

DeploymentDiff compare(Context& context, const UpdateRequest& request, const host::Deployment& before) {
  const auto footprint = footprint_of(context, before);
  // In the slot of the live deployment, so that only the changes of the update differ.
  StagedDeployment staged(context, before.name, before.slot);
  const bool local = provide_rootfs(context, request, before.info, staged);
  const auto plan = staged.plan(request_of_update(context, before, parse_set(request.set), local, footprint));
  const auto deployment = base::open_host_directory(before.path);
  const auto text = [&](const std::string& name) {
    return base::read_file_at(deployment.get(), name, host::deployment_text_limit).value_or("");
  };
  DeploymentDiff diff;
  compare_configs(parsed_config(text("config.json")), parsed_config(plan.config), diff);
  diff.unit = base::unified_diff(text(host::unit_name(before.name)), plan.unit.value_or(""));
  diff.tmpfiles = base::unified_diff(text(host::tmpfiles_copy_name(before.name)), plan.tmpfiles.value_or(""));
  compare_host_files(before.info, plan.info, diff);
  const auto defaults = assignments(staged.default_values());
  if (before.info.remote.empty() && base::stat_at(deployment.get(), "rootfs")) {
    staged.use_rootfs(host::slot_name(before.name, before.slot) + "/rootfs");
    diff.default_values = base::difference(assignments(staged.default_values()), defaults);
  }
  return diff;
}

/// Sets as many members of `check` as possible before it throws.
/// @param request its name is not used
void check_one(Context& context, const std::string& name, const UpdateRequest& request, bool with_diff,
               UpdateCheck& check) {
  const auto before = changeable_deployment(context, name);
  check.image = before.info.image;
  check.id_installed = before.info.revision;
  const auto& version = member(before.info.document, "version");
  check.version_installed = version.is_string() ? version.get<std::string>() : "";
  query_available(context, before.info, request, check);
  if (with_diff) {
    const auto lock = lock_container(context, name);
    check.diff = compare(context, request, changeable_deployment(context, name));
  }
}

base::Json to_json(const base::SetDifference& difference) {
  return {{"added", difference.added}, {"removed", difference.removed}};
}

}  // namespace

bool DeploymentDiff::empty() const {
  return capabilities.empty() && namespaces.empty() && mounts.empty() && environment.empty() && config.empty() &&
         unit.empty() && tmpfiles.empty() && host_files.empty() && changed_host_files.empty() && default_values.empty();
}

UpdateCheck check_update(Context& context, const UpdateRequest& request, bool with_diff) {
  host::check_container_name(request.name);
  parse_set(request.set);
  UpdateCheck check;
  check.container = request.name;
  base::in_context([&] { return fmt::format("checking {}", request.name); },
                   [&] { check_one(context, request.name, request, with_diff, check); });
  return check;
}

std::vector<UpdateCheck> check_all_updates(Context& context, const UpdateRequest& request, bool with_diff) {
  const auto list = host::list_deployments(context.layout);
  std::vector<UpdateCheck> checks;
  for (const auto& broken : list.broken) {
    checks.emplace_back();
    checks.back().container = broken.name;
    checks.back().error = Error(ErrorKind::failed, broken.reason);
  }
  for (const auto& deployment : list.deployments) {
    if (deployment.preinstalled) {
      continue;
    }
    UpdateCheck check;
    check.container = deployment.name;
    try {
      check_one(context, deployment.name, request, with_diff, check);
    } catch (const Error& error) {
      check.error = error;
    }
    checks.push_back(std::move(check));
  }
  std::sort(checks.begin(), checks.end(),
            [](const auto& left, const auto& right) { return left.container < right.container; });
  return checks;
}

base::Json to_json(const DeploymentDiff& diff) {
  auto files = to_json(diff.host_files);
  files["changed"] = diff.changed_host_files;
  return {{"capabilities", to_json(diff.capabilities)},
          {"namespaces", to_json(diff.namespaces)},
          {"mounts", to_json(diff.mounts)},
          {"environment", to_json(diff.environment)},
          {"config", diff.config},
          {"unit", diff.unit},
          {"tmpfiles", diff.tmpfiles},
          {"hostFiles", std::move(files)},
          {"defaultValues", to_json(diff.default_values)}};
}

base::Json to_json(const UpdateCheck& check) {
  return {{"container", check.container},
          {"image", or_null(check.image)},
          {"newer", check.newer()},
          {"idInstalled", or_null(check.id_installed)},
          {"idAvailable", or_null(check.id_available)},
          {"versionInstalled", or_null(check.version_installed)},
          {"versionAvailable", or_null(check.version_available)},
          {"layersToFetch", check.layers_to_fetch},
          {"bytesToFetch", check.bytes_to_fetch},
          {"diff", check.diff ? to_json(*check.diff) : base::Json(nullptr)},
          {"error", check.error ? to_json(*check.error) : base::Json(nullptr)}};
}

base::Json to_json(const std::vector<UpdateCheck>& checks) {
  return {{"containers", array_of(checks)}};
}

}  // namespace berth::ops
