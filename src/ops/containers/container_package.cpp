// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/container_package.hpp"
#include "ops/deployments_directory.hpp"
#include "ops/plan/plan.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/scope_exit.hpp"
#include "host/files/file_copy.hpp"
#include "host/state/deployment.hpp"
#include "host/systemd/unit_file.hpp"
#include "ops/change/staged_deployment.hpp"
#include "ops/footprint/system_package.hpp"
#include "ops/images/pull.hpp"
#include "ops/plan/package_limits.hpp"
#include "ops/plan/plan_package.hpp"
#include "ops/temp_directory.hpp"
#include "render/package_text.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

void refuse_options(const Context& context, const InstallRequest& request) {
  const auto refuse = [](std::string_view what, std::string hint) {
    throw Error(ErrorKind::usage, fmt::format("--system-package=build {}", what), std::move(hint));
  };
  if (context.layout.user()) {
    refuse("makes a package of a system container: a user's container cannot be packaged",
           "leave --system-package out");
  }
  if (context.layout.preinstalling()) {
    refuse("and --preinstall exclude each other", "install the package into the directory of --root when it is made");
  }
  if (!request.rootfs.empty()) {
    refuse("and --rootfs exclude each other", "the files of the image go into the package");
  }
  if (request.start) {
    refuse("and --now exclude each other", "the container starts where the package is installed");
  }
}

host::PackageKind kind_of_packages(const Context& context) {
  if (const auto kind = host::package_kind(context.layout)) {
    return *kind;
  }
  throw Error(ErrorKind::failed, "this host has neither a dpkg nor an rpm database",
              "build the package on a host of the kind that it is for");
}

PlanRequest plan_request(const Context& context, const InstallRequest& request) {
  PlanRequest wanted;
  wanted.set = parse_set(request.set);
  wanted.uuid = host::random_uuid();
  wanted.runtime = host::find_runtime(
      context.layout, request.runtime.empty() ? context.runtime_override : request.runtime, context.config.runtimes);
  return wanted;
}

void refuse_one_off(const image::ImageConfig& config, const std::string& name) {
  if (runs_once(config)) {
    throw Error(ErrorKind::failed,
                fmt::format("{} is run once (label atomic.run), so there is nothing to install", name),
                "run it with berth run");
  }
}

/// The context of this machine, with paths below /usr of the directory `root`.
Context context_for(const Context& context, const std::string& root) {
  host::LayoutSettings settings;
  settings.root = root;
  settings.preinstalling = true;
  Context staged = context;
  staged.layout = host::Layout(std::move(settings));
  staged.facts = host::offline_facts();
  return staged;
}

/// @return the store of this machine when it has the image. Other images are not added to it.
std::optional<store::Store> store_with(const Context& context, const ImageFetcher& fetcher) {
  auto store = fetcher.local() ? std::nullopt : store::Store::open_existing(store_options(context));
  const auto found = store ? store->look_up(fetcher.name()) : std::nullopt;
  return found && !found->elsewhere ? std::move(store) : std::nullopt;
}

std::string add_text(int tree, std::string path, const std::string& text) {
  const auto [directory, name] = base::split_path(path.substr(1));
  base::make_directories_at(tree, directory, 0755);
  base::create_file_at(base::open_directory_at(tree, directory).get(), name, text, 0644);
  return path;
}

/// Adds the files that an install creates outside the deployment.
/// @return these files without the host files, absolute inside the tree
std::vector<render::PackagedFile> fill(const host::Layout& layout, int tree, const InstallPlan& plan) {
  const auto deployments = base::open_host_directory(layout.deployments());
  const auto directory = host::slot_name(plan.name, plan.slot);
  base::check_errno(
      ::renameat(deployments.get(), staging_name(plan.name).c_str(), deployments.get(), directory.c_str()),
      "name the deployment");
  base::check_errno(::symlinkat(directory.c_str(), deployments.get(), plan.name.c_str()), "make the link " + plan.name);
  create_host_files(tree, base::open_directory_at(deployments.get(), directory + "/rootfs").get(), plan);
  std::vector<render::PackagedFile> files = {{layout.deployment_in_root(plan.name, plan.slot)},
                                             {fmt::format("{}/{}", layout.deployments_in_root(), plan.name)}};
  if (plan.unit) {
    const auto unit = host::unit_name(plan.name);
    files.push_back({add_text(tree, layout.unit_in_root(plan.name), *plan.unit)});
    const auto section = host::parse_install_section(*plan.unit, unit);
    for (auto& link : host::make_unit_links(tree, unit, section, layout.units_in_root())) {
      files.push_back({std::move(link)});
    }
  } else {
    base::remove_tree_at(deployments.get(), directory + "/rootfs");  // only the host files matter
  }
  if (plan.tmpfiles) {
    files.push_back({add_text(tree, layout.tmpfiles_in_root(plan.name), *plan.tmpfiles)});
  }
  return files;
}

