// SPDX-License-Identifier: LGPL-2.1-or-later
// The info file of a deployment, also as earlier versions and `atomic` wrote it.
#include <cmath>
#include <string>
#include <utility>

#include "base/json.hpp"
#include "host/state/deployment.hpp"

namespace berth::host {

namespace {

using base::Json;
using base::JsonView;

constexpr const char* rpm_key = "rpm-installed";

std::string text_or(const JsonView& info, std::string_view key, std::string fallback) {
  const auto found = info.find(key);
  return found ? found->as_string() : std::move(fallback);
}

bool bool_or(const JsonView& info, std::string_view key, bool fallback) {
  const auto found = info.find(key);
  return found ? found->as_bool() : fallback;
}

/// Seconds since the epoch, without the fraction that `atomic` could write.
std::int64_t seconds_or_zero(const JsonView& info, std::string_view key) {
  const auto found = info.find(key);
  if (!found) {
    return 0;
  }
  if (found->value().is_number_float()) {
    constexpr double limit = 9e15;  // a double holds smaller integers exactly
    const double seconds = found->value().get<double>();
    if (!(std::fabs(seconds) < limit)) {
      found->fail("is not a time");
    }
    return static_cast<std::int64_t>(seconds);
  }
  return found->as_integer();
}

/// Older files hold numbers and booleans among the template values; as text they render the same.
std::string value_text(const JsonView& value) {
  const Json& json = value.value();
  return json.is_number() || json.is_boolean() ? json.dump() : value.as_string();
}

std::map<std::string, std::string, std::less<>> read_values(const JsonView& info) {
  std::map<std::string, std::string, std::less<>> values;
  if (const auto found = info.find("values")) {
    for (const auto& [name, value] : found->as_object()) {
      if (!value.value().is_null()) {
        values.emplace(name, value_text(value));
      }
    }
  }
  return values;
}

std::map<std::string, std::string> read_texts(const JsonView& info, std::string_view key) {
  std::map<std::string, std::string> texts;
  if (const auto found = info.find(key)) {
    for (const auto& [name, value] : found->as_object()) {
      texts.emplace(name, value.value().is_null() ? "" : value.as_string());
    }
  }
  return texts;
}

/// `atomic` writes the name of the package here, or null.
bool read_rpm_installed(const JsonView& info) {
  const auto found = info.find(rpm_key);
  if (found && found->value().is_string()) {
    return !found->as_string().empty();
  }
  return found && found->as_bool();
}

/// `atomic` kept the name of its package there.
std::string rpm_name(const JsonView& info) {
  const auto found = info.find(rpm_key);
  return found && found->value().is_string() ? found->as_string() : "";
}

Json rpm_value(const DeploymentInfo& info) {
  const auto old = info.document.find(rpm_key);
  const bool has_name = old != info.document.end() && old->is_string();
  return info.rpm_installed && has_name ? *old : Json(info.rpm_installed);
}

template <typename Map>
Json object_of(const Map& map) {
  Json object = Json::object();
  for (const auto& [key, value] : map) {
    object[key] = value;
  }
  return object;
}

/// Older readers expect null for "no remote" and "the default runtime".
Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

DeploymentInfo info_from(Json json, std::string_view document) {
  DeploymentInfo info;
  info.document = std::move(json);
  const JsonView view(info.document, std::string(document));
  if (!info.document.is_object()) {
    view.fail("expected an object");
  }
  info.image = text_or(view, "image", "");
  info.revision = text_or(view, "revision", "");
  info.ostree_commit = text_or(view, "ostree-commit", "");
  info.created = seconds_or_zero(view, "created");
  info.values = read_values(view);
  info.has_container_service = bool_or(view, "has-container-service", true);
  info.installed_files = view.strings_or_empty("installed-files");
  info.installed_files_checksum = read_texts(view, "installed-files-checksum");
  info.installed_files_template = view.strings_or_empty("installed-files-template");
  info.rename_installed_files = read_texts(view, "rename-installed-files");
  info.rpm_installed = read_rpm_installed(view);
  info.system_package = text_or(view, "system-package", "no");
  info.package = text_or(view, "package", rpm_name(view));
  info.remote = text_or(view, "remote", "");
  info.use_links = bool_or(view, "use-links", true);
  info.runtime = text_or(view, "runtime", "");
  info.local = bool_or(view, "local", false);
  info.health_check = info.document.value("health-check", Json(nullptr));
  return info;
}

}  // namespace

DeploymentInfo parse_info(std::string_view text, std::string_view document) {
  return info_from(base::parse_json(text, document), document);
}

DeploymentInfo parse_info_summary(std::string_view text, std::string_view document,
                                  std::span<const std::string_view> wanted) {
  return info_from(base::parse_json_members(text, document, wanted), document);
}

std::string write_info(const DeploymentInfo& info) {
  Json json = Json::object();
  json["image"] = info.image;
  json["revision"] = info.revision;
  json["ostree-commit"] = info.ostree_commit;
  json["created"] = info.created;
  json["values"] = object_of(info.values);
  json["has-container-service"] = info.has_container_service;
  json["installed-files"] = info.installed_files;
  json["installed-files-checksum"] = object_of(info.installed_files_checksum);
  json["installed-files-template"] = info.installed_files_template;
  json["rename-installed-files"] = object_of(info.rename_installed_files);
  json[rpm_key] = rpm_value(info);
  json["system-package"] = info.system_package;
  json["remote"] = text_or_null(info.remote);
  json["use-links"] = info.use_links;
  json["runtime"] = text_or_null(info.runtime);
  if (!info.package.empty()) {
    json["package"] = info.package;
  }
  if (info.local) {
    json["local"] = true;
  }
  if (!info.health_check.is_null()) {
    json["health-check"] = info.health_check;
  }
  for (const auto& [key, value] : info.document.items()) {
    if (!json.contains(key)) {
      json[key] = value;
    }
  }
  return json.dump(4, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace berth::host
