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

void refuse_options(const Session& session, const InstallRequest& request) {
  const auto refuse = [](std::string_view what, std::string hint) {
    throw Error(ErrorKind::usage, fmt::format("--system-package=build {}", what), std::move(hint));
  };
  if (session.layout.user()) {
    refuse("makes containers of the system, not of users", "run it as root");
  }
  if (session.layout.preinstalling()) {
    refuse("and --preinstall exclude each other", "install the package into the folder of --root when it is made");
  }
  if (!request.rootfs.empty()) {
    refuse("and --rootfs exclude each other", "the files of the image go into the package");
  }
  if (request.start) {
    refuse("and --now exclude each other", "the container starts where the package is installed");
  }
}

host::PackageKind kind_of_packages(const Session& session) {
  if (const auto kind = host::package_kind(session.layout)) {
    return *kind;
  }
  throw Error(ErrorKind::failed, "this host has no packages: neither the database of dpkg nor that of rpm is there",
              "make the package on a host of the kind that it is for");
}

PlanRequest plan_request(const Session& session, const InstallRequest& request) {
  PlanRequest wanted;
  wanted.set = parse_set(request.set);
  wanted.uuid = host::random_uuid();
  wanted.runtime = host::find_runtime(
      session.layout, request.runtime.empty() ? session.runtime_override : request.runtime, session.config.runtimes);
  return wanted;
}

void refuse_one_off(const image::ImageConfig& config, const std::string& name) {
  if (runs_once(config)) {
    throw Error(ErrorKind::failed,
                fmt::format("{} is run once (label atomic.run), so there is nothing to install", name),
                "run it with berth run");
  }
}

/// This machine for everything but places: those are below the /usr of the folder `root`.
Session session_for(const Session& session, const std::string& root) {
  host::LayoutSettings settings;
  settings.root = root;
  settings.preinstalling = true;
  Session staged = session;
  staged.layout = host::Layout(std::move(settings));
  staged.facts = host::offline_facts();
  return staged;
}

/// The store of this machine when it has the image. What is not stored here is not stored afterwards, either.
std::optional<store::Store> store_with(const Session& session, const ImageOrigin& origin) {
  auto store = origin.local() ? std::nullopt : store::Store::open_existing(store_options(session));
  const auto found = store ? store->look_up(origin.name()) : std::nullopt;
  return found && !found->elsewhere ? std::move(store) : std::nullopt;
}

std::string add_text(int tree, std::string path, const std::string& text) {
  const auto [folder, name] = base::split_path(path.substr(1));
  base::make_folders_at(tree, folder, 0755);
  base::create_file_at(base::open_folder_at(tree, folder).get(), name, text, 0644);
  return path;
}

/// Completes the tree with what an install would put outside the deployment.
/// @return those files, absolute inside the tree, but for the host files
std::vector<render::PackagedFile> fill(const host::Layout& layout, int tree, const InstallPlan& plan) {
  const auto place = base::open_host_folder(layout.deployments());
  const auto folder = host::slot_name(plan.name, plan.slot);
  base::check_errno(::renameat(place.get(), staging_name(plan.name).c_str(), place.get(), folder.c_str()),
                    "name the deployment");
  base::check_errno(::symlinkat(folder.c_str(), place.get(), plan.name.c_str()), "make the link " + plan.name);
  create_host_files(tree, base::open_folder_at(place.get(), folder + "/rootfs").get(), plan);
  std::vector<render::PackagedFile> files = {{layout.deployment_inside(plan.name, plan.slot)},
                                             {fmt::format("{}/{}", layout.deployments_inside(), plan.name)}};
  if (plan.unit) {
    const auto unit = host::unit_name(plan.name);
    files.push_back({add_text(tree, layout.unit_inside(plan.name), *plan.unit)});
    const auto section = host::parse_install_section(*plan.unit, unit);
    for (auto& link : host::make_unit_links(tree, unit, section, layout.units_inside())) {
      files.push_back({std::move(link)});
    }
  } else {
    base::remove_tree_at(place.get(), folder + "/rootfs");  // only the host files matter
  }
  if (plan.tmpfiles) {
    files.push_back({add_text(tree, layout.tmpfiles_inside(plan.name), *plan.tmpfiles)});
  }
  return files;
}

