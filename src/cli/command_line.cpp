#include "cli/command_line.hpp"

#include <algorithm>

#include "cli/exit_code.hpp"

namespace berth::cli {

namespace {

/// "containers list" for the subcommand `list` of `containers`.
std::string full_name(const CLI::App* app) {
  const auto* parent = app->get_parent();
  return parent == nullptr || parent->get_parent() == nullptr ? app->get_name()
                                                              : full_name(parent) + " " + app->get_name();
}

}  // namespace

CLI::App* add_verb(CLI::App& parent, CommandLine& line, const std::string& name, const std::string& description,
                   bool needs_root, std::function<int(ops::Session&)> action) {
  auto* verb = parent.add_subcommand(name, description);
  verb->fallthrough();
  verb->callback([&line, verb, needs_root, action = std::move(action)] {
    line.verb = full_name(verb);
    line.needs_root = needs_root;
    line.action = action;
  });
  return verb;
}

void add_authfile(CLI::App& verb, std::string& file) {
  verb.add_option("--authfile", file, "Credentials in the format of containers-auth.json(5)")->type_name("FILE");
}

void add_platform(CLI::App& verb, std::string& platform) {
  verb.add_option("--platform", platform, "Choose from an index, e.g. linux/arm64")->type_name("OS/ARCH[/VARIANT]");
}

int for_each_name(const CommandLine& line, const std::vector<std::string>& names,
                  const std::function<void(const std::string&)>& work) {
  int worst = exit_ok;
  for (const auto& name : names) {
    try {
      work(name);
    } catch (const base::Error& error) {
      if (error.kind() == base::ErrorKind::interrupted) {
        throw;
      }
      line.complain(error);
      worst = std::max(worst, exit_code(error.kind()));
    }
  }
  return worst;
}

void build(CLI::App& app, CommandLine& line) {
  app.name("berth");
  app.description(
      "Install system containers: services that run from images under systemd, without a container engine.");
  app.set_version_flag("--version", "berth " BERTH_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.require_subcommand(0, 1);
  app.get_formatter()->column_width(34);
  app.add_option("--root", line.globals.root, "Work on the system installed in this folder")->type_name("DIR");
  app.add_option("--config", line.globals.config, "Read this file instead of /etc/berth/berth.conf")->type_name("FILE");
  app.add_flag("--no-color", line.globals.no_color, "Never use colours");
  app.add_option("--progress", line.globals.progress, "How to show progress: auto, tty, plain, json or none")
      ->type_name("HOW");
  app.add_flag("-q,--quiet", line.globals.quiet, "Say nothing but warnings and errors");
  auto* system =
      app.add_flag("--system", line.globals.system, "Work on the system's containers (as root, the default)");
  app.add_flag("--user", line.globals.user, "Work on your own containers (unless root, the default)")->excludes(system);
  app.footer(
      "Every verb accepts these options. Manual pages: berth(8), berth-VERB(8), berth.conf(5), berth-exports(5).");
  add_pull(app, line);
  add_install(app, line);
  add_update(app, line);
  add_rollback(app, line);
  add_uninstall(app, line);
  add_start(app, line);
  add_stop(app, line);
  add_restart(app, line);
  add_run(app, line);
  add_exec(app, line);
  add_logs(app, line);
  add_containers(app, line);
  add_images(app, line);
  add_inspect(app, line);
  add_recover(app, line);
  add_df(app, line);
  add_mount(app, line);
  add_umount(app, line);
  add_init(app, line);
  add_lint(app, line);
  add_render(app, line);
  add_adopt(app, line);
  add_atomic(app, line);
}

}  // namespace berth::cli
