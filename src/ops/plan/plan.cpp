// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "base/error.hpp"
#include "base/json.hpp"
#include "host/machine/runtime_version.hpp"
#include "ops/plan/plan_findings.hpp"
#include "ops/plan/plan_host_files.hpp"
#include "ops/plan/plan_package.hpp"
#include "ops/plan/protected_paths.hpp"
#include "render/exports/tmpfiles_privileges.hpp"
#include "render/exports/unit_privileges.hpp"
#include "render/exports/writable_paths.hpp"
#include "render/spec/config_check.hpp"
#include "render/spec/config_generate.hpp"
#include "render/spec/config_privileges.hpp"
#include "render/template/template.hpp"
#include "render/unit/stop_signal.hpp"
#include "render/unit/tmpfiles.hpp"
#include "render/unit/tmpfiles_check.hpp"
#include "render/unit/unit.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

render::ToolValues tool_values(const PlanInputs& in, bool detached) {
  render::ToolValues tool;
  tool.name = in.request.name.empty() ? in.target.name : in.request.name;
  tool.deployment = in.host.layout.deployment_in_root(in.target.name, in.target.slot);
  tool.image_name = in.image.name;
  tool.image_id = in.image.id;
  tool.runtime = in.request.runtime.path;
  tool.runtime_has_pid_file = in.request.runtime.has_pid_file;
  tool.detached = detached;
  if (!in.image.exports.service_template) {
    tool.stop_signal = in.image.config.stop_signal;
  }
  if (const auto& user = in.host.layout.user()) {
    tool.run_directory = user->runtime;
    tool.state_directory = user->home + "/.data";
    tool.conf_directory = user->home + "/.config";
  }
  tool.host_uid = in.host.facts.uid;
  tool.host_gid = in.host.facts.gid;
  tool.uuid = in.request.uuid;
  tool.executable = in.host.facts.executable;
  tool.capabilities = render::capability_names(in.host.facts.last_capability);
  return tool;
}

bool is_generated(const PlanInputs& in) {
  return !in.image.exports.config && !in.image.exports.config_template;
}

/// Directory of the volumes of a generated config.json. Image and user may set STATE_DIRECTORY; volumes are below it
/// when it differs from its default.
std::string volume_directory(const PlanInputs& in, const render::Values& values) {
  if (!in.request.volume_directory.empty()) {
    return in.request.volume_directory;
  }
  const auto name = values.find("NAME");
  const auto state = values.find("STATE_DIRECTORY");
  const auto usual = tool_values(in, false).state_directory;
  return name == values.end() || (state != values.end() && state->second != usual)
             ? render::volume_directory(values)
             : fmt::format("{}/{}", in.host.layout.volumes_in_root(), name->second);
}

/// Runtime directory of the unit for its copies of /etc/resolv.conf and /etc/hosts; empty when it makes none.
std::string resolver_directory(const PlanInputs& in) {
  return in.request.one_off || in.image.exports.manifest.no_container_service || !is_generated(in)
             ? ""
             : fmt::format("{}/container-{}", in.host.layout.runtime_in_root(), in.target.name);
}

/// Whether the plan creates a host file or directory at `path`.
bool creates_host_file(const InstallPlan& plan, const std::string& path) {
  return std::any_of(plan.files.begin(), plan.files.end(),
                     [&](const PlannedFile& planned) { return planned.file.destination == path; });
}

/// tmpfiles.d lines that create the sources of binds in config.json, for an image without lines of its own.
std::string tmpfiles_for_binds(const PlanInputs& in, const InstallPlan& plan, const base::Json& config) {
  const auto copies = resolver_directory(in);
  const auto exists = [&](const std::string& path) {
    if (!copies.empty() && path.starts_with(copies + "/")) {
      return true;  // created by the unit
    }
    // A path that exists because the replaced deployment had a line for it needs a line again.
    return (in.probe.exists(path) && !in.request.replaced.tmpfiles_paths.contains(path)) ||
           creates_host_file(plan, path) ||
           std::any_of(plan.volumes.begin(), plan.volumes.end(), [&](const auto& each) { return each.source == path; });
  };
  return render::default_tmpfiles(render::bind_sources(config), in.host.facts.uid, in.host.facts.gid, exists);
}

std::string rendered_config(const PlanInputs& in, render::Renderer& renderer, const InstallPlan& plan) {
  if (in.image.exports.config) {
    return *in.image.exports.config;
  }
  if (in.image.exports.config_template) {
    return renderer.render(render::TemplateKind::json, *in.image.exports.config_template,
                           "exports/config.json.template");
  }
  auto features = in.host.features;
  features.volume_directory = volume_directory(in, plan.values);
  features.resolver_directory = resolver_directory(in);
  return in.probe.generate_config(plan.values, features);
}

std::string config_file_name(const PlanInputs& in) {
  if (in.image.exports.config) {
    return "exports/config.json";
  }
  return in.image.exports.config_template ? "exports/config.json.template" : "generated config.json";
}

