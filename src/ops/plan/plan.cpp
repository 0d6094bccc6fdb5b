#include "ops/plan/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>
#include <set>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "host/files/kernel_directories.hpp"
#include "host/files/root_directory.hpp"
#include "host/machine/runtime_version.hpp"
#include "ops/plan/plan_findings.hpp"
#include "ops/plan/plan_package.hpp"
#include "ops/plan/protected_paths.hpp"
#include "render/exports/reach.hpp"
#include "render/spec/config_check.hpp"
#include "render/spec/privileges.hpp"
#include "render/template/template.hpp"
#include "render/unit/stop_signal.hpp"
#include "render/unit/tmpfiles_check.hpp"
#include "render/unit/unit.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

render::ToolValues tool_values(const PlanInputs& in, bool detached) {
  render::ToolValues tool;
  tool.name = in.value_of_name.empty() ? in.name : in.value_of_name;
  tool.deployment = in.layout->deployment_in_root(in.name, in.slot);
  tool.image_name = in.image;
  tool.image_id = in.image_id;
  tool.runtime = in.runtime.path;
  tool.runtime_has_pid_file = in.runtime.has_pid_file;
  tool.detached = detached;
  if (!in.exports->service_template) {
    tool.stop_signal = in.image_config->stop_signal;
  }
  if (const auto& user = in.layout->user()) {
    tool.run_directory = user->runtime;
    tool.state_directory = user->home + "/.data";
    tool.conf_directory = user->home + "/.config";
  }
  tool.host_uid = in.facts->uid;
  tool.host_gid = in.facts->gid;
  tool.uuid = in.uuid;
  tool.executable = in.facts->executable;
  tool.capabilities = render::capability_names(in.facts->last_capability);
  return tool;
}

bool is_generated(const PlanInputs& in) {
  return !in.exports->config && !in.exports->config_template;
}

/// STATE_DIRECTORY is the image's and the user's to set; volumes follow it when it says something else than always.
std::string place_of_volumes(const PlanInputs& in, const render::Values& values) {
  if (!in.volume_directory.empty()) {
    return in.volume_directory;
  }
  const auto name = values.find("NAME");
  const auto state = values.find("STATE_DIRECTORY");
  const auto usual = tool_values(in, false).state_directory;
  return name == values.end() || (state != values.end() && state->second != usual)
             ? render::volume_directory(values)
             : fmt::format("{}/{}", in.layout->volumes_in_root(), name->second);
}

/// What of the data of all containers is this one's.
std::string own_volumes(const PlanInputs& in) {
  return fmt::format("{}/{}", in.layout->volumes_in_root(), in.value_of_name.empty() ? in.name : in.value_of_name);
}

/// What a user's container may do is never more than what the user may do.
void add_privilege(const PlanInputs& in, InstallPlan& plan, render::Privilege privilege) {
  if (privilege.over_host && !in.layout->user()) {
    plan.host_privileges.push_back(privilege.message);
  }
  plan.privileges.push_back(std::move(privilege.message));
}

void add_privileges(const PlanInputs& in, InstallPlan& plan, std::vector<render::Privilege> privileges) {
  for (auto& privilege : privileges) {
    add_privilege(in, plan, std::move(privilege));
  }
}

/// Chooses where hostfs entries go and which of them are left out because something is there already.
class HostFilePlanner {
 public:
  HostFilePlanner(const PlanInputs& in, render::Renderer& renderer, InstallPlan& plan)
      : in_(in),
        renderer_(renderer),
        plan_(plan),
        protected_paths_(*in.layout, in.name, own_volumes(in), in.host_place),
        environment_files_(plan.unit ? render::environment_files(*plan.unit) : std::vector<std::string>()) {}

