// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/taken_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/host_file.hpp"
#include "host/files/root_directory.hpp"
#include "host/state/deployment.hpp"
#include "host/systemd/unit_file.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* another_name = "choose another name with --name";

bool begins_with_any(const std::string& path, const std::vector<std::string>& directories) {
  return std::any_of(directories.begin(), directories.end(),
                     [&](const auto& directory) { return path.starts_with(directory); });
}

bool is_of_vendor(const std::string& directory) {
  return begins_with_any(directory, {"/usr/lib/", "/lib/"});
}

/// Whether a directory belongs to the system: the administrator prepares drop-ins for a future unit elsewhere.
bool is_of_system(const std::string& directory) {
  return begins_with_any(directory, {"/usr/", "/lib/", "/run/"});
}

std::vector<std::string> tmpfiles_directories(const host::Layout& layout) {
  if (const auto& user = layout.user()) {
    return {user->config + "/user-tmpfiles.d", user->runtime + "/user-tmpfiles.d", user->data + "/user-tmpfiles.d",
            "/usr/local/share/user-tmpfiles.d", "/usr/share/user-tmpfiles.d"};
  }
  return {"/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d"};
}

std::vector<std::string> sysusers_directories(const host::Layout& layout) {
  if (layout.user()) {
    return {};
  }
  return {"/run/sysusers.d", "/usr/local/lib/sysusers.d", "/usr/lib/sysusers.d"};
}

class Search {
 public:
  Search(const Context& context, std::string name)
      : layout_(context.layout),
        name_(std::move(name)),
        root_(open_root(context)),
        hides_(host::is_preinstalled(context.layout, name_)) {}

  void run() const {
    for (const auto& directory : layout_.unit_directories_in_root()) {
      const auto unit = host::unit_name(name_);
      refuse(directory, unit, "the unit", "or remove that unit");
      if (is_of_system(directory + "/")) {
        refuse_bindings(directory, unit);
      }
    }
    for (const auto& directory : tmpfiles_directories(layout_)) {
      refuse(directory, name_ + ".conf", "the tmpfiles configuration", "or remove that file");
    }
    for (const auto& directory : sysusers_directories(layout_)) {
      refuse(directory, name_ + ".conf", "the sysusers configuration", "or remove that file");
    }
  }

 private:
  /// Refuses drop-ins, dependencies and activating units of the system for a service of that name: they would apply to
  /// the new unit.
  void refuse_bindings(const std::string& directory, const std::string& unit) const {
    constexpr const char* remedy = "or remove that directory";
    refuse(directory, unit + ".d", "settings for a unit of that name, the directory", remedy);
    for (auto dash = name_.find('-'); dash != std::string::npos; dash = name_.find('-', dash + 1)) {
      refuse(directory, name_.substr(0, dash + 1) + ".service.d", "settings for units of such names, the directory",
             remedy);
    }
    for (const auto* kind : {".wants", ".requires", ".upholds"}) {
      refuse(directory, unit + kind, "dependencies of a unit of that name, the directory", remedy);
    }
    for (const auto* kind : {".socket", ".timer", ".path"}) {
      refuse(directory, name_ + kind, "a unit that starts the service of that name,", "or remove that unit");
    }
    for (const auto& link : host::find_unit_links(root_.get(), unit, directory)) {
      const auto [parent, leaf] = base::split_path(link);
      refuse(parent, leaf, "the system enables a unit of that name: the link", "or remove that link");
    }
  }

  /// The hint does not suggest to remove files of the operating system.
  void refuse(const std::string& directory, const std::string& name, const char* what, const char* remedy) const {
    if (hides_ && is_of_vendor(directory + "/")) {
      return;
    }
    const auto path = fmt::format("{}/{}", directory, name);
    if (host::host_exists(root_.get(), path)) {
      throw Error(ErrorKind::conflict, fmt::format("{} {} exists already", what, path),
                  is_of_vendor(path) ? std::string(another_name) : fmt::format("{}, {}", another_name, remedy));
    }
  }

  const host::Layout& layout_;
  std::string name_;
  base::Fd root_;
  bool hides_;
};

/// Whether the link was created by enabling the unit.
bool is_own_link(int root, const std::string& path, const std::string& unit) {
  const auto [parent, name] = base::split_path(path);
  const auto directory = host::find_directory_in_root(root, parent);
  const auto target = directory ? base::read_link_at(directory->get(), name) : std::nullopt;
  return target && base::split_path(*target).second == unit;
}

std::vector<std::string> aliases_of(const std::string& text, const std::string& unit) {
  try {
    return host::parse_install_section(text, unit).aliases;
  } catch (const Error&) {
    return {};  // systemd reports the error when the unit is enabled
  }
}

}  // namespace

void refuse_taken_name(const Context& context, const std::string& name) {
  Search(context, name).run();
}

void refuse_taken_aliases(const Context& context, const std::string& name, const std::string& unit) {
  const auto root = open_root(context);
  const auto own = host::unit_name(name);
  for (const auto& alias : aliases_of(unit, own)) {
    for (const auto& directory : context.layout.unit_directories_in_root()) {
      const auto path = fmt::format("{}/{}", directory, alias);
      if (alias != own && host::host_exists(root.get(), path) && !is_own_link(root.get(), path, own)) {
        throw Error(ErrorKind::conflict,
                    fmt::format("the image's unit has the alias {}, and the unit {} exists already", alias, path),
                    "remove that unit, or have Alias= taken out of the image's service.template");
      }
    }
  }
}

}  // namespace berth::ops