render::PackageDescription describe(const InstallPlan& plan, const image::ImageConfig& config) {
  std::map<std::string, std::string> labels(config.labels.begin(), config.labels.end());
  labels.emplace("summary", fmt::format("the system container {}", plan.name));
  auto description = render::describe_package(plan.name, labels, plan.image, config.platform.architecture,
                                              plan.info.created, plan.image_id);
  // Not the name of the package of an installed container, which may stand beside it and brings host files only.
  description.name += "-preinstalled";
  for (const char* program : {"runc", "crun"}) {  // both are the names of packages, too
    if (plan.runtime.ends_with(fmt::format("/{}", program))) {
      description.recommendation = program;
    }
  }
  return description;
}

/// What the package manager is told. The files of the deployment are one entry: a folder with all that is in it.
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

/// The package under its own name in `folder`, complete or not at all.
std::string hand_over(const std::string& made, const std::string& folder, const std::string& name) {
  const auto target = base::open_host_folder(folder);
  const auto temporary = fmt::format("{}{}", base::temporary_prefix, name);
  base::unlink_at(target.get(), temporary);
  const auto source = base::open_at(AT_FDCWD, made, O_RDONLY);
  const auto file = base::open_at(target.get(), temporary, O_WRONLY | O_CREAT | O_EXCL, 0644);
  base::ScopeExit undo([&]() noexcept { ::unlinkat(target.get(), temporary.c_str(), 0); });
  host::copy_content(source.get(), file.get(), name);
  base::check_errno(::fsync(file.get()), "write " + name);
  base::check_errno(::renameat(target.get(), temporary.c_str(), target.get(), name.c_str()), "name " + name);
  undo.dismiss();
  return base::full_path(target.get(), name);
}

}  // namespace

ContainerPackage make_container_package(Session& session, const InstallRequest& request, const std::string& folder) {
  refuse_options(session, request);
  const auto kind = kind_of_packages(session);
  auto wanted = plan_request(session, request);
  ImageOrigin origin(session, {request.image, request.authfile, request.platform, request.login});
  wanted.local = origin.local();
  const auto name = request.name.empty() ? image::default_container_name(origin.name()) : request.name;
  host::check_container_name(name);

  auto stored = store_with(session, origin);
  // Files are linked from the repository, so they have to be on its file system.
  const Workplace place = stored ? Workplace(Workplace::InRepository{session.layout.repository()}, session.reporter)
                                 : Workplace(temporary_files(), session.reporter);
  auto options = store_options(session, place.path() + "/repository");
  options.read_only = session.layout.read_only_repository();
  auto store = stored ? std::move(*stored) : store::Store::open(options);
  base::check_errno(::mkdirat(place.folder(), "tree", 0755), "make a folder for the package");
  const auto tree = base::open_folder_at(place.folder(), "tree");
  auto staged = session_for(session, place.path() + "/tree");
  host::make_deployments_folder(staged.layout);

  ContainerPackage result{name, staged.layout, {}, kind, ""};
  Preparation preparation(staged, name, 0, &session.layout);
  preparation.check_out(store, origin.ensure(store).image);
  refuse_one_off(preparation.image_config(), name);
  check_stop(session.stop);
  result.plan = base::in_context([&] { return fmt::format("making a package of {}", name); },
                                 [&] { return preparation.plan(wanted); });
  report_plan(session, result.plan);
  if (request.only_plan) {
    return result;
  }
  preparation.become_self_contained(result.plan.config);
  preparation.write(result.plan);
  auto files = fill(staged.layout, tree.get(), result.plan);
  make_packable(tree.get(), kind);
  const host::PackageTool tool(session.layout, kind, std::chrono::seconds(session.config.lock_timeout_seconds),
                               session.stop);
  const auto description = describe(result.plan, preparation.image_config());
  tool.build(describe_content(staged.layout, result.plan, description, kind, std::move(files)), place.path());
  const auto made = fmt::format("{}/{}", place.path(), host::package_file(kind));
  result.file = hand_over(made, folder, tool.file_name_of(made));
  return result;
}

}  // namespace berth::ops