  void run() {
    const auto& manifest = in_.exports->manifest;
    if (in_.layout->user()) {
      plan_.left_out_files = in_.exports->host_entries.size();
      return;
    }
    for (const auto& entry : in_.exports->host_entries) {
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
    if (!taken_.emplace(destination).second) {
      throw Error(ErrorKind::conflict,
                  fmt::format("two files of the image's exports/hostfs go to {} on the host", destination),
                  "correct renameFiles in exports/manifest.json of the image");
    }
    const bool elsewhere = in_.for_package && entry.kind != render::HostEntryKind::directory;
    const bool directory = entry.kind == render::HostEntryKind::directory;
    const bool there = !elsewhere && exists(destination);
    auto wanted = directory || (there && !in_.others.knows(destination)) ? PlannedFile() : planned(entry, destination);
    if (there && !is_shared(wanted, destination)) {
      if (!directory) {
        plan_.kept_files.push_back(destination);
      }
      return;
    }
    host::refuse_kernel_directories(destination, destination);
    check_way(destination);
    add_parents(destination);
    if (directory) {
      add_directory(destination);
    } else {
      wanted.present = there;
      add_file_privilege(entry, wanted.file);
      plan_.files.push_back(std::move(wanted));
    }
  }

  /// What another container made belongs to this one, too, if it is just what this one would have made.
  [[nodiscard]] bool is_shared(const PlannedFile& wanted, const std::string& destination) const {
    if (in_.others.owner(destination, wanted.checksum).empty()) {
      return false;
    }
    return wanted.checksum.empty() || (in_.is_there && in_.is_there(wanted));
  }

  [[nodiscard]] bool exists(const std::string& path) const {
    return in_.host_exists(path) && !in_.replaced.host_files.contains(path);
  }

  /// Nothing is put where the owner of a directory above could lead us elsewhere (host::find_trusted_directory), be it
  /// that the directory exists or that it comes with the image.
  void check_way(const std::string& destination) {
    if (!in_.directory_owner || in_.for_package) {
      return;
    }
    std::string above = "/";
    uid_t owner = 0;
    for (auto slash = destination.find('/', 1); slash != std::string::npos; slash = destination.find('/', slash + 1)) {
      const auto directory = destination.substr(0, slash);
      auto known = owners_.find(directory);
      if (known == owners_.end()) {
        const auto present = in_.directory_owner(directory);
        if (!present && host::is_of_others(owner) && planned_owner(directory) != owner) {
          throw host::unsafe_step(above, owner, directory);
        }
        known = owners_.emplace(directory, present.value_or(planned_owner(directory))).first;
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
      if (!exists(parent) || !in_.others.owner(parent, "").empty()) {
        add_directory(parent);
      } else {
        refuse_other_than_directory(parent, destination);
      }
    }
  }

  /// Said now, for a service that runs would be stopped before it is found out.
  void refuse_other_than_directory(const std::string& path, const std::string& destination) const {
    if (!in_.for_package && in_.directory_owner && !in_.directory_owner(path)) {
      throw Error(ErrorKind::conflict,
                  fmt::format("{} cannot be created: {} exists on the host and is no directory", destination, path),
                  "move it away, or remove it, and try again");
    }
  }

  /// By its name, or by where a link of the host leads it.
  void add_file_privilege(const render::HostEntry& entry, const host::HostFile& file) {
    const auto mode = file.kind == host::HostFile::Kind::link ? 0 : file.mode;
    auto privilege = render::host_file_privilege(file.destination, mode, entry.has_capability);
    if (const auto place = in_.host_place(file.destination); !privilege && place != file.destination) {
      privilege = render::host_file_privilege(place, mode, entry.has_capability);
    }
    if (privilege) {
      add_privilege(in_, plan_, std::move(*privilege));
    }
    add_environment_privilege(entry, file);
    for (const auto& hidden : render::places_hidden_by(file.destination)) {
      if (in_.host_exists(hidden) && !in_.replaced.host_files.contains(hidden)) {
        add_privilege(in_, plan_,
                      {fmt::format("puts {} on the host, which hides the system's {}",
                                   base::printable(file.destination), base::printable(hidden)),
                       true});
        return;
      }
    }
  }

  /// What the image brings for EnvironmentFile= of its unit is no word of the administrator's.
  void add_environment_privilege(const render::HostEntry& entry, const host::HostFile& file) {
    const bool read =
        std::any_of(environment_files_.begin(), environment_files_.end(), [&](const std::string& pattern) {
          return ::fnmatch(pattern.c_str(), file.destination.c_str(), FNM_PATHNAME) == 0;
        });
    if (read && (file.kind == host::HostFile::Kind::link ||
                 render::redirects_runtime(file.content ? *file.content : in_.read_entry(entry)))) {
      add_privilege(in_, plan_,
                    {fmt::format("the unit changes what its programs are by a file of the image: {}",
                                 base::printable(file.destination)),
                     true});
    }
  }

  void add_directory(const std::string& path) {
    if (!made_.emplace(path).second) {
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
          renderer_.render(render::TemplateKind::plain, in_.read_entry(entry), "exports/hostfs/" + entry.path);
      result.checksum = base::digest_of(*result.file.content).hex();
    } else {
      result.file.source = "exports/hostfs/" + entry.path;
      result.file.share = in_.exports->manifest.use_links && in_.host_place(destination).starts_with("/usr/");
      result.checksum = in_.entry_checksum(entry);
    }
    return result;
  }

  [[nodiscard]] bool is_template(const render::HostEntry& entry) const {
    const auto& templates = in_.exports->manifest.installed_files_template;
    return std::any_of(templates.begin(), templates.end(),
                       [&](const std::string& path) { return path == entry.path || path == "/" + entry.path; });
  }

  const PlanInputs& in_;
  render::Renderer& renderer_;
  InstallPlan& plan_;
  ProtectedPaths protected_paths_;
  std::vector<std::string> environment_files_;  ///< patterns
  std::set<std::string> taken_;
  std::set<std::string> made_;
  std::map<std::string, const render::HostEntry*> directories_;
  std::map<std::string, uid_t> owners_;  ///< of the directories that were looked at
};

/// Where the unit puts what the container sees of name resolution; empty for what has no unit.
std::string resolver_directory(const PlanInputs& in) {
  return in.one_off || in.exports->manifest.no_container_service || !is_generated(in)
             ? ""
             : fmt::format("{}/container-{}", in.layout->runtime_in_root(), in.name);
}

/// Whether exports/hostfs brings a file or directory.
bool is_brought(const InstallPlan& plan, const std::string& path) {
  return std::any_of(plan.files.begin(), plan.files.end(),
                     [&](const PlannedFile& planned) { return planned.file.destination == path; });
}

/// The lines that make what config.json binds, for an image without lines of its own.
std::string lines_for_binds(const PlanInputs& in, const InstallPlan& plan, const base::Json& config) {
  const auto copies = resolver_directory(in);
  const auto exists = [&](const std::string& path) {
    if (!copies.empty() && path.starts_with(copies + "/")) {
      return true;  // the unit makes them
    }
    // What is there because the deployment that goes had a line for it needs one again.
    return (in.host_exists(path) && !in.replaced.tmpfiles_paths.contains(path)) || is_brought(plan, path) ||
           std::any_of(plan.volumes.begin(), plan.volumes.end(), [&](const auto& each) { return each.source == path; });
  };
  return render::default_tmpfiles(render::bind_sources(config), in.facts->uid, in.facts->gid, exists);
}

std::string rendered_config(const PlanInputs& in, render::Renderer& renderer, const InstallPlan& plan) {
  if (in.exports->config) {
    return *in.exports->config;
  }
  if (in.exports->config_template) {
    return renderer.render(render::TemplateKind::json, *in.exports->config_template, "exports/config.json.template");
  }
  auto features = in.features;
  features.volume_directory = place_of_volumes(in, plan.values);
  features.resolver_directory = resolver_directory(in);
  return in.generate_config(plan.values, features);
}

std::string config_file_name(const PlanInputs& in) {
  if (in.exports->config) {
    return "exports/config.json";
  }
  return in.exports->config_template ? "exports/config.json.template" : "generated config.json";
}

/// The lines of the image, or those that its config.json needs, with others kept out of what the container writes.
void plan_tmpfiles(const PlanInputs& in, const base::Json& config, InstallPlan& plan) {
  auto lines = plan.tmpfiles.value_or("");
  if (in.exports->tmpfiles_template) {
    auto closed = render::close_tmpfiles(lines, render::written_places(config));
    lines = std::move(closed.text);
    for (auto& change : closed.changes) {
      plan.findings.push_back(
          {base::Severity::note, "closed-directory", "exports/tmpfiles.template", 0, std::move(change), ""});
    }
  } else if (plan.unit) {
    lines = lines_for_binds(in, plan, config);
  }
  if (plan.unit && !plan.volumes.empty()) {
    const auto& layout = *in.layout;
    lines.insert(0, render::volume_tmpfiles(plan.volumes, layout.preinstalling() ? plan.deployment + "/rootfs" : ""));
  }
  if (in.features.user) {
    lines = render::tmpfiles_for_user(lines, !render::runs_as_root(config));
  }
  if (plan.unit && !plan.volumes.empty() && in.volume_directory.empty()) {
    const auto closed = render::closed_tmpfiles(place_of_volumes(in, plan.values));
    lines.insert(0, in.features.user ? render::tmpfiles_for_user(closed, false) : closed);
  }
  if (plan.unit || in.exports->tmpfiles_template) {
    plan.tmpfiles = std::move(lines);
  }
}

void plan_config(const PlanInputs& in, const std::string& text, InstallPlan& plan) {
  const auto slice = render::unit_slice(plan.unit.value_or(""), in.layout->default_slice());
  auto features = in.features;
  features.writable_root = in.one_off;
  if (features.user) {
    features.user->sets_groups = in.runtime.version.starts_with("crun");
  }
  features.unit_notifies = plan.unit && render::unit_notifies(*plan.unit);
  plan.cgroups_path = host::takes_relative_cgroup(in.runtime.version, in.runtime.path)
                          ? render::relative_cgroups_path(in.name)
                          : in.layout->systemd_cgroup() + render::cgroups_path(slice, in.name);
  auto config = render::finish_config(text, config_file_name(in), features, plan.cgroups_path, in.remote_rootfs);
  if (config.notifies_itself) {
    plan.unit = render::with_service_line(*plan.unit, "UnsetEnvironment=NOTIFY_SOCKET");
    plan.unit = render::with_service_line(*plan.unit, "NotifyAccess=all");
  }
  if (plan.unit && !in.one_off && !in.preview) {
    if (const auto refusal = render::service_refusal(config.document, config_file_name(in), *plan.unit)) {
      throw Error(*refusal);
    }
  }
  plan.conversions = std::move(config.conversions);
  if (!in.exports->config && !in.exports->config_template && in.image_config != nullptr) {
    const auto left_out = render::left_out_of_generated(*in.image_config);
    plan.conversions.insert(plan.conversions.end(), left_out.begin(), left_out.end());
  }
  const ProtectedPaths protected_paths(*in.layout, in.name, own_volumes(in), in.host_place, plan.files);
  protected_paths.refuse_mounts(config.document);
  add_privileges(in, plan, render::powerful_requests(config.document, plan.cgroups_path));
  add_privileges(in, plan, protected_paths.privileges(config.document));
  plan_tmpfiles(in, config.document, plan);
  auto findings = plan_findings(in, config.document, plan);
  plan.findings.insert(plan.findings.end(), std::make_move_iterator(findings.begin()),
                       std::make_move_iterator(findings.end()));
  plan.config = std::move(config.text);
}

/// What the health gate will do, as info keeps it: the image need not be stored any more when it is asked again.
base::Json health_check(const PlanInputs& in) {
  if (const auto& own = in.exports->manifest.health_check) {
    return render::to_json(*own);
  }
  const auto& docker = in.image_config->healthcheck;
  const auto check = docker ? render::health_check_of(*docker) : std::nullopt;
  return check ? render::to_json(*check) : base::Json(nullptr);
}

void fill_info(const PlanInputs& in, InstallPlan& plan) {
  auto& info = plan.info;
  const auto& manifest = in.exports->manifest;
  info.image = in.image;
  info.revision = in.image_id;
  info.ostree_commit = in.commit;
  info.created = in.created;
  info.values = plan.values;
  info.has_container_service = plan.unit.has_value();
  for (const auto& planned : plan.files) {
    info.installed_files.push_back(planned.file.destination);
    if (!planned.checksum.empty()) {
      info.installed_files_checksum[planned.file.destination] = planned.checksum;
    }
  }
  info.installed_files_template = manifest.installed_files_template;
  info.rename_installed_files = manifest.rename_files;
  info.remote = in.remote_rootfs;
  info.use_links = manifest.use_links;
  info.local = in.local;
  info.health_check = health_check(in);
  if (const auto version = in.image_config->labels.find("version"); version != in.image_config->labels.end()) {
    info.document["version"] = version->second;  // the image may be gone from the store when somebody asks
  }
  info.document[privileges_key] = plan.privileges;  // for an update to tell which are new
  info.runtime = plan.runtime;
}

/// What `berth lint` calls an error: systemd-tmpfiles would refuse it when the container is in place already, or, in
/// another root, at its next boot.
void refuse_tmpfiles(const std::string& lines) {
  for (const auto& finding : render::check_tmpfiles(lines, "exports/tmpfiles.template")) {
    if (finding.severity == base::Severity::error) {
      throw Error(ErrorKind::verification, fmt::format("{}:{}: {}", finding.file, finding.line, finding.message),
                  finding.hint);
    }
  }
}

bool has_lines(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c) == 0; });
}

