// SPDX-License-Identifier: LGPL-2.1-or-later
// berth install.
#include "ops/containers/install.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/options/command.hpp"
#include "cli/options/shared_options.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/verbs/containers/plan_view.hpp"
#include "ops/containers/container_package.hpp"

namespace berth::cli {

namespace {

struct InstallOptions {
  ImageOptions image;
  std::string name;
  std::string rootfs;
  std::string system_package = "auto";
  bool start = false;
  bool display = false;
  bool dry_run = false;
  bool json = false;
};

ops::InstallRequest request_of(const InstallOptions& options, const CommandLine& line) {
  ops::InstallRequest request;
  request.image = options.image.image;
  request.name = options.name;
  request.set = line.values;
  request.runtime = options.image.runtime;
  request.rootfs = options.rootfs;
  request.system_package = options.system_package;
  request.authfile = options.image.authfile;
  request.platform = options.image.platform;
  request.only_plan = options.display || options.dry_run;
  request.start = options.start;
  return request;
}

void print_result(const ops::InstallOutcome& outcome, const ops::Context& context) {
  const auto& plan = *outcome.plan;
  if (!plan.unit) {
    context.reporter.step(fmt::format("installed the host files of {}", plan.name));
  } else if (outcome.started || context.layout.offline()) {
    context.reporter.step(fmt::format("installed {}{}", plan.name, outcome.started ? " and started it" : ""));
  } else {
    context.reporter.step(fmt::format("installed {}; start it with: {} start {}", plan.name,
                                      context.layout.command("systemctl"), plan.name));
  }
}

/// Prints the path of the package alone, as input for another command.
int build_package(const InstallOptions& options, const ops::InstallRequest& request, ops::Context& context) {
  const auto package = ops::make_container_package(context, request, ".");
  if (request.only_plan) {
    show_plan(options.json, package.plan, package.layout);
  } else if (options.json) {
    emit_json(ops::to_json(package));
  } else {
    emit("{}\n", package.file);
  }
  return exit_ok;
}

int run(const InstallOptions& options, const CommandLine& line, ops::Context& context) {
  const auto request = request_of(options, line);
  if (request.system_package == "build") {
    return build_package(options, request, context);
  }
  const auto outcome = ops::install(context, request);
  if (!outcome.already_present && !outcome.plan) {
    const auto once = run_request(options.image, options.name, line.values, {}, line);
    return run_attached(line, [&] { return ops::run_image(context, once); });
  }
  if (request.only_plan && outcome.plan) {
    show_plan(options.json, *outcome.plan, context.layout);
  } else if (options.json) {
    emit_json(ops::to_json(outcome));
  } else if (outcome.already_present) {
    emit("{} already present\n", outcome.name);
  } else {
    print_result(outcome, context);
  }
  return exit_ok;
}

void declare(const Subcommand& verb, InstallOptions& options, CommandLine& line) {
  verb.add_option("IMAGE", options.image.image, "[SOURCE:]IMAGE; fetched unless it is in the store").required();
  verb.add_option("-n,--name", options.name, "Name of the container and its unit").type_name("NAME");
  add_set(verb, line.set, "Set a template variable; may be given several times");
  add_runtime(verb, options.image.runtime);
  verb.add_option("--rootfs", options.rootfs, "Use this root file system; nothing is fetched or checked out")
      .type_name("DIR");
  verb.add_flag("--now", options.start, "Start the service too; undo everything if it does not start");
  verb.add_flag("--preinstall", line.preinstall, "Install into the operating system in --root, below its /usr");
  verb.add_flag("--display", options.display, "Show what would be done and change nothing");
  verb.add_flag("--dry-run", options.dry_run, "Same as --display");
  verb.add_flag("--json", options.json, "Print the plan or the result as JSON");
  verb.add_option("--system-package", options.system_package,
                  "Host files as a package: yes, no, or auto; build only makes a package of the whole container")
      .type_name("MODE");
  add_authfile(verb, options.image.authfile);
  add_platform(verb, options.image.platform);
}

}  // namespace

Verb install_verb() {
  return make_verb<InstallOptions>(
      {.name = "install", .order = 20, .summary = "Install a system container from an image", .needs_root = true},
      declare, run);
}

}  // namespace berth::cli