/// tmpfiles.d lines of the image, or those that config.json needs. Directories that the container writes to are closed
/// to other users.
void plan_tmpfiles(const PlanInputs& in, const base::Json& config, InstallPlan& plan) {
  auto lines = plan.tmpfiles.value_or("");
  if (in.image.exports.tmpfiles_template) {
    auto closed = render::close_tmpfiles(lines, render::writable_host_paths(config));
    lines = std::move(closed.text);
    for (auto& change : closed.changes) {
      plan.findings.push_back(
          {base::Severity::note, "closed-directory", "exports/tmpfiles.template", 0, std::move(change), ""});
    }
  } else if (plan.unit) {
    lines = tmpfiles_for_binds(in, plan, config);
  }
  if (plan.unit && !plan.volumes.empty()) {
    const auto& layout = in.host.layout;
    lines.insert(0, render::volume_tmpfiles(plan.volumes, layout.preinstalling() ? plan.deployment + "/rootfs" : ""));
  }
  if (in.host.features.rootless) {
    lines = render::rootless_tmpfiles(lines, !render::runs_as_root(config));
  }
  if (plan.unit && !plan.volumes.empty() && in.request.volume_directory.empty()) {
    const auto closed = render::closed_tmpfiles(volume_directory(in, plan.values));
    lines.insert(0, in.host.features.rootless ? render::rootless_tmpfiles(closed, false) : closed);
  }
  if (plan.unit || in.image.exports.tmpfiles_template) {
    plan.tmpfiles = std::move(lines);
  }
}

void plan_config(const PlanInputs& in, const std::string& text, InstallPlan& plan) {
  const auto slice = render::unit_slice(plan.unit.value_or(""), in.host.layout.default_slice());
  auto features = in.host.features;
  features.writable_root = in.request.one_off;
  if (features.rootless) {
    features.rootless->sets_groups = in.request.runtime.version.starts_with("crun");
  }
  features.unit_notifies = plan.unit && render::unit_notifies(*plan.unit);
  plan.cgroups_path = host::takes_relative_cgroup(in.request.runtime.version, in.request.runtime.path)
                          ? render::relative_cgroups_path(in.target.name)
                          : in.host.layout.systemd_cgroup() + render::cgroups_path(slice, in.target.name);
  auto config = render::finish_config(text, config_file_name(in), features, plan.cgroups_path, in.target.remote_rootfs);
  if (config.notifies_itself) {
    plan.unit = render::with_service_line(*plan.unit, "UnsetEnvironment=NOTIFY_SOCKET");
    plan.unit = render::with_service_line(*plan.unit, "NotifyAccess=all");
  }
  if (plan.unit && !in.request.one_off && !in.target.preview) {
    if (const auto refusal = render::service_refusal(config.document, config_file_name(in), *plan.unit)) {
      throw Error(*refusal);
    }
  }
  plan.conversions = std::move(config.conversions);
  if (is_generated(in)) {
    const auto left_out = render::ignored_environment(in.image.config);
    plan.conversions.insert(plan.conversions.end(), left_out.begin(), left_out.end());
  }
  const ProtectedPaths protected_paths(in.host.layout, in.target.name, volumes_of_container(in), in.probe, plan.files);
  protected_paths.refuse_mounts(config.document);
  add_privileges(in, plan, render::config_privileges(config.document, plan.cgroups_path));
  add_privileges(in, plan, protected_paths.privileges(config.document));
  plan_tmpfiles(in, config.document, plan);
  auto findings = plan_findings(in, config.document, plan);
  plan.findings.insert(plan.findings.end(), std::make_move_iterator(findings.begin()),
                       std::make_move_iterator(findings.end()));
  plan.config = std::move(config.text);
}

/// The health check for the info file. The gate reads it from there: the image may have been deleted from the store.
base::Json health_check(const PlanInputs& in) {
  if (const auto& own = in.image.exports.manifest.health_check) {
    return render::to_json(*own);
  }
  const auto& docker = in.image.config.healthcheck;
  const auto check = docker ? render::health_check_of(*docker) : std::nullopt;
  return check ? render::to_json(*check) : base::Json(nullptr);
}

void fill_info(const PlanInputs& in, InstallPlan& plan) {
  auto& info = plan.info;
  const auto& manifest = in.image.exports.manifest;
  info.image = in.image.name;
  info.revision = in.image.id;
  info.ostree_commit = in.image.commit;
  info.created = in.target.created;
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
  info.remote = in.target.remote_rootfs;
  info.use_links = manifest.use_links;
  info.local = in.request.local;
  info.health_check = health_check(in);
  if (const auto version = in.image.config.labels.find("version"); version != in.image.config.labels.end()) {
    info.document["version"] = version->second;  // readable when the image was deleted from the store
  }
  info.document[privileges_key] = plan.privileges;  // an update compares them and reports new ones
  info.runtime = plan.runtime;
}

