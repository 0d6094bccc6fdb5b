#include <fmt/format.h>

#include "cli/terminal/output.hpp"
#include "cli/verbs/command.hpp"
#include "cli/verbs/command_line.hpp"
#include "cli/verbs/plan_view.hpp"
#include "ops/containers/container_package.hpp"

namespace berth::cli {

namespace {

void print_result(const CommandLine& line, ops::Context& context, const ops::InstallOutcome& outcome) {
  const auto& plan = *outcome.plan;
  if (line.json) {
    base::Json json = {{"name", plan.name},
                       {"image", plan.image},
                       {"imageId", plan.image_id},
                       {"deployment", plan.deployment},
                       {"started", line.install.start}};
    emit_json(json);
    return;
  }
  if (!plan.unit) {
    context.reporter.step(fmt::format("installed the host files of {}", plan.name));
  } else if (line.install.start || context.layout.offline()) {
    context.reporter.step(fmt::format("installed {}{}", plan.name, line.install.start ? " and started it" : ""));
  } else {
    context.reporter.step(fmt::format("installed {}; start it with: {} start {}", plan.name,
                                      context.layout.command("systemctl"), plan.name));
  }
}

/// The result is a path, for whatever command comes next.
int run_build(const CommandLine& line, ops::Context& context) {
  const auto package = ops::make_container_package(context, line.install, ".");
  if (line.install.only_plan) {
    show_plan(line.json, package.plan, package.places);
  } else if (line.json) {
    emit_json(base::Json{{"name", package.container},
                         {"image", package.plan.image},
                         {"imageId", package.plan.image_id},
                         {"deployment", package.plan.deployment},
                         {"package", package.file}});
  } else {
    emit("{}\n", package.file);
  }
  return 0;
}

int run_install(CommandLine& line, ops::Context& context) {
  line.install.only_plan = line.display || line.dry_run;
  if (line.install.system_package == "build") {
    return run_build(line, context);
  }
  const auto outcome = ops::install(context, line.install);
  if (!outcome.already_present && !outcome.plan) {
    return run_image_once(line, context);
  }
  if (outcome.already_present) {
    if (line.json) {
      emit_json(base::Json{{"name", outcome.name}, {"alreadyPresent", true}});
    } else {
      emit("{} already present\n", outcome.name);
    }
    return 0;
  }
  if (!line.install.only_plan) {
    print_result(line, context, outcome);
  } else {
    show_plan(line.json, *outcome.plan, context.layout);
  }
  return 0;
}

}  // namespace

void add_install(CLI::App& app, CommandLine& line) {
  auto& request = line.install;
  auto* verb = add_verb(app, line, "install", "Install a system container from an image", true,
                        [&line](ops::Context& context) { return run_install(line, context); });
  verb->add_option("IMAGE", request.image, "[SOURCE:]IMAGE; fetched when it is not in the store")->required();
  verb->add_option("-n,--name", request.name, "Name of the container and its unit")->type_name("NAME");
  add_set(*verb, line, request.set, "Set a template variable; may be given several times");
  verb->add_option("--runtime", request.runtime, "OCI runtime to use")->type_name("PATH");
  verb->add_option("--rootfs", request.rootfs, "Use this root file system; nothing is fetched or checked out")
      ->type_name("DIR");
  verb->add_flag("--now", request.start, "Start the service too; undo everything when it does not start");
  verb->add_flag("--preinstall", line.preinstall, "Make it part of the operating system in --root, below its /usr");
  verb->add_flag("--display", line.display, "Show what would be done and change nothing");
  verb->add_flag("--dry-run", line.dry_run, "The same as --display");
  verb->add_flag("--json", line.json, "Print the plan or the result as JSON");
  verb->add_option("--system-package", request.system_package,
                   "Host files as a package: yes, no, or auto; build only makes a package of the whole container")
      ->type_name("MODE");
  add_authfile(*verb, request.authfile);
  add_platform(*verb, request.platform);
}

}  // namespace berth::cli
