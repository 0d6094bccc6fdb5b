// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/plan_host_files.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "host/files/kernel_directories.hpp"
#include "host/files/root_directory.hpp"
#include "ops/plan/protected_paths.hpp"
#include "render/exports/host_file_privileges.hpp"
#include "render/exports/unit_privileges.hpp"
#include "render/exports/writable_paths.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// Chooses the destinations of hostfs entries, and leaves out those whose destination exists already.
class HostFilePlanner {
 public:
  HostFilePlanner(const PlanInputs& in, render::Renderer& renderer, InstallPlan& plan)
      : in_(in),
        renderer_(renderer),
        plan_(plan),
        protected_paths_(in.host.layout, in.target.name, volumes_of_container(in), in.probe),
        environment_files_(plan.unit ? render::environment_files(*plan.unit) : std::vector<std::string>()) {}

  void run() {
    const auto& manifest = in_.image.exports.manifest;
    if (in_.host.layout.user()) {
      plan_.left_out_files = in_.image.exports.host_entries.size();
      return;
    }
    for (const auto& entry : in_.image.exports.host_entries) {
      const auto destination = render::host_destination(entry.path, manifest, plan_.values);
      if (entry.kind == render::HostEntryKind::directory) {
        directories_.insert_or_assign(destination, &entry);
      }
      if (entry.kind != render::HostEntryKind::directory || entry.empty_directory) {
        add(entry, destination);
      }
    }
  }

 private:
  void add(const render::HostEntry& entry, const std::string& destination) {
    protected_paths_.refuse_host_file(entry, destination);
    if (!destinations_.emplace(destination).second) {
      throw Error(ErrorKind::conflict,
                  fmt::format("two files of the image's exports/hostfs go to {} on the host", destination),
                  "correct renameFiles in exports/manifest.json of the image");
    }
    const bool elsewhere = in_.target.for_package && entry.kind != render::HostEntryKind::directory;
    const bool directory = entry.kind == render::HostEntryKind::directory;
    const bool present = !elsewhere && exists(destination);
    auto wanted =
        directory || (present && !in_.host.others.knows(destination)) ? PlannedFile() : planned(entry, destination);
    if (present && !is_shared(wanted, destination)) {
      if (!directory) {
        plan_.kept_files.push_back(destination);
      }
      return;
    }
    host::refuse_kernel_directories(destination, destination);
    check_parents(destination);
    add_parents(destination);
    if (directory) {
      add_directory(destination);
    } else {
      wanted.present = present;
      add_file_privilege(entry, wanted.file);
      plan_.files.push_back(std::move(wanted));
    }
  }

  /// A file that another container created is shared when this one would create an identical file.
  [[nodiscard]] bool is_shared(const PlannedFile& wanted, const std::string& destination) const {
    if (in_.host.others.owner(destination, wanted.checksum).empty()) {
      return false;
    }
    return wanted.checksum.empty() || in_.probe.matches(wanted);
  }

  [[nodiscard]] bool exists(const std::string& path) const {
    return in_.probe.exists(path) && !in_.request.replaced.host_files.contains(path);
  }

  /// Refuses a destination below a directory whose owner, another user, could replace the next path component
  /// (host::find_trusted_directory). Directories that exist count, as do those that the image brings.
  void check_parents(const std::string& destination) {
    if (in_.target.for_package) {
      return;
    }
    std::string above = "/";
    uid_t owner = 0;
    for (auto slash = destination.find('/', 1); slash != std::string::npos; slash = destination.find('/', slash + 1)) {
      const auto directory = destination.substr(0, slash);
      auto known = owners_.find(directory);
      if (known == owners_.end()) {
        const auto existing = in_.probe.directory_owner(directory);
        if (!existing && host::is_of_others(owner) && planned_owner(directory) != owner) {
          throw host::unsafe_step(above, owner, directory);
        }
        known = owners_.emplace(directory, existing.value_or(planned_owner(directory))).first;
      }
      owner = known->second;
      above = directory;
    }
  }

  [[nodiscard]] uid_t planned_owner(const std::string& directory) const {
    const auto found = directories_.find(directory);
    return found == directories_.end() ? 0 : found->second->uid;
  }

  void add_parents(const std::string& destination) {
    for (auto slash = destination.find('/', 1); slash != std::string::npos; slash = destination.find('/', slash + 1)) {
      const auto parent = destination.substr(0, slash);
      if (!exists(parent) || !in_.host.others.owner(parent, "").empty()) {
        add_directory(parent);
      } else {
        refuse_non_directory(parent, destination);
      }
    }
  }

  /// Checked by the plan: creating the file would fail only after the running service was stopped.
  void refuse_non_directory(const std::string& path, const std::string& destination) const {
    if (!in_.target.for_package && !in_.probe.directory_owner(path)) {
      throw Error(ErrorKind::conflict,
                  fmt::format("{} cannot be created: {} exists on the host and is not a directory", destination, path),
                  "move or remove it and try again");
    }
  }

