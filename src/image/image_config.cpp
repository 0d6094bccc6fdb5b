// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/hint.hpp"
#include "base/json.hpp"
#include "image/manifest.hpp"

namespace berth::image {
namespace {

using base::JsonView;

// These strings are used in argument lists, environments and units, where a NUL would truncate them.
std::string text_of(const JsonView& view) {
  if (view.value().is_null()) {
    return {};  // tools written in Go read null as an empty string
  }
  auto text = view.as_string();
  if (text.find('\0') != std::string::npos) {
    view.fail("the text holds a NUL byte");
  }
  return text;
}

std::string text_or_empty(const JsonView& parent, std::string_view key) {
  const auto view = parent.find(key);
  return view ? text_of(*view) : "";
}

std::vector<std::string> texts_or_empty(const JsonView& parent, std::string_view key) {
  std::vector<std::string> result;
  if (const auto view = parent.find(key)) {
    for (const auto& item : view->as_array()) {
      result.push_back(text_of(item));
    }
  }
  return result;
}

// ExposedPorts and Volumes are sets, written as objects with empty values.
std::vector<std::string> keys_or_empty(const JsonView& parent, std::string_view key) {
  std::vector<std::string> result;
  if (const auto view = parent.find(key)) {
    for (const auto& [name, value] : view->as_object()) {
      if (name.empty() || name.find('\0') != std::string::npos) {
        view->fail("a name in it is empty or holds a NUL byte");
      }
      result.push_back(name);
    }
  }
  return result;
}

std::vector<std::string> environment_of(const JsonView& run) {
  std::vector<std::string> result;
  if (const auto view = run.find("Env")) {
    for (const auto& item : view->as_array()) {
      result.push_back(text_of(item));  // unchecked: generate_config drops entries that are not variables
    }
  }
  return result;
}

std::int64_t integer_or_zero(const JsonView& parent, std::string_view key) {
  const auto view = parent.find(key);
  if (!view) {
    return 0;
  }
  const auto value = view->as_integer();
  if (value < 0) {
    view->fail("it is negative");
  }
  return value;
}

std::optional<Healthcheck> healthcheck_of(const JsonView& run) {
  const auto view = run.find("Healthcheck");
  if (!view) {
    return std::nullopt;
  }
  return Healthcheck{texts_or_empty(*view, "Test"), integer_or_zero(*view, "Interval"),
                     integer_or_zero(*view, "Timeout"), integer_or_zero(*view, "StartPeriod"),
                     integer_or_zero(*view, "Retries")};
}

void read_run_configuration(const JsonView& run, ImageConfig& config) {
  config.entrypoint = texts_or_empty(run, "Entrypoint");
  config.command = texts_or_empty(run, "Cmd");
  config.environment = environment_of(run);
  config.working_dir = text_or_empty(run, "WorkingDir");
  config.user = text_or_empty(run, "User");
  config.stop_signal = text_or_empty(run, "StopSignal");
  config.exposed_ports = keys_or_empty(run, "ExposedPorts");
  config.volumes = keys_or_empty(run, "Volumes");
  if (const auto labels = run.find("Labels")) {
    for (const auto& [name, value] : labels->as_object()) {
      config.labels.emplace(name, text_of(value));
    }
  }
  config.healthcheck = healthcheck_of(run);
}

std::vector<base::Digest> diff_ids_of(const JsonView& root) {
  const auto rootfs = root.at("rootfs");
  if (const auto type = rootfs.string_or("type", ""); !type.empty() && type != "layers") {
    rootfs.at("type").fail(fmt::format("expected 'layers', found '{}'", base::printable(type)));
  }
  if (!rootfs.value().contains("diff_ids") && !rootfs.value().contains("type")) {
    rootfs.fail("it has neither 'type' nor 'diff_ids'");
  }
  const auto list = rootfs.find("diff_ids");
  const auto items = list ? list->as_array() : std::vector<JsonView>{};
  if (items.size() > layer_count_limit) {
    rootfs.at("diff_ids")
        .fail(fmt::format("it has {} layers, at most {} are allowed", items.size(), layer_count_limit));
  }
  std::vector<base::Digest> result;
  result.reserve(items.size());
  for (const auto& item : items) {
    result.push_back(base::Digest::parse(item.as_string(), item.place()));
  }
  return result;
}

ImageConfig read_image_config(std::string_view text, std::string_view document) {
  const auto json = base::parse_json(text, document);
  const JsonView root(json, std::string(document));
  ImageConfig config;
  config.platform = {root.string_or("os", ""), root.string_or("architecture", ""), root.string_or("variant", "")};
  config.created = text_or_empty(root, "created");
  if (const auto run = root.find("config")) {
    read_run_configuration(*run, config);
  }
  config.diff_ids = diff_ids_of(root);
  return config;
}

}  // namespace

ImageConfig parse_image_config(std::string_view text, std::string_view document) {
  return base::with_hint("this part of the image is invalid; rebuild the image, if need be with another tool",
                         [&] { return read_image_config(text, document); });
}

}  // namespace berth::image
