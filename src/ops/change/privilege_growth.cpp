// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/change/privilege_growth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/layout.hpp"
#include "ops/change/replacement.hpp"
#include "render/exports/tmpfiles_privileges.hpp"
#include "render/exports/unit_privileges.hpp"
#include "render/spec/config_privileges.hpp"
#include "render/spec/volumes.hpp"
#include "render/template/values.hpp"

namespace berth::ops {

namespace {

/// Replaces the names of both slots by NAME: a privilege that names the directory of the deployment is the same in the
/// other slot.
std::string without_slot(std::string message, const std::string& name) {
  for (const int slot : {0, 1}) {
    const auto own = host::slot_name(name, slot) + "/";
    for (auto at = message.find(own); at != std::string::npos; at = message.find(own, at + name.size())) {
      message.replace(at, own.size(), name + "/");
    }
  }
  return message;
}

void add(std::set<std::string>& known, const std::vector<render::Privilege>& privileges, const std::string& name) {
  for (const auto& privilege : privileges) {
    known.insert(without_slot(privilege.message, name));
  }
}

base::Json resolver_bind(const std::string& source, const std::string& name) {
  return {{"destination", "/etc/" + name}, {"type", "bind"}, {"source", source}, {"options", {"bind", "ro"}}};
}

/// A config.json of a version of berth that did not record privileges, with the binds that this version of berth adds:
/// the image does not ask for those.
base::Json with_own_binds(base::Json config, render::Values values, const std::string& name) {
  values.insert_or_assign("NAME", name);
  const auto former = render::former_volume_directory(values);
  auto mounts = config.value("mounts", base::Json::array());
  for (auto& mount : mounts) {
    const auto destination = mount.value("destination", "");
    if (destination.starts_with('/') && mount.value("source", "") == render::volume_source(former, destination)) {
      mount["source"] = render::volume_source(render::volume_directory(values), destination);
    }
  }
  for (const auto* file : {"resolv.conf", "hosts"}) {
    mounts.push_back(resolver_bind(fmt::format("{}/container-{}/{}", values["RUN_DIRECTORY"], name, file), file));
  }
  config["mounts"] = std::move(mounts);
  return config;
}

/// Adds the privileges that follow from the files of a deployment; files that do not exist are skipped.
void add_from_texts(const host::Deployment& before, std::set<std::string>& known) {
  const auto directory = base::open_host_directory(before.path);
  const auto text = [&directory](const std::string& name) {
    return base::read_file_at(directory.get(), name, host::deployment_text_limit).value_or("");
  };
  add(known, render::unit_privileges(text(host::unit_name(before.name)), before.info.values), before.name);
  add(known, render::tmpfiles_privileges(text(host::tmpfiles_copy_name(before.name))), before.name);
  if (const auto config = text("config.json"); !config.empty()) {
    const auto document = base::parse_json(config, "config.json");
    const auto cgroups_path = document.value("linux", base::Json::object()).value("cgroupsPath", "");
    const render::Values values(before.info.values.begin(), before.info.values.end());
    for (const auto& asking : {document, with_own_binds(document, values, before.name)}) {
      add(known, render::config_privileges(asking, cgroups_path), before.name);
    }
  }
}

/// Whether two privileges concern the same file in the same way: they end with the same ": PATH", with the mode that
/// may follow it, and both or neither of them are about a setuid program.
bool concern_same_file(const std::string& one, const std::string& other) {
  const auto colon = one.rfind(": ");
  constexpr std::string_view setuid = "setuid";
  return colon != std::string::npos && other.ends_with(std::string_view(one).substr(colon)) &&
         (one.find(setuid) == std::string::npos) == (other.find(setuid) == std::string::npos);
}

/// The privileges that `info` records under `key`. @return nullopt without such a record
std::optional<std::vector<std::string>> recorded_privileges(const host::Deployment& before, const char* key) {
  const auto found = before.info.document.find(key);
  if (found == before.info.document.end() || !found->is_array()) {
    return std::nullopt;
  }
  std::vector<std::string> result;
  for (const auto& privilege : *found) {
    if (privilege.is_string()) {
      result.push_back(privilege.get<std::string>());
    }
  }
  return result;
}

/// Whether a privilege that does not follow from the texts of a deployment was there before. Without a record, a file
/// that the deployment has installed is taken for unchanged.
bool was_known(const std::string& privilege, const host::Deployment& before,
               const std::optional<std::vector<std::string>>& former) {
  if (privilege.starts_with("may change the files of all containers")) {
    return true;  // the mount that causes it is a privilege of its own
  }
  if (former) {
    return std::any_of(former->begin(), former->end(),
                       [&](const std::string& known) { return concern_same_file(privilege, known); });
  }
  const auto& files = before.info.installed_files;
  const bool of_file = privilege.starts_with("puts ") || privilege.starts_with("the unit changes which programs");
  return of_file && std::any_of(files.begin(), files.end(),
                                [&](const std::string& path) { return privilege.find(path) != std::string::npos; });
}

}  // namespace

std::vector<std::string> new_privileges(const host::Deployment& before, const InstallPlan& plan) {
  std::set<std::string> known;
  const auto recorded = recorded_privileges(before, privileges_key);
  const auto former = recorded ? std::nullopt : recorded_privileges(before, former_privileges_key);
  if (!recorded) {
    try {
      add_from_texts(before, known);
    } catch (const std::exception&) {  // then only recorded privileges are known
      known.clear();
    }
  }
  for (const auto* record : {&recorded, &former}) {
    for (const auto& privilege : record->value_or(std::vector<std::string>())) {
      known.insert(without_slot(privilege, before.name));
    }
  }
  std::vector<std::string> result;
  for (const auto& privilege : plan.privileges) {
    const bool was = !recorded && was_known(privilege, before, former);
    if (!was && !known.contains(without_slot(privilege, before.name))) {
      result.push_back(privilege);
    }
  }
  return result;
}

}  // namespace berth::ops
