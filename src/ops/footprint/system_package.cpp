// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/system_package.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/file_copy.hpp"
#include "host/files/host_file.hpp"
#include "host/files/root_directory.hpp"
#include "render/exports/exports.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* tree_name = "package";

host::PackageTool package_tool(const Context& context, host::PackageKind kind) {
  return {context.layout, kind, std::chrono::seconds(context.config.lock_timeout_seconds), context.stop};
}

/// The kind of the host's packages, for a package that is installed.
host::PackageKind present_kind(const Context& context) {
  if (const auto kind = host::package_kind(context.layout)) {
    return *kind;
  }
  throw Error(ErrorKind::failed, "the package database of the host does not exist",
              "restore /var/lib/dpkg or the rpm database");
}

void copy_ready_package(int directory, int rootfs, host::PackageKind kind) {
  const auto source = render::open_container_rpm(render::open_exports(rootfs).get());
  const std::string name(host::package_file(kind));
  const auto target = base::open_at(directory, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
  host::copy_content(source.get(), target.get(), "exports/container.rpm");
}

}  // namespace

RecordedPackage recorded_package(const host::DeploymentInfo& info) {
  RecordedPackage package;
  package.name = info.package;
  if (package.name.empty()) {
    return package;
  }
  for (const auto& path : info.installed_files) {
    const auto checksum = host::recorded_checksum(info, path);
    if (path.starts_with("/etc/") && !checksum.empty()) {
      package.configuration.push_back({path, checksum});
    }
  }
  return package;
}

void create_host_files(int tree, int rootfs, const InstallPlan& plan) {
  for (const auto& planned : plan.files) {
    const auto made = host::create_host_file(tree, rootfs, planned.file);
    if (made.checksum != planned.checksum) {
      throw Error(ErrorKind::verification,
                  fmt::format("{} changed while it was being installed", planned.file.destination), "try again");
    }
  }
}

void build_package(const Context& context, const std::string& directory, int rootfs, InstallPlan& plan) {
  const auto tool = package_tool(context, plan.package->kind);
  const auto path = fmt::format("{}/{}", context.layout.deployments(), directory);
  const auto deployment = base::open_host_directory(path);
  base::in_context("building the package of the host files", [&] {
    if (plan.package->ready) {
      copy_ready_package(deployment.get(), rootfs, plan.package->kind);
    } else {
      base::check_errno(::mkdirat(deployment.get(), tree_name, 0755), "create a directory for the package");
      create_host_files(base::open_directory_at(deployment.get(), tree_name).get(), rootfs, plan);
      tool.build({fmt::format("{}/{}", path, tree_name), plan.package->text, plan.package->lists}, path);
      base::remove_tree_at(deployment.get(), tree_name);
    }
    plan.package->name = tool.name_of(fmt::format("{}/{}", path, host::package_file(plan.package->kind)));
    plan.info.package = plan.package->name;
  });
}

void install_package(const Context& context, const std::string& name, int slot) {
  const auto kind = present_kind(context);
  const auto file =
      fmt::format("{}/{}/{}", context.layout.deployments(), host::slot_name(name, slot), host::package_file(kind));
  package_tool(context, kind).install(file);
}

std::vector<std::string> remove_package(const Context& context, const RecordedPackage& package) {
  const auto tool = package_tool(context, present_kind(context));
  tool.remove(package.name);
  std::vector<std::string> kept;
  const auto root = open_root(context);
  for (const auto& file : package.configuration) {
    if (host::danger_on_the_way(root.get(), file.path) ||
        host::remove_host_file(root.get(), file.path, file.checksum) == host::RemoveOutcome::modified) {
      kept.push_back(file.path);
    }
  }
  if (kept.empty()) {
    tool.purge(package.name);
  }
  return kept;
}

void purge_package(const Context& context, const std::string& package) {
  package_tool(context, present_kind(context)).purge(package);
}

}  // namespace berth::ops
