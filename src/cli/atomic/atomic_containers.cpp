// SPDX-License-Identifier: LGPL-2.1-or-later
// The verbs of `berth atomic` that work on containers.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/error.hpp"
#include "cli/atomic/atomic.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "host/state/deployment.hpp"
#include "ops/containers/container_package.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/list.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/service.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/containers/update.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/mount.hpp"
#include "ops/images/pull.hpp"
#include "source/archive/docker_daemon.hpp"

namespace berth::cli {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* set_help = "Set a template variable; may be given several times";

bool is_installed(const ops::Context& context, const std::string& name) {
  return ops::may_be_container(name) && host::find_deployment(context.layout, name).has_value();
}

std::string container_name(const AtomicOptions& options) {
  return options.name.empty() ? image::default_container_name(image::parse_written_name(without_source(options.target)))
                              : options.name;
}

std::string systemctl(const ops::Context& context) {
  return context.layout.command("systemctl");
}

/// Prints the commands that atomic ran and printed. berth uses the bus of systemd instead.
void print_deployed(const ops::InstallPlan& plan, const ops::Context& context) {
  emit("Extracting to {}\n", plan.deployment);
  for (const auto& planned : plan.files) {
    if (!planned.checksum.empty()) {
      emit("Created file {}\n", planned.file.destination);
    }
  }
  if (plan.unit) {
    emit("{} daemon-reload\n", systemctl(context));
    if (plan.tmpfiles) {
      emit("systemd-tmpfiles --create {}\n", context.layout.tmpfiles_in_root(plan.name));
    }
    emit("{} enable {}\n", systemctl(context), plan.name);
  }
}

void check_mode(const AtomicOptions& options, const CommandLine& line) {
  if (options.user && ::geteuid() == 0) {
    throw Error(ErrorKind::failed, "--user does not work for privileged user",
                "omit it: the container is installed for the whole system");
  }
  if (!options.storage.empty() && options.storage != "ostree" && line.globals.system) {
    throw Error(ErrorKind::failed, "The --system and --user options are only available for the 'ostree' storage.");
  }
  check_storage(options);
}

int run_pull(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  if (!options.storage.empty() && options.storage != "ostree") {
    throw Error(ErrorKind::failed, "Destination not known, please choose --storage=ostree");
  }
  emit("Image {} is being pulled to ostree ...\n", options.target);
  std::fflush(stdout);
  ops::pull(context, {berth_reference(options.target), "", "", options.login});
  return exit_ok;
}

ops::InstallRequest install_request(const AtomicOptions& options, const std::string& name, const CommandLine& line) {
  ops::InstallRequest request;
  request.image = berth_reference(options.target);
  request.name = name;
  request.set = line.values;
  request.runtime = options.runtime;
  request.rootfs = options.rootfs;
  request.system_package = options.system_package;
  request.login = options.login;
  request.only_plan = options.display;
  return request;
}

int build_package(const ops::InstallRequest& request, ops::Context& context) {
  const auto package = ops::make_container_package(context, request, ".");
  if (request.only_plan) {
    emit("Extracting to {}\n", package.plan.deployment);
  } else {
    emit("Generated {} {}\n", package.kind == host::PackageKind::deb ? "deb" : "rpm", package.file);
  }
  return exit_ok;
}

int run_once(const AtomicOptions& options, const std::string& name, const CommandLine& line, ops::Context& context) {
  const ImageOptions image{berth_reference(options.target), options.runtime, "", options.login, ""};
  const auto request = run_request(image, name, line.values, options.command, line);
  return run_attached(line, [&] { return ops::run_image(context, request); });
}

int install(const AtomicOptions& options, const std::string& name, const CommandLine& line, ops::Context& context) {
  check_mode(options, line);
  const auto request = install_request(options, name, line);
  if (request.system_package == "build") {
    return build_package(request, context);
  }
  const auto outcome = ops::install(context, request);
  if (outcome.already_present) {
    emit("{} already present\n", outcome.name);
    return exit_ok;
  }
  if (!outcome.plan) {
    return run_once(options, name, line, context);
  }
  if (request.only_plan) {
    emit("Extracting to {}\n", outcome.plan->deployment);
  } else {
    print_deployed(*outcome.plan, context);
  }
  return exit_ok;
}

int run_install(const AtomicOptions& options, const CommandLine& line, ops::Context& context) {
  return install(options, options.name, line, context);
}

void print_uninstalled(const ops::Context& context, const std::string& name) {
  emit("{0} disable --now {1}\n{0} daemon-reload\n", systemctl(context), name);
}

int run_uninstall(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  check_storage(options);
  if (!options.name.empty()) {
    throw Error(ErrorKind::failed, "System containers do not support --name. Please use atomic uninstall NAME");
  }
  const auto& name = options.target;
  const bool installed = is_installed(context, name);
  if (installed && options.display) {
    print_uninstalled(context, name);
    return exit_ok;
  }
  if (installed || (!options.display && ops::may_be_container(name))) {
    if (const auto outcome = ops::uninstall_if_installed(context, name)) {
      for (const auto& path : outcome->kept_files) {
        context.reporter.warning(fmt::format("{} was edited and is kept", path));
      }
      print_uninstalled(context, name);
      return exit_ok;
    }
  }
  const auto store = store::Store::open_existing(ops::store_options(context));
  if (store && ops::find_by_name(*store, without_source(name))) {
    return exit_ok;  // an image alone has nothing on the host to remove
  }
  throw Error(ErrorKind::not_found, fmt::format("Unable to find '{}' in the following backends: ostree", name));
}

int start_service(ops::Context& context, const std::string& name) {
  emit("{} start {}\n", systemctl(context), name);
  std::fflush(stdout);
  ops::start(context, name);
  return exit_ok;
}

int run_in_container(const AtomicOptions& options, const std::string& name, const CommandLine& line,
                     ops::Context& context) {
  const auto request = run_request({name, "", "", "", ""}, "", {}, options.command, line);
  return run_attached(line, [&] { return ops::run(context, request); });
}

/// Starts a container or runs the command in it. An image is installed and started, or runs the command once.
int run_run(const AtomicOptions& options, const CommandLine& line, ops::Context& context) {
  check_storage(options);
  const auto name = container_name(options);
  const bool installed = is_installed(context, name);
  if (options.display) {
    emit("{} start {}\n", systemctl(context), name);
    return exit_ok;
  }
  if (!options.command.command.empty()) {
    return installed ? run_in_container(options, name, line, context) : run_once(options, "", line, context);
  }
  if (!installed) {
    if (const int code = install(options, name, line, context); code != exit_ok || !is_installed(context, name)) {
      return code;
    }
  }
  return start_service(context, name);
}

int run_stop(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto& name = options.target;
  if (!is_installed(context, name)) {
    throw Error(ErrorKind::not_found, fmt::format("Unable to find backend associated with container '{}'", name));
  }
  emit("{} stop {}\n", systemctl(context), name);
  std::fflush(stdout);
  if (!options.display) {
    ops::stop(context, name);
  }
  return exit_ok;
}

int run_mount(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  check_storage(options);
  if (options.live) {
    throw Error(ErrorKind::failed, "The OSTree backend and system containers do not support --live",
                "without --live the files are shown read-only");
  }
  const auto name = without_source(options.target);
  if (options.storage.empty() && !is_installed(context, name) &&
      source::daemon_has_image(name, ops::source_options(context, ""))) {
    throw Error(ErrorKind::failed,
                fmt::format("Found more than one Image with name {}; please specify with --storage.", name));
  }
  ops::mount_view(context, name, options.destination);
  return exit_ok;
}

int run_umount(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  ops::unmount_view(context, options.destination);
  return exit_ok;
}

void print_updated(const ops::Context& context, const std::string& name) {
  const auto deployment = host::installed_deployment(context.layout, name);
  emit("Extracting to {}\n{} daemon-reload\n", context.layout.deployment_in_root(name, deployment.slot),
       systemctl(context));
}

void refuse_not_installed(const ops::Context& context, const std::string& name) {
  if (!is_installed(context, name)) {
    throw Error(ErrorKind::not_found, fmt::format("System container '{}' is not installed", name));
  }
}

const char* status_of(const ops::UpdateRow& row) {
  if (row.error) {
    return "Failed";
  }
  return row.outcome.changed ? "Updated now" : "Updated";
}

/// The images that are stored decide, and nothing is fetched.
/// @param gate whether the started service is judged
ops::UpdateRequest update_request(const AtomicOptions& options, const std::string& name, const CommandLine& line,
                                  bool gate) {
  ops::UpdateRequest request;
  request.name = name;
  request.rebase = options.rebase.empty() ? "" : berth_reference(options.rebase);
  request.pull = false;
  request.set = line.values;
  request.gate.enabled = gate;
  return request;
}

int update_all(const AtomicOptions& options, const CommandLine& line, ops::Context& context) {
  if (!line.values.empty() || !options.rebase.empty()) {
    throw Error(ErrorKind::failed, "--all cannot be used with --set or --rebase");
  }
  const auto rows = ops::update_all(context, update_request(options, "", line, true));
  constexpr const char* columns = "{:15} {:32} {:32} {:32} {:15}\n";
  for (const auto& row : rows) {
    emit("Checking container {}...\n", row.container);
    if (row.error) {
      line.complain(*row.error);
    }
  }
  emit("\nSUMMARY\n\n");
  emit(fmt::runtime(columns), "Container", "Image ID before update", "Image ID after update", "Latest image ID",
       "Status");
  constexpr std::size_t digits = 32;
  for (const auto& row : rows) {
    emit(fmt::runtime(columns), row.container, row.outcome.id_before.substr(0, digits),
         row.outcome.id_after.substr(0, digits), row.outcome.id_latest.substr(0, digits), status_of(row));
  }
  return exit_ok;
}

int run_update(const AtomicOptions& options, const CommandLine& line, ops::Context& context) {
  if (options.all) {
    return update_all(options, line, context);
  }
  const auto& name = options.target;
  if (name.empty()) {
    throw Error(ErrorKind::failed, "Too few arguments: the name of a container, or --all, is missing");
  }
  refuse_not_installed(context, name);
  const auto request = update_request(options, name, line, false);
  if (!request.rebase.empty()) {
    ops::pull_absent(context, {request.rebase, "", ""});
  }
  if (ops::update(context, request).changed) {
    print_updated(context, name);
  } else {
    emit("Latest version already installed.\n");
  }
  return exit_ok;
}

int run_rollback(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto& name = options.target;
  refuse_not_installed(context, name);
  emit("Attempting to roll back system container: {}\n", name);
  std::fflush(stdout);
  ops::GateOptions gate;
  gate.enabled = false;
  ops::rollback(context, {name, gate});
  const auto deployment = host::installed_deployment(context.layout, name);
  emit("Rolling back container {} to the checkout at {}\n", name,
       context.layout.deployment_in_root(name, deployment.slot));
  return exit_ok;
}

std::vector<ops::ContainerRow> rows_to_delete(const AtomicOptions& options, ops::Context& context) {
  auto rows = ops::list_containers(context, {true, {}});
  if (options.all) {
    std::erase_if(rows, [](const ops::ContainerRow& row) { return row.preinstalled; });
    return rows;
  }
  for (const auto& name : options.names) {
    if (std::none_of(rows.begin(), rows.end(), [&](const auto& row) { return row.name == name; })) {
      throw Error(ErrorKind::not_found, fmt::format("Unable to find backend associated with container '{}'", name));
    }
  }
  std::erase_if(rows, [&](const ops::ContainerRow& row) {
    return std::find(options.names.begin(), options.names.end(), row.name) == options.names.end();
  });
  return rows;
}

int run_delete(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  check_storage(options);
  if (options.all == !options.names.empty()) {
    throw Error(ErrorKind::failed, "You must select --all or provide a list of containers to delete.");
  }
  const auto rows = rows_to_delete(options, context);
  if (rows.empty()) {
    throw Error(ErrorKind::failed, "No containers to delete");
  }
  emit("{}\n\n", options.assume_yes ? "The following containers will be deleted."
                                    : "Do you wish to delete the following containers?");
  constexpr const char* columns = "   {:12} {:20} {:25} {:10}\n";
  emit(fmt::runtime(columns), "ID", "NAME", "IMAGE_NAME", "STORAGE");
  for (const auto& row : rows) {
    emit(fmt::runtime(columns), row.name.substr(0, 12), row.name.substr(0, 20), row.image.substr(0, 25), "ostree");
  }
  if (!confirmed(options, options.all ? "all containers" : fmt::format("['{}']", fmt::join(options.names, "', '")))) {
    return exit_declined;
  }
  for (const auto& row : rows) {
    ops::uninstall(context, row.name);
  }
  return exit_ok;
}

void add_login(const Subcommand& verb, AtomicOptions& options) {
  verb.add_option(credentials_option, options.login, "Login for the registry").type_name("USER[:PASSWORD]");
}

void add_name(const Subcommand& verb, AtomicOptions& options, const std::string& description) {
  verb.add_option("-n,--name", options.name, description).type_name("NAME");
}

void add_pull(const Subcommand& atomic, const AtomicParser& parser) {
  auto& options = *parser.options;
  auto verb = add_atomic_verb(
      atomic, parser, {.name = "pull", .order = 0, .summary = "Fetch an image into the store", .needs_root = true},
      run_pull);
  verb.add_option("IMAGE", options.target, "[SOURCE:]IMAGE").required();
  add_login(verb, options);
  verb.add_option("-t,--type", options.ignored_value, "Accepted; has no effect").type_name("TYPE");
  add_storage(verb, options);
}

void add_install(const Subcommand& atomic, const AtomicParser& parser) {
  auto& options = *parser.options;
  auto verb = add_atomic_verb(
      atomic, parser, {.name = "install", .order = 0, .summary = "Install a system container", .needs_root = true},
      run_install);
  verb.add_option("IMAGE", options.target, "[SOURCE:]IMAGE").required();
  add_name(verb, options, "Name of the container");
  add_set_alone(verb, parser.line.set, set_help);
  verb.add_option("--rootfs", options.rootfs, "Use this root file system").type_name("DIR");
  add_runtime(verb, options.runtime);
  verb.add_option("--system-package", options.system_package, "Host files as a package").type_name("MODE");
  add_login(verb, options);
  verb.add_flag("--system", parser.line.globals.system, "Install for the whole system, which is the default");
  verb.add_flag("--user", options.user, "Refused for root");
  verb.add_flag("--display", options.display, "Show the deployment directory and change nothing");
  add_storage(verb, options);
}

void add_run(const Subcommand& atomic, const AtomicParser& parser) {
  auto& options = *parser.options;
  auto verb = add_atomic_verb(
      atomic, parser,
      {.name = "run", .order = 0, .summary = "Start a container, or run a command in it", .needs_root = true}, run_run);
  verb.add_option("IMAGE|NAME", options.target, "A container, or an image, which is installed first").required();
  verb.add_option("COMMAND", options.command.command, "What to run, with its arguments");
  add_name(verb, options, "Name of the container");
  add_set_alone(verb, parser.line.set, set_help);
  add_runtime(verb, options.runtime);
  verb.add_flag("-d,--detach", options.command.detach, "Do not wait; only in a running container");
  verb.add_flag("--display", options.display, "Show what would be done");
  verb.add_flag("-q,--quiet,-r,--replace,--spc", options.ignored, "Accepted; has no effect");
  add_storage(verb, options);
}

void add_services(const Subcommand& atomic, const AtomicParser& parser) {
  auto& options = *parser.options;
  auto uninstall = add_atomic_verb(
      atomic, parser, {.name = "uninstall", .order = 0, .summary = "Stop and remove a container", .needs_root = true},
      run_uninstall);
  uninstall.add_option("NAME", options.target, "A container; an image needs no uninstall").required();
  add_name(uninstall, options, "Refused");
  uninstall.add_flag("--display", options.display, "Show what would be done");
  uninstall.add_flag("-f,--force", options.force, "Accepted; has no effect");
  add_storage(uninstall, options);
  auto stop = add_atomic_verb(
      atomic, parser, {.name = "stop", .order = 0, .summary = "Stop the service of a container", .needs_root = true},
      run_stop);
  stop.add_option("NAME", options.target, "A container").required();
  stop.add_flag("--display", options.display, "Show what would be done");
}

void add_mounts(const Subcommand& atomic, const AtomicParser& parser) {
  auto& options = *parser.options;
  auto mount = add_atomic_verb(atomic, parser,
                               {.name = "mount",
                                .order = 0,
                                .summary = "Mount the files of an image or container, read-only",
                                .needs_root = true},
                               run_mount);
  mount.add_option("IMAGE|NAME", options.target, "An image, or a container").required();
  mount.add_option("DIR", options.destination, "An existing directory").required();
  mount.add_option("-o,--options", options.ignored_value, "Accepted; always ro,nodev,nosuid").type_name("LIST");
  mount.add_flag("--live", options.live, "Refused");
  mount.add_flag("--shared", options.ignored, "Accepted; has no effect");
  add_storage(mount, options);
  auto umount = add_atomic_verb(
      atomic, parser, {.name = "umount", .order = 0, .summary = "Unmount the files shown by mount", .needs_root = true},
      run_umount);
  umount.add_alias("unmount");
  umount.add_option("DIR", options.destination, "The directory that was given to mount").required();
}

}  // namespace

