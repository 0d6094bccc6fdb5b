#include "cli/atomic/atomic.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "base/error.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/verbs/command.hpp"
#include "host/state/deployment.hpp"
#include "ops/containers/container_package.hpp"
#include "ops/containers/query.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/service.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/mount.hpp"
#include "render/template/template.hpp"
#include "source/archive/docker_daemon.hpp"

namespace berth::cli {

namespace {

using base::Error;
using base::ErrorKind;

constexpr int exit_declined = 2;
constexpr std::string_view credentials_option = "--src-creds";

bool take_word(std::string& text, std::string_view word) {
  if (!text.starts_with(word)) {
    return false;
  }
  text.erase(0, word.size());
  return true;
}

bool is_installed(const ops::Context& context, const std::string& name) {
  return name.find_first_of("/:@") == std::string::npos && host::find_deployment(context.layout, name).has_value();
}

std::string container_name(const CommandLine& line, const std::string& image) {
  return line.older.name.empty() ? image::default_container_name(image::parse_written_name(without_source(image)))
                                 : line.older.name;
}

std::string systemctl(const ops::Context& context) {
  return context.layout.command("systemctl");
}

/// What the older tool showed of its own commands; ours go to systemd over the bus.
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

void check_mode(const CommandLine& line) {
  if (line.older.user && ::geteuid() == 0) {
    throw Error(ErrorKind::failed, "--user does not work for privileged user",
                "leave it out: the container is installed for the whole system");
  }
  if (!line.older.storage.empty() && line.older.storage != "ostree" && line.globals.system) {
    throw Error(ErrorKind::failed, "The --system and --user options are only available for the 'ostree' storage.");
  }
  check_storage(line);
}

int run_pull(CommandLine& line, ops::Context& context) {
  if (!line.older.storage.empty() && line.older.storage != "ostree") {
    throw Error(ErrorKind::failed, "Destination not known, please choose --storage=ostree");
  }
  emit("Image {} is being pulled to ostree ...\n", line.pull.image);
  std::fflush(stdout);
  line.pull.image = our_reference(line.pull.image);
  ops::pull(context, line.pull);
  return exit_ok;
}

int run_build(const CommandLine& line, ops::Context& context) {
  const auto package = ops::make_container_package(context, line.install, ".");
  if (line.display) {
    emit("Extracting to {}\n", package.plan.deployment);
  } else {
    emit("Generated {} {}\n", package.kind == host::PackageKind::deb ? "deb" : "rpm", package.file);
  }
  return exit_ok;
}

/// @return nullopt when it went as the status tells
int run_install(CommandLine& line, ops::Context& context) {
  check_mode(line);
  auto& request = line.install;
  request.image = our_reference(request.image);
  request.only_plan = line.display;
  if (request.system_package == "build") {
    return run_build(line, context);
  }
  const auto outcome = ops::install(context, request);
  if (outcome.already_present) {
    emit("{} already present\n", outcome.name);
    return exit_ok;
  }
  if (!outcome.plan) {
    return run_image_once(line, context);
  }
  if (line.display) {
    emit("Extracting to {}\n", outcome.plan->deployment);
  } else {
    print_deployed(*outcome.plan, context);
  }
  return exit_ok;
}

void print_uninstalled(const ops::Context& context, const std::string& name) {
  emit("{0} disable --now {1}\n{0} daemon-reload\n", systemctl(context), name);
}

int run_uninstall(CommandLine& line, ops::Context& context) {
  check_storage(line);
  if (!line.older.name.empty()) {
    throw Error(ErrorKind::failed, "System containers do not support --name. Please use atomic uninstall NAME");
  }
  const auto& name = line.image;
  const bool installed = is_installed(context, name);
  if (installed && line.display) {
    print_uninstalled(context, name);
    return exit_ok;
  }
  if (installed || (!line.display && name.find_first_of("/:@") == std::string::npos)) {
    try {
      for (const auto& path : ops::uninstall(context, name).kept_files) {
        context.reporter.warning(fmt::format("{} was edited and stays", path));
      }
      print_uninstalled(context, name);
      return exit_ok;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found) {
        throw;
      }
    }
  }
  const auto store = store::Store::open_existing(ops::store_options(context));
  if (store && ops::find_by_name(*store, without_source(name))) {
    return exit_ok;  // an image leaves nothing on the host that an uninstall could remove
  }
  throw Error(ErrorKind::not_found, fmt::format("Unable to find '{}' in the following backends: ostree", name));
}

int start_service(ops::Context& context, const std::string& name) {
  emit("{} start {}\n", systemctl(context), name);
  std::fflush(stdout);
  ops::start(context, name);
  return exit_ok;
}

/// A container starts, or runs the command; an image is installed and started, or runs the command once.
int run_run(CommandLine& line, ops::Context& context) {
  check_storage(line);
  const auto image = line.names.front();
  const auto name = container_name(line, image);
  const bool installed = is_installed(context, name);
  if (line.display) {
    emit("{} start {}\n", systemctl(context), name);
    return exit_ok;
  }
  if (!line.command.command.empty()) {
    if (installed) {
      return run_in_container(line, context, name);
    }
    line.install.image = our_reference(image);
    return run_image_once(line, context);
  }
  if (!installed) {
    line.install.image = image;
    line.install.name = name;
    if (const int code = run_install(line, context); code != exit_ok || !is_installed(context, name)) {
      return code;
    }
  }
  return start_service(context, name);
}

int run_stop(const CommandLine& line, ops::Context& context) {
  if (!is_installed(context, line.image)) {
    throw Error(ErrorKind::not_found, fmt::format("Unable to find backend associated with container '{}'", line.image));
  }
  emit("{} stop {}\n", systemctl(context), line.image);
  std::fflush(stdout);
  if (!line.display) {
    ops::stop(context, line.image);
  }
  return exit_ok;
}

int run_mount(CommandLine& line, ops::Context& context) {
  check_storage(line);
  if (line.live) {
    throw Error(ErrorKind::failed, "The OSTree backend and system containers do not support --live",
                "without --live the files are shown read-only");
  }
  const auto name = without_source(line.image);
  if (line.older.storage.empty() && !is_installed(context, name) &&
      source::daemon_has_image(name, ops::source_options(context, ""))) {
    throw Error(ErrorKind::failed,
                fmt::format("Found more than one Image with name {}; please specify with --storage.", name));
  }
  ops::mount_view(context, name, line.target);
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

int update_all(const CommandLine& line, ops::Context& context) {
  if (!line.update.set.empty() || !line.update.rebase.empty()) {
    throw Error(ErrorKind::failed, "--all cannot be used with --set or --rebase");
  }
  const auto rows = ops::update_all(context, line.update);
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

/// The older tool looks at what is stored; only an image to rebase to is fetched, when it is absent.
int run_update(CommandLine& line, ops::Context& context) {
  auto& request = line.update;
  request.pull = false;
  if (line.every) {
    return update_all(line, context);
  }
  if (line.names.empty()) {
    throw Error(ErrorKind::failed, "Too few arguments: the name of a container, or --all, is missing");
  }
  request.name = line.names.front();
  refuse_not_installed(context, request.name);
  request.gate.enabled = false;
  if (!request.rebase.empty()) {
    request.rebase = our_reference(request.rebase);
    ops::pull_absent(context, {request.rebase, "", ""});
  }
  if (ops::update(context, request).changed) {
    print_updated(context, request.name);
  } else {
    emit("Latest version already installed.\n");
  }
  return exit_ok;
}

int run_rollback(const CommandLine& line, ops::Context& context) {
  const auto& name = line.names.front();
  refuse_not_installed(context, name);
  emit("Attempting to roll back system container: {}\n", name);
  std::fflush(stdout);
  ops::RollbackRequest request{name, {}};
  request.gate.enabled = false;
  ops::rollback(context, request);
  const auto deployment = host::installed_deployment(context.layout, name);
  emit("Rolling back container {} to the checkout at {}\n", name,
       context.layout.deployment_in_root(name, deployment.slot));
  return exit_ok;
}

std::vector<ops::ContainerRow> doomed(const CommandLine& line, ops::Context& context) {
  auto rows = ops::list_containers(context, {true, {}});
  if (line.every) {
    std::erase_if(rows, [](const ops::ContainerRow& row) { return row.preinstalled; });
  } else {
    for (const auto& name : line.names) {
      if (std::none_of(rows.begin(), rows.end(), [&](const auto& row) { return row.name == name; })) {
        throw Error(ErrorKind::not_found, fmt::format("Unable to find backend associated with container '{}'", name));
      }
    }
    std::erase_if(rows, [&](const ops::ContainerRow& row) {
      return std::find(line.names.begin(), line.names.end(), row.name) == line.names.end();
    });
  }
  return rows;
}

int run_delete(const CommandLine& line, ops::Context& context) {
  check_storage(line);
  if (line.every == !line.names.empty()) {
    throw Error(ErrorKind::failed, "You must select --all or provide a list of containers to delete.");
  }
  const auto rows = doomed(line, context);
  if (rows.empty()) {
    throw Error(ErrorKind::failed, "No containers to delete");
  }
  emit("{}\n\n", line.older.assume_yes ? "The following containers will be deleted."
                                       : "Do you wish to delete the following containers?");
  constexpr const char* columns = "   {:12} {:20} {:25} {:10}\n";
  emit(fmt::runtime(columns), "ID", "NAME", "IMAGE_NAME", "STORAGE");
  for (const auto& row : rows) {
    emit(fmt::runtime(columns), row.name.substr(0, 12), row.name.substr(0, 20), row.image.substr(0, 25), "ostree");
  }
  if (!confirmed(line, line.every ? "all containers" : fmt::format("['{}']", fmt::join(line.names, "', '")))) {
    return exit_declined;
  }
  for (const auto& row : rows) {
    ops::uninstall(context, row.name);
  }
  return exit_ok;
}

void add_set(CLI::App& verb, std::vector<std::string>& set) {
  verb.add_option("--set", set, "Set a template variable; may be given several times")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

void add_atomic_pull(CLI::App& atomic, CommandLine& line) {
  auto* verb = add_atomic_verb(atomic, line, "pull", "Fetch an image into the store", true,
                               [&line](ops::Context& context) { return run_pull(line, context); });
  verb->add_option("IMAGE", line.pull.image, "[SOURCE:]IMAGE")->required();
  verb->add_option("--src-creds", line.pull.login, "Login for the registry")->type_name("USER[:PASSWORD]");
  verb->add_option("-t,--type", line.older.options, "Accepted, and of no effect")->type_name("TYPE");
  add_storage(*verb, line);
}

void add_atomic_install(CLI::App& atomic, CommandLine& line) {
  auto& request = line.install;
  auto* verb = add_atomic_verb(atomic, line, "install", "Install a system container", true,
                               [&line](ops::Context& context) { return run_install(line, context); });
  verb->add_option("IMAGE", request.image, "[SOURCE:]IMAGE")->required();
  verb->add_option("-n,--name", request.name, "Name of the container")->type_name("NAME");
  add_set(*verb, request.set);
  verb->add_option("--rootfs", request.rootfs, "Use this root file system")->type_name("DIR");
  verb->add_option("--runtime", request.runtime, "OCI runtime to use")->type_name("PATH");
  verb->add_option("--system-package", request.system_package, "Host files as a package")->type_name("MODE");
  verb->add_option("--src-creds", request.login, "Login for the registry")->type_name("USER[:PASSWORD]");
  verb->add_flag("--system", line.globals.system, "Install for the whole system, which is the default");
  verb->add_flag("--user", line.older.user, "Refused for root");
  verb->add_flag("--display", line.display, "Say where it would go and change nothing");
  add_storage(*verb, line);
}

void add_atomic_run(CLI::App& atomic, CommandLine& line) {
  auto* verb = add_atomic_verb(atomic, line, "run", "Start a container, or run a command in it", true,
                               [&line](ops::Context& context) { return run_run(line, context); });
  verb->add_option("IMAGE|NAME", line.names, "A container, or an image, which is installed first")
      ->required()
      ->expected(1)
      ->allow_extra_args(false);
  verb->add_option("COMMAND", line.command.command, "What to run, with its arguments");
  verb->add_option("-n,--name", line.older.name, "Name of the container")->type_name("NAME");
  add_set(*verb, line.install.set);
  verb->add_option("--runtime", line.install.runtime, "OCI runtime to use")->type_name("PATH");
  verb->add_flag("-d,--detach", line.command.detach, "Do not wait; only in a running container");
  verb->add_flag("--display", line.display, "Say what would be done");
  verb->add_flag("-q,--quiet,-r,--replace,--spc", line.older.accepted, "Accepted, and of no effect");
  add_storage(*verb, line);
}

void add_atomic_services(CLI::App& atomic, CommandLine& line) {
  auto* uninstall = add_atomic_verb(atomic, line, "uninstall", "Stop and remove a container", true,
                                    [&line](ops::Context& context) { return run_uninstall(line, context); });
  uninstall->add_option("NAME", line.image, "A container; an image needs no uninstall")->required();
  uninstall->add_option("-n,--name", line.older.name, "Refused")->type_name("NAME");
  uninstall->add_flag("--display", line.display, "Say what would be done");
  uninstall->add_flag("-f,--force", line.force, "Accepted, and of no effect");
  add_storage(*uninstall, line);
  auto* stop = add_atomic_verb(atomic, line, "stop", "Stop the service of a container", true,
                               [&line](ops::Context& context) { return run_stop(line, context); });
  stop->add_option("NAME", line.image, "A container")->required();
  stop->add_flag("--display", line.display, "Say what would be done");
}

void add_atomic_mounts(CLI::App& atomic, CommandLine& line) {
  auto* mount = add_atomic_verb(atomic, line, "mount", "Show the files of an image or container, read-only", true,
                                [&line](ops::Context& context) { return run_mount(line, context); });
  mount->add_option("IMAGE|NAME", line.image, "An image, or a container")->required();
  mount->add_option("DIR", line.target, "An existing directory")->required();
  mount->add_option("-o,--options", line.older.options, "Accepted; it is always ro,nodev,nosuid")->type_name("LIST");
  mount->add_flag("--live", line.live, "Refused");
  mount->add_flag("--shared", line.older.shared, "Accepted, and of no effect");
  add_storage(*mount, line);
  auto* umount = add_atomic_verb(atomic, line, "umount", "End what mount shows", true, [&line](ops::Context& context) {
    ops::unmount_view(context, line.target);
    return exit_ok;
  });
  umount->alias("unmount");
  umount->add_option("DIR", line.target, "The directory that was given to mount")->required();
}

void add_atomic_changes(CLI::App& containers, CommandLine& line) {
  auto* update = add_atomic_verb(containers, line, "update", "Move a container to what its image is in the store", true,
                                 [&line](ops::Context& context) { return run_update(line, context); });
  update->add_option("NAME", line.names, "A container")->expected(0, 1);
  add_set(*update, line.update.set);
  update->add_option("--rebase", line.update.rebase, "Another image")->type_name("IMAGE");
  update->add_flag("-a,--all", line.every, "Every container");
  auto* rollback = add_atomic_verb(containers, line, "rollback", "Go back to the other deployment", true,
                                   [&line](ops::Context& context) { return run_rollback(line, context); });
  rollback->add_option("NAME", line.names, "A container")->required()->expected(1);
  auto* remove = add_atomic_verb(containers, line, "delete", "Stop and remove containers, after asking", true,
                                 [&line](ops::Context& context) { return run_delete(line, context); });
  remove->add_option("NAME", line.names, "Containers");
  remove->add_flag("-a,--all", line.every, "Every container");
  remove->add_flag("-f,--force", line.force, "Accepted, and of no effect");
  add_storage(*remove, line);
}

}  // namespace

bool is_called_atomic(std::string_view program) {
  return program.substr(program.rfind('/') + 1) == "atomic";
}

void hide_credentials(int argc, char** argv) {
  for (int index = 1; index < argc; ++index) {
    const std::string_view word = argv[index];
    char* secret = nullptr;
    if (word == credentials_option && index + 1 < argc) {
      secret = argv[index + 1];
    } else if (word.starts_with(credentials_option) && word.substr(credentials_option.size()).starts_with('=')) {
      secret = argv[index] + credentials_option.size() + 1;
    }
    if (secret != nullptr) {
      ::explicit_bzero(secret, std::strlen(secret));
    }
  }
}

std::string without_source(std::string text) {
  for (const std::string_view word : {"oci:", "https:", "http:", "docker:", "sha256:"}) {
    take_word(text, word);
  }
  return text;
}

std::string our_reference(const std::string& text) {
  auto rest = text;
  if (take_word(rest, "docker:")) {
    return rest.find(':') == std::string::npos ? rest : "docker-daemon:" + rest;
  }
  if (take_word(rest, "dockertar:/")) {
    const bool relative = !rest.starts_with('/') && ::access(rest.c_str(), F_OK) == 0;
    return fmt::format("docker-archive:{}{}", relative ? "" : "/", rest);
  }
  if (take_word(rest, "oci:") && !rest.starts_with('/') && !rest.starts_with('.')) {
    return rest;
  }
  return text;
}

CLI::App* add_atomic_verb(CLI::App& group, CommandLine& line, const std::string& name, const std::string& description,
                          bool needs_root, std::function<int(ops::Context&)> action) {
  auto* verb =
      add_verb(group, line, name, description, needs_root, [action = std::move(action)](ops::Context& context) {
        try {
          return action(context);
        } catch (const render::UnsetVariables& error) {
          throw Error(ErrorKind::failed,
                      fmt::format("{}\nthe templates still contain an unreplaced value for: ''{}''", error.what(),
                                  fmt::join(error.names(), "'', ''")),
                      error.hint());
        }
      });
  verb->parse_complete_callback([&line] { line.older.called = true; });
  return verb;
}

void add_storage(CLI::App& verb, CommandLine& line) {
  verb.add_option("--storage", line.older.storage, "ostree, which is all there is")->type_name("STORAGE");
}

void check_storage(const CommandLine& line) {
  if (!line.older.storage.empty() && line.older.storage != "ostree") {
    throw Error(ErrorKind::failed,
                fmt::format("Unable to associate string '{}' with backend", base::printable(line.older.storage)),
                "berth keeps images in ostree only");
  }
}

bool confirmed(const CommandLine& line, const std::string& what) {
  if (line.older.assume_yes) {
    return true;
  }
  emit("\nConfirm (y/N) ");
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") {
    return true;
  }
  emit_error("User aborted delete operation for {}\n", what);
  return false;
}

void add_atomic(CLI::App& app, CommandLine& line) {
  auto* atomic = app.add_subcommand("atomic", "The command lines of the older tool, atomic");
  atomic->fallthrough();
  atomic->require_subcommand(1);
  atomic->set_version_flag("-v,--version", "berth " BERTH_VERSION ", as atomic 1.22", "Print the version and exit");
  atomic->add_flag("-y,--assumeyes", line.older.assume_yes, "Do not ask");
  atomic->add_flag("--debug,-i,--ignore", line.older.accepted, "Accepted, and of no effect");
  add_atomic_pull(*atomic, line);
  add_atomic_install(*atomic, line);
  add_atomic_run(*atomic, line);
  add_atomic_services(*atomic, line);
  add_atomic_mounts(*atomic, line);
  auto* containers = atomic->add_subcommand("containers", "What is installed");
  containers->fallthrough();
  containers->require_subcommand(1);
  auto* images = atomic->add_subcommand("images", "What is in the store");
  images->fallthrough();
  images->require_subcommand(1);
  add_atomic_changes(*containers, line);
  add_atomic_lists(*atomic, *containers, *images, line);
  add_atomic_images(*atomic, *images, line);
}

}  // namespace berth::cli
