// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/plan_package.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "ops/plan/plan_host_files.hpp"
#include "render/package_text.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* maintainer = "berth <root@localhost>";

/// For `auto`: whether the image has the label that `atomic` checked, or brings an RPM package or spec file.
bool image_asks(const PlanInputs& in) {
  const bool own_rpm =
      in.image.exports.rpm_spec || in.image.exports.rpm_spec_template || in.image.exports.container_rpm;
  return in.image.config.labels.contains("atomic.has_install_files") ||
         (own_rpm && in.host.package_kind == host::PackageKind::rpm);
}

bool wants_package(const PlanInputs& in) {
  if (in.host.layout.user()) {
    if (in.request.system_package == "yes") {
      throw Error(ErrorKind::usage, "rootless containers have no host files, so that there is nothing to package",
                  "leave --system-package out");
    }
    return false;
  }
  if (in.request.system_package == "auto") {
    return in.host.package_kind && image_asks(in);
  }
  if (in.request.system_package == "yes" && !in.host.package_kind) {
    throw Error(ErrorKind::failed,
                "this host has no package manager: it has neither the database of dpkg nor that of rpm",
                render::copy_instead);
  }
  return in.request.system_package == "yes";
}

/// Refuses file capabilities and owners, which a package would lose.
void refuse_unpackable(const PlanInputs& in, const InstallPlan& plan) {
  for (const auto& entry : in.image.exports.host_entries) {
    if (entry.has_capability) {
      throw Error(ErrorKind::verification,
                  fmt::format("exports/hostfs/{} has file capabilities, which a package would lose",
                              base::printable(entry.path)),
                  render::copy_instead);
    }
  }
  const auto owned = [](const PlannedFile& planned) { return planned.file.uid != 0 || planned.file.gid != 0; };
  const auto file = std::find_if(plan.files.begin(), plan.files.end(), owned);
  if (in.host.package_kind == host::PackageKind::rpm && file != plan.files.end()) {
    throw Error(ErrorKind::verification,
                fmt::format("the host file {} belongs to user {} and group {}, which have no name that an RPM package "
                            "could hold",
                            base::printable(file->file.destination), file->file.uid, file->file.gid),
                render::copy_instead);
  }
}

void describe_deb(const render::PackageDescription& description, const InstallPlan& plan, PlannedPackage& package) {
  package.text = deb_text(description);
  package.lists = render::deb_conffiles(packaged_files(plan));
}

void describe_rpm(const PlanInputs& in, const render::PackageDescription& description, render::Renderer& renderer,
                  InstallPlan& plan, PlannedPackage& package) {
  package.ready = in.image.exports.container_rpm;
  const bool own = package.ready || in.image.exports.rpm_spec || in.image.exports.rpm_spec_template;
  if (own) {
    add_privilege(in, plan, {"runs the scripts of its own RPM package on the host", true});
  }
  if (package.ready) {
    return;
  }
  if (in.image.exports.rpm_spec) {
    package.text = *in.image.exports.rpm_spec;
  } else if (in.image.exports.rpm_spec_template) {
    package.text =
        renderer.render(render::TemplateKind::plain, *in.image.exports.rpm_spec_template, "exports/rpm.spec.template");
  } else {
    package.text = render::rpm_spec(description, packaged_files(plan));
  }
}

}  // namespace

std::vector<render::PackagedFile> packaged_files(const InstallPlan& plan) {
  std::vector<render::PackagedFile> files;
  files.reserve(plan.files.size());
  for (const auto& planned : plan.files) {
    const auto& file = planned.file;
    const bool plain = file.kind == host::HostFile::Kind::file;  // links cannot be configuration files of dpkg
    files.push_back({file.destination, file.kind == host::HostFile::Kind::directory,
                     plain && file.destination.starts_with("/etc/")});
  }
  return files;
}

std::string deb_text(const render::PackageDescription& description) {
  return render::deb_control(description, maintainer);
}

void check_package_mode(const std::string& mode) {
  if (mode != "auto" && mode != "yes" && mode != "no") {
    throw Error(ErrorKind::usage, fmt::format("--system-package={} is not supported", base::printable(mode)),
                "use yes, no, auto for a package when the image asks for one, or build, which installs nothing");
  }
}

void plan_package(const PlanInputs& in, render::Renderer& renderer, InstallPlan& plan) {
  if (!wants_package(in)) {
    plan.info.system_package = "no";
    return;
  }
  plan.info.system_package = "yes";
  if (plan.files.empty() && !in.image.exports.container_rpm) {
    return;
  }
  refuse_unpackable(in, plan);
  const auto& labels = in.image.config.labels;
  const auto description =
      render::describe_package(in.target.name, {labels.begin(), labels.end()}, in.image.name,
                               in.image.config.platform.architecture, in.target.created, in.image.id);
  PlannedPackage package;
  package.kind = *in.host.package_kind;
  package.name = description.name;
  if (package.kind == host::PackageKind::deb) {
    describe_deb(description, plan, package);
  } else {
    describe_rpm(in, description, renderer, plan, package);
  }
  plan.info.package = package.name;
  plan.info.rpm_installed = package.kind == host::PackageKind::rpm;
  plan.package = std::move(package);
}

}  // namespace berth::ops