/// Once ExecStop= has run, systemd signals whatever is left, and that must be the image's own stop signal, too.
std::string with_stop_signal(const PlanInputs& in, std::string unit) {
  static constexpr std::string_view section = "[Service]\n";
  const auto& signal = in.image_config->stop_signal;
  const auto at = unit.find(section);
  if (!in.exports->service_template && !signal.empty() && at != std::string::npos) {
    const auto lines = render::unit_lines(render::parse_stop_signal(signal));
    unit.insert(at + section.size(), fmt::format("{}\n", fmt::join(lines, "\n")));
  }
  return unit;
}

/// From the rendered unit to the one that is installed.
void finish_unit(const PlanInputs& in, InstallPlan& plan) {
  add_privileges(in, plan, render::unit_privileges(*plan.unit, plan.values));
  if (in.layout->user()) {
    plan.unit = render::rootless_unit(*plan.unit);
  }
  plan.unit = render::complete_unit(with_stop_signal(in, *plan.unit), plan.runtime, in.name);
  if (const auto directory = resolver_directory(in); !directory.empty()) {
    plan.unit = render::with_resolver_copies(*plan.unit, directory);
  }
}

std::optional<std::string> service_template(const PlanInputs& in) {
  if (in.exports->manifest.no_container_service) {
    return std::nullopt;
  }
  return in.exports->service_template ? *in.exports->service_template : in.default_service_template;
}

}  // namespace