render::PackageDescription describe(const InstallPlan& plan, const image::ImageConfig& config) {
  std::map<std::string, std::string> labels(config.labels.begin(), config.labels.end());
  labels.emplace("summary", fmt::format("the system container {}", plan.name));
  auto description = render::describe_package(plan.name, labels, plan.image, config.platform.architecture,
                                              plan.info.created, plan.image_id);
  // Differs from the name of a package with the host files of an installed container, which may be installed as well.
  description.name += "-preinstalled";
  for (const char* program : {"runc", "crun"}) {  // also the names of their packages
    if (plan.runtime.ends_with(fmt::format("/{}", program))) {
      description.recommendation = program;
    }
  }
  return description;
}

/// The description of the package. The deployment is one entry: a directory with all its contents.
host::PackageContent describe_content(const host::Layout& layout, const InstallPlan& plan,
                                      const render::PackageDescription& description, host::PackageKind kind,
                                      std::vector<render::PackagedFile> files) {
  const auto host_files = packaged_files(plan);
  files.insert(files.end(), host_files.begin(), host_files.end());
  render::PackagedService service;
  if (plan.unit) {
    service.unit = host::unit_name(plan.name);
    service.tmpfiles = plan.tmpfiles ? plan.name + ".conf" : "";
    service.hidden_by = "/var/lib/containers/berth/" + plan.name;
  }
  host::PackageContent content;
  content.tree = layout.root();
  if (kind == host::PackageKind::deb) {
    content.text = deb_text(description);
    content.lists = render::deb_conffiles(files);
    content.scripts = render::deb_scripts(service);
  } else {
    content.text = render::rpm_spec(description, files) + render::rpm_scripts(service);
  }
  return content;
}

/// Copies the package into `directory`, atomically. @return its path
std::string copy_package(const std::string& built, const std::string& directory, const std::string& name) {
  const auto target = base::open_host_directory(directory);
  const auto temporary = fmt::format("{}{}", base::temporary_prefix, name);
  base::unlink_at(target.get(), temporary);
  const auto source = base::open_at(AT_FDCWD, built, O_RDONLY);
  const auto file = base::open_at(target.get(), temporary, O_WRONLY | O_CREAT | O_EXCL, 0644);
  base::ScopeExit undo([&]() noexcept { ::unlinkat(target.get(), temporary.c_str(), 0); });
  host::copy_content(source.get(), file.get(), name);
  base::check_errno(::fsync(file.get()), "write " + name);
  base::check_errno(::renameat(target.get(), temporary.c_str(), target.get(), name.c_str()), "name " + name);
  undo.dismiss();
  return base::full_path(target.get(), name);
}

}  // namespace

ContainerPackage make_container_package(Context& context, const InstallRequest& request, const std::string& directory) {
  refuse_options(context, request);
  const auto kind = kind_of_packages(context);
  auto wanted = plan_request(context, request);
  ImageFetcher fetcher(context, {request.image, request.authfile, request.platform, request.login});
  wanted.local = fetcher.local();
  const auto name = request.name.empty() ? image::default_container_name(fetcher.name()) : request.name;
  host::check_container_name(name);

  auto stored = store_with(context, fetcher);
  // On the file system of the repository, because files are hard links to its objects.
  const TempDirectory temp_directory =
      stored ? TempDirectory(TempDirectory::InRepository{context.layout.repository()}, context.reporter)
             : TempDirectory(temporary_files(), context.reporter);
  auto options = store_options(context, temp_directory.path() + "/repository");
  options.read_only = context.layout.read_only_repository();
  auto store = stored ? std::move(*stored) : store::Store::open(options);
  base::check_errno(::mkdirat(temp_directory.directory(), "tree", 0755), "create a directory for the package");
  const auto tree = base::open_directory_at(temp_directory.directory(), "tree");
  auto package = context_for(context, temp_directory.path() + "/tree");
  host::make_deployments_directory(package.layout);

  ContainerPackage result{name, package.layout, {}, kind, ""};
  StagedDeployment staged(package, name, 0, &context.layout);
  staged.check_out(store, fetcher.ensure(store).image);
  refuse_one_off(staged.image_config(), name);
  check_stop(context.stop);
  result.plan = base::in_context([&] { return fmt::format("building a package of {}", name); },
                                 [&] { return staged.plan(wanted); });
  report_plan(context, result.plan);
  if (request.only_plan) {
    return result;
  }
  staged.become_self_contained(result.plan.config);
  staged.write(result.plan);
  auto files = fill(package.layout, tree.get(), result.plan);
  make_packable(tree.get(), kind);
  const host::PackageTool tool(context.layout, kind, std::chrono::seconds(context.config.lock_timeout_seconds),
                               context.stop);
  const auto description = describe(result.plan, staged.image_config());
  tool.build(describe_content(package.layout, result.plan, description, kind, std::move(files)), temp_directory.path());
  const auto built = fmt::format("{}/{}", temp_directory.path(), host::package_file(kind));
  result.file = copy_package(built, directory, tool.file_name_of(built));
  return result;
}

base::Json to_json(const ContainerPackage& package) {
  return {{"name", package.container},
          {"image", package.plan.image},
          {"imageId", package.plan.image_id},
          {"deployment", package.plan.deployment},
          {"package", package.file}};
}

}  // namespace berth::ops