/// Refuses lines that `berth lint` calls errors: systemd-tmpfiles would fail after the container was installed or, in
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

/// Sets the stop signal of the image in the default unit: after ExecStop=, systemd sends it to remaining processes.
std::string with_stop_signal(const PlanInputs& in, std::string unit) {
  static constexpr std::string_view section = "[Service]\n";
  const auto& signal = in.image.config.stop_signal;
  const auto at = unit.find(section);
  if (!in.image.exports.service_template && !signal.empty() && at != std::string::npos) {
    const auto lines = render::unit_lines(render::parse_stop_signal(signal));
    unit.insert(at + section.size(), fmt::format("{}\n", fmt::join(lines, "\n")));
  }
  return unit;
}

/// Turns the rendered unit into the one that is installed.
void finish_unit(const PlanInputs& in, InstallPlan& plan) {
  add_privileges(in, plan, render::unit_privileges(*plan.unit, plan.values));
  if (in.host.layout.user()) {
    plan.unit = render::rootless_unit(*plan.unit);
  }
  plan.unit = render::complete_unit(with_stop_signal(in, *plan.unit), plan.runtime, in.target.name);
  if (const auto directory = resolver_directory(in); !directory.empty()) {
    plan.unit = render::with_resolver_copies(*plan.unit, directory);
  }
}

/// Drops tmpfiles.d lines that are all empty, and adds the privileges and missing paths of the others.
void finish_tmpfiles(const PlanInputs& in, InstallPlan& plan) {
  if (plan.tmpfiles && !has_lines(*plan.tmpfiles)) {
    plan.tmpfiles.reset();
  }
  if (!plan.tmpfiles) {
    return;
  }
  // Lines that berth generates create sources of binds, and binds are privileges themselves.
  if (in.image.exports.tmpfiles_template) {
    add_privileges(in, plan, render::tmpfiles_privileges(*plan.tmpfiles));
  }
  plan.tmpfiles_paths =
      render::missing_tmpfiles_paths(*plan.tmpfiles, [&](const std::string& path) { return in.probe.exists(path); });
}

std::optional<std::string> service_template(const PlanInputs& in) {
  if (in.image.exports.manifest.no_container_service) {
    return std::nullopt;
  }
  return in.image.exports.service_template ? *in.image.exports.service_template : in.host.default_service_template;
}

}  // namespace

InstallPlan plan_host_files(const PlanInputs& in, const render::Values& values) {
  InstallPlan plan;
  plan.values = values;
  render::Renderer renderer(plan.values);
  add_host_files(in, renderer, plan);
  renderer.check();
  return plan;
}

bool runs_once(const image::ImageConfig& config) {
  const auto label = config.labels.find("atomic.run");
  return label != config.labels.end() && label->second == "once";
}

InstallPlan make_plan(const PlanInputs& in) {
  InstallPlan plan;
  plan.name = in.target.name;
  plan.slot = in.target.slot;
  plan.deployment = in.host.layout.deployment_in_root(in.target.name, in.target.slot);
  plan.image = in.image.name;
  plan.image_id = in.image.id;
  plan.commit = in.image.commit;
  const auto unit_text = service_template(in);
  const bool detached = unit_text && render::unit_wants_detached(*unit_text) && in.request.runtime.has_pid_file;
  plan.values =
      render::merge_values(tool_values(in, detached), in.request.set, in.image.exports.manifest.default_values);
  plan.runtime = plan.values.at("RUNTIME");

  render::Renderer renderer(plan.values);
  const bool wants_config = unit_text || in.image.exports.config || in.image.exports.config_template;
  const auto config = wants_config ? rendered_config(in, renderer, plan) : std::string();
  if (wants_config && is_generated(in)) {
    plan.volumes = in.probe.volumes(volume_directory(in, plan.values));
  }
  if (unit_text) {
    plan.unit =
        renderer.render(render::TemplateKind::unit, *unit_text,
                        in.image.exports.service_template ? "exports/service.template" : "default service.template");
  }
  if (in.image.exports.tmpfiles_template) {
    plan.tmpfiles =
        renderer.render(render::TemplateKind::unit, *in.image.exports.tmpfiles_template, "exports/tmpfiles.template");
  }
  if (!in.request.one_off) {  // a one-off run leaves nothing on the host
    add_host_files(in, renderer, plan);
    plan_package(in, renderer, plan);
  }
  renderer.check();
  if (plan.tmpfiles && !in.request.one_off && !in.target.preview) {
    refuse_tmpfiles(*plan.tmpfiles);
  }

  if (plan.unit && !in.request.one_off) {
    finish_unit(in, plan);
  }
  if (wants_config) {
    plan_config(in, config, plan);
  }
  if (in.request.one_off) {
    plan.unit.reset();
    plan.tmpfiles.reset();
  }
  finish_tmpfiles(in, plan);
  fill_info(in, plan);
  return plan;
}

}  // namespace berth::ops
