#include "ops/change/privilege_growth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/layout.hpp"
#include "ops/change/replacement.hpp"
#include "render/spec/privileges.hpp"
#include "render/spec/volumes.hpp"
#include "render/template/values.hpp"

namespace berth::ops {

namespace {

/// Names of both slots are one: a privilege that names the deployment's directory is the same in the other slot.
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

/// The config.json of a version that did not note privileges, with what berth itself binds from where it does so today:
/// that is not the image's wish.
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

/// As far as the texts of a deployment tell; what cannot be read tells nothing.
void add_from_texts(const host::Deployment& before, std::set<std::string>& known) {
  const auto directory = base::open_host_directory(before.path);
  const auto text = [&directory](const std::string& name) {
    return base::read_file_at(directory.get(), name, host::deployment_text_limit).value_or("");
  };
  add(known, render::unit_privileges(text(host::unit_name(before.name)), before.info.values), before.name);
  add(known, render::tmpfiles_privileges(text(fmt::format("tmpfiles-{}.conf", before.name))), before.name);
  if (const auto config = text("config.json"); !config.empty()) {
    const auto document = base::parse_json(config, "config.json");
    const auto cgroups_path = document.value("linux", base::Json::object()).value("cgroupsPath", "");
    const render::Values values(before.info.values.begin(), before.info.values.end());
    for (const auto& asking : {document, with_own_binds(document, values, before.name)}) {
      add(known, render::powerful_requests(asking, cgroups_path), before.name);
    }
  }
}

}  // namespace

std::vector<std::string> new_privileges(const host::Deployment& before, const InstallPlan& plan) {
  std::set<std::string> known;
  const auto noted = before.info.document.find(privileges_key);
  const bool is_noted = noted != before.info.document.end() && noted->is_array();
  if (is_noted) {
    for (const auto& privilege : *noted) {
      known.insert(privilege.is_string() ? without_slot(privilege.get<std::string>(), before.name) : "");
    }
  } else {
    try {
      add_from_texts(before, known);
    } catch (const std::exception&) {  // then all of them are new, as far as anybody knows
      known.clear();
    }
  }
  std::vector<std::string> result;
  for (const auto& privilege : plan.privileges) {
    const auto& files = before.info.installed_files;
    const bool of_file = !is_noted && std::any_of(files.begin(), files.end(), [&](const std::string& path) {
      return privilege.starts_with("puts a ") && privilege.find(": " + path) != std::string::npos;
    });
    // Of these the texts do not tell; the mount behind it is a privilege of its own.
    const bool untold = !is_noted && privilege.starts_with("may change the files of all containers");
    if (!of_file && !untold && !known.contains(without_slot(privilege, before.name))) {
      result.push_back(privilege);
    }
  }
  return result;
}

}  // namespace berth::ops