  /// Privileges that a host file gives by its path, or by the path that it resolves to through links of the host.
  void add_file_privilege(const render::HostEntry& entry, const host::HostFile& file) {
    const auto mode = file.kind == host::HostFile::Kind::link ? 0 : file.mode;
    auto privilege = render::host_file_privilege(file.destination, mode, entry.has_capability);
    if (const auto resolved = in_.probe.resolve(file.destination); !privilege && resolved != file.destination) {
      privilege = render::host_file_privilege(resolved, mode, entry.has_capability);
    }
    if (privilege) {
      add_privilege(in_, plan_, std::move(*privilege));
    }
    add_environment_privilege(entry, file);
    for (const auto& hidden : render::paths_overridden_by(file.destination)) {
      if (exists(hidden)) {
        add_privilege(in_, plan_,
                      {fmt::format("puts {} on the host, which hides the system's {}",
                                   base::printable(file.destination), base::printable(hidden)),
                       true});
        return;
      }
    }
  }

  /// A file that the image brings for EnvironmentFile= of its unit is not the administrator's configuration: it may
  /// make the runtime run other code.
  void add_environment_privilege(const render::HostEntry& entry, const host::HostFile& file) {
    const bool read =
        std::any_of(environment_files_.begin(), environment_files_.end(), [&](const std::string& pattern) {
          return ::fnmatch(pattern.c_str(), file.destination.c_str(), FNM_PATHNAME) == 0;
        });
    if (read && (file.kind == host::HostFile::Kind::link ||
                 render::redirects_runtime(file.content ? *file.content : in_.probe.read_entry(entry)))) {
      add_privilege(in_, plan_,
                    {fmt::format("the unit changes which programs it runs by a file of the image: {}",
                                 base::printable(file.destination)),
                     true});
    }
  }

  void add_directory(const std::string& path) {
    if (!planned_directories_.emplace(path).second) {
      return;
    }
    PlannedFile directory;
    directory.file.destination = path;
    directory.file.kind = host::HostFile::Kind::directory;
    directory.file.mode = 0755;
    directory.present = exists(path);
    if (const auto found = directories_.find(path); found != directories_.end()) {
      directory.file.mode = found->second->mode & 07777U;
      directory.file.uid = found->second->uid;
      directory.file.gid = found->second->gid;
    }
    plan_.files.push_back(std::move(directory));
  }

  PlannedFile planned(const render::HostEntry& entry, const std::string& destination) {
    PlannedFile result;
    result.file.destination = destination;
    result.file.mode = entry.mode & 07777U;
    result.file.uid = entry.uid;
    result.file.gid = entry.gid;
    if (entry.kind == render::HostEntryKind::link) {
      result.file.kind = host::HostFile::Kind::link;
      result.file.link_target = entry.link_target;
      result.checksum = base::digest_of(entry.link_target).hex();
    } else if (is_template(entry)) {
      result.file.content =
          renderer_.render(render::TemplateKind::plain, in_.probe.read_entry(entry), "exports/hostfs/" + entry.path);
      result.checksum = base::digest_of(*result.file.content).hex();
    } else {
      result.file.source = "exports/hostfs/" + entry.path;
      result.file.share = in_.image.exports.manifest.use_links && in_.probe.resolve(destination).starts_with("/usr/");
      result.checksum = in_.probe.entry_checksum(entry);
    }
    return result;
  }

  [[nodiscard]] bool is_template(const render::HostEntry& entry) const {
    const auto& templates = in_.image.exports.manifest.installed_files_template;
    return std::any_of(templates.begin(), templates.end(),
                       [&](const std::string& path) { return path == entry.path || path == "/" + entry.path; });
  }

  const PlanInputs& in_;
  render::Renderer& renderer_;
  InstallPlan& plan_;
  ProtectedPaths protected_paths_;
  std::vector<std::string> environment_files_;  ///< patterns
  std::set<std::string> destinations_;
  std::set<std::string> planned_directories_;
  std::map<std::string, const render::HostEntry*> directories_;  ///< of the image, by destination
  std::map<std::string, uid_t> owners_;                          ///< of the directories checked by check_parents
};

}  // namespace

void add_host_files(const PlanInputs& inputs, render::Renderer& renderer, InstallPlan& plan) {
  HostFilePlanner(inputs, renderer, plan).run();
}

std::string volumes_of_container(const PlanInputs& in) {
  return fmt::format("{}/{}", in.host.layout.volumes_in_root(),
                     in.request.name.empty() ? in.target.name : in.request.name);
}

void add_privilege(const PlanInputs& in, InstallPlan& plan, render::Privilege privilege) {
  if (privilege.over_host && !in.host.layout.user()) {
    plan.host_privileges.push_back(privilege.message);
  }
  plan.privileges.push_back(std::move(privilege.message));
}

void add_privileges(const PlanInputs& in, InstallPlan& plan, std::vector<render::Privilege> privileges) {
  for (auto& privilege : privileges) {
    add_privilege(in, plan, std::move(privilege));
  }
}

}  // namespace berth::ops
