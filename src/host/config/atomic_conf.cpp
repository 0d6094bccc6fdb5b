// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/config/atomic_conf.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <optional>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"

namespace berth::host {

namespace {

constexpr std::uint64_t size_limit = 1U << 20U;  // bytes
constexpr const char* own_file = "/etc/atomic.conf";

std::string text_of(const YAML::Node& settings, const char* key, const std::string& file) {
  const auto value = settings[key];
  if (!value || value.IsNull()) {
    return {};
  }
  if (!value.IsScalar()) {
    throw base::Error(base::ErrorKind::usage, fmt::format("{}: {} must be a string", file, key), "correct the file");
  }
  return value.Scalar();
}

AtomicSettings settings_of(const std::string& text, const std::string& file) {
  const auto settings = YAML::Load(text);
  if (settings.IsNull()) {
    return {};
  }
  if (!settings.IsMap()) {
    throw base::Error(base::ErrorKind::usage, fmt::format("{} holds no keys", file), "correct the file");
  }
  return {text_of(settings, "checkout_path", file), text_of(settings, "ostree_repository", file),
          text_of(settings, "runtime", file), text_of(settings, "default_storage", file)};
}

/// @param file empty: ROOT/etc/atomic.conf
AtomicSettings read_file(const std::string& root, const std::string& file) {
  const auto path = file.empty() ? (root == "/" ? "" : root) + own_file : file;
  const auto text = file.empty()
                        ? base::read_file_in_root(base::open_host_directory(root).get(), own_file, size_limit, path)
                        : base::read_file_at(AT_FDCWD, path, size_limit);
  if (!text) {
    return {};
  }
  try {
    return settings_of(*text, path);
  } catch (const YAML::Exception& error) {
    throw base::Error(base::ErrorKind::usage, fmt::format("{}: {}", path, base::printable(error.what())),
                      "correct the file");
  }
}

void override(std::string& setting, const std::string& value) {
  if (!value.empty()) {
    setting = value;
  }
}

}  // namespace

AtomicSettings read_atomic_settings(const std::string& root, const std::function<std::string(const char*)>& variable) {
  auto settings = read_file(root, variable("ATOMIC_CONF"));
  override(settings.deployments, variable("ATOMIC_OSTREE_CHECKOUT_PATH"));
  override(settings.repository, variable("ATOMIC_OSTREE_REPO"));
  return settings;
}

}  // namespace berth::host