InstallPlan plan_host_files(const PlanInputs& in, const render::Values& values) {
  InstallPlan plan;
  plan.values = values;
  render::Renderer renderer(plan.values);
  HostFilePlanner(in, renderer, plan).run();
  renderer.check();
  return plan;
}

bool runs_once(const image::ImageConfig& config) {
  const auto label = config.labels.find("atomic.run");
  return label != config.labels.end() && label->second == "once";
}

InstallPlan make_plan(const PlanInputs& in) {
  InstallPlan plan;
  plan.name = in.name;
  plan.slot = in.slot;
  plan.deployment = in.layout->deployment_in_root(in.name, in.slot);
  plan.image = in.image;
  plan.image_id = in.image_id;
  plan.commit = in.commit;
  const auto unit_text = service_template(in);
  const bool detached = unit_text && render::unit_wants_detached(*unit_text) && in.runtime.has_pid_file;
  plan.values = render::merge_values(tool_values(in, detached), in.set, in.exports->manifest.default_values);
  plan.runtime = plan.values.at("RUNTIME");

  render::Renderer renderer(plan.values);
  const bool wants_config = unit_text || in.exports->config || in.exports->config_template;
  const auto config = wants_config ? rendered_config(in, renderer, plan) : std::string();
  if (wants_config && is_generated(in)) {
    plan.volumes = in.volumes(place_of_volumes(in, plan.values));
  }
  if (unit_text) {
    plan.unit = renderer.render(render::TemplateKind::unit, *unit_text,
                                in.exports->service_template ? "exports/service.template" : "default service.template");
  }
  if (in.exports->tmpfiles_template) {
    plan.tmpfiles =
        renderer.render(render::TemplateKind::unit, *in.exports->tmpfiles_template, "exports/tmpfiles.template");
  }
  if (!in.one_off) {  // which leaves nothing behind
    HostFilePlanner(in, renderer, plan).run();
    plan_package(in, renderer, plan);
  }
  renderer.check();
  if (plan.tmpfiles && !in.one_off && !in.preview) {
    refuse_tmpfiles(*plan.tmpfiles);
  }

  if (plan.unit && !in.one_off) {
    finish_unit(in, plan);
  }
  if (wants_config) {
    plan_config(in, config, plan);
  }
  if (in.one_off) {
    plan.unit.reset();
    plan.tmpfiles.reset();
  }
  if (plan.tmpfiles && !has_lines(*plan.tmpfiles)) {
    plan.tmpfiles.reset();
  }
  if (plan.tmpfiles) {
    if (in.exports
            ->tmpfiles_template) {  // lines of berth's own make what is bound, and binds are privileges themselves
      add_privileges(in, plan, render::tmpfiles_privileges(*plan.tmpfiles));
    }
    plan.tmpfiles_paths = render::missing_tmpfiles_paths(*plan.tmpfiles, in.host_exists);
  }
  fill_info(in, plan);
  return plan;
}

}  // namespace berth::ops
