// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/hint.hpp"
#include "render/spec/config_check.hpp"
#include "render/spec/config_convert.hpp"
#include "render/spec/config_keys.hpp"
#include "render/spec/config_mounts.hpp"
#include "render/spec/config_text.hpp"
#include "render/spec/rootless_config.hpp"

namespace berth::render {
namespace {

using base::Json;

bool has_cgroups_path(const Json& document) {
  const auto section = document.find("linux");
  if (section == document.end()) {
    return false;
  }
  const auto path = section->find("cgroupsPath");
  return path != section->end() && !path->get_ref<const std::string&>().empty();
}

void put_cgroups_path(Json& document, const std::string& path) {
  Json& section = document["linux"];
  if (section.is_null()) {
    section = Json::object();
  }
  section["cgroupsPath"] = path;
}

std::string serialized(const Json& document) {
  return document.dump(4) + "\n";
}

/// The text with the path inserted, in the author's own layout where possible.
std::string text_with_cgroups_path(std::string_view text, std::string_view file, Json& document,
                                   const std::string& path) {
  const bool has_empty_one = document.contains("linux") && document.at("linux").contains("cgroupsPath");
  if (!has_empty_one) {
    if (auto inserted = insert_cgroups_path(text, path)) {
      document = base::parse_json(*inserted, file);
      if (has_cgroups_path(document)) {
        return *std::move(inserted);
      }
    }
  }
  put_cgroups_path(document, path);
  return serialized(document);
}

/// Points NOTIFY_SOCKET at systemd's own socket, which the container has at the same path (sd_notify(3)).
/// @param config unchanged unless the container has that path
void notify_itself(RuntimeConfig& config) {
  constexpr std::string_view place = "/run/systemd/notify";
  if (!has_host_path(config.document, place)) {
    return;
  }
  config.notifies_itself = true;
  Json& environment = config.document["process"]["env"];
  if (std::none_of(environment.begin(), environment.end(), [](const Json& entry) {
        return entry.get_ref<const std::string&>().starts_with("NOTIFY_SOCKET=");
      })) {
    environment.push_back(fmt::format("NOTIFY_SOCKET={}", place));
    config.conversions.push_back(
        fmt::format("process.env: NOTIFY_SOCKET={} added: a runtime cannot pass it on into the host's /run", place));
  }
}

}  // namespace

RuntimeConfig finish_config(std::string_view text, std::string_view file, const HostFeatures& features,
                            const std::string& cgroups_path, const std::string& remote_rootfs) {
  RuntimeConfig config;
  base::with_hint(fmt::format("correct {} of the image, see berth-exports(5)", file), [&] {
    config.document = base::parse_json(text, file);
    check_keys(config.document, file);
    check_shape(config.document, file);
    config.conversions = convert_config(config.document, file, features);
    check_config(config.document, file, !remote_rootfs.empty(), features.writable_root);
  });
  if (features.unit_notifies) {
    notify_itself(config);
  }
  bool changed = !config.conversions.empty();
  if (!remote_rootfs.empty() && config.document["root"]["path"] != remote_rootfs) {
    config.document["root"]["path"] = remote_rootfs;
    changed = true;
  }
  if (features.rootless) {
    auto changes = convert_to_rootless(config.document, *features.rootless, cgroups_path);
    config.conversions.insert(config.conversions.end(), changes.begin(), changes.end());
    changed = true;
  }
  if (has_cgroups_path(config.document)) {
    config.text = changed ? serialized(config.document) : std::string(text);
  } else if (changed) {
    put_cgroups_path(config.document, cgroups_path);
    config.text = serialized(config.document);
  } else {
    config.text = text_with_cgroups_path(text, file, config.document, cgroups_path);
  }
  return config;
}

}  // namespace berth::render