void add_atomic_changes(const Subcommand& containers, const AtomicParser& parser) {
  auto& options = *parser.options;
  auto update = add_atomic_verb(containers, parser,
                                {.name = "update",
                                 .order = 0,
                                 .summary = "Update a container to the stored version of its image",
                                 .needs_root = true},
                                run_update);
  update.add_option("NAME", options.target, "A container");
  add_set_alone(update, parser.line.set, set_help);
  update.add_option("--rebase", options.rebase, "Another image").type_name("IMAGE");
  update.add_flag("-a,--all", options.all, "All containers");
  auto rollback = add_atomic_verb(
      containers, parser,
      {.name = "rollback", .order = 0, .summary = "Return to the other deployment", .needs_root = true}, run_rollback);
  rollback.add_option("NAME", options.target, "A container").required();
  auto remove = add_atomic_verb(
      containers, parser,
      {.name = "delete", .order = 0, .summary = "Stop and remove containers, after confirmation", .needs_root = true},
      run_delete);
  remove.add_option("NAME", options.names, "Containers");
  remove.add_flag("-a,--all", options.all, "All containers");
  remove.add_flag("-f,--force", options.force, "Accepted; has no effect");
  add_storage(remove, options);
}

void add_atomic_containers(const Subcommand& atomic, const AtomicParser& parser) {
  add_pull(atomic, parser);
  add_install(atomic, parser);
  add_run(atomic, parser);
  add_services(atomic, parser);
  add_mounts(atomic, parser);
}

}  // namespace berth::cli
