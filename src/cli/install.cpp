#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/command_line.hpp"
#include "ops/container_package.hpp"

namespace berth::cli {

namespace {

void print_text(const std::string& heading, const std::string& text) {
  fmt::print("\n# {}\n{}", heading, text);
  if (!text.empty() && text.back() != '\n') {
    fmt::print("\n");
  }
}

void print_files(const ops::InstallPlan& plan) {
  for (const auto& planned : plan.files) {
    fmt::print("  create  {:04o} {}:{} {}{}\n", planned.file.mode, planned.file.uid, planned.file.gid,
               planned.file.destination, planned.file.kind == host::HostFile::Kind::folder ? "/" : "");
  }
  for (const auto& path : plan.kept_files) {
    fmt::print("  keep    {} (exists already)\n", path);
  }
}

void print_plan(const ops::InstallPlan& plan, const host::Layout& layout) {
  fmt::print("name        {}\nimage       {}\nimage id    {}\ndeployment  {}\nruntime     {}\n", plan.name, plan.image,
             plan.image_id, plan.deployment, plan.runtime);
  if (!plan.info.remote.empty()) {
    fmt::print("rootfs      {}\n", plan.info.remote);
  }
  if (!plan.powers.empty()) {
    fmt::print("\nThis image asks for:\n");
    for (const auto& power : plan.powers) {
      fmt::print("  {}\n", power);
    }
  }
  if (!plan.files.empty() || !plan.kept_files.empty()) {
    fmt::print("\nFiles on the host{}:\n", plan.package ? ", in the package " + plan.package->name : "");
    print_files(plan);
  }
  fmt::print("\nValues:\n");
  for (const auto& [name, value] : plan.values) {
    if (name != "ALL_PROCESS_CAPABILITIES") {
      fmt::print("  {}={}\n", name, value);
    }
  }
  if (!plan.config.empty()) {
    print_text(plan.deployment + "/config.json", plan.config);
  }
  if (plan.unit) {
    print_text(layout.unit_inside(plan.name), *plan.unit);
  }
  if (plan.tmpfiles) {
    print_text(layout.tmpfiles_inside(plan.name), *plan.tmpfiles);
  }
}

void show_plan(const CommandLine& line, const ops::InstallPlan& plan, const host::Layout& layout) {
  if (line.json) {
    fmt::print("{}\n", ops::plan_to_json(plan).dump(2, ' ', false, base::Json::error_handler_t::replace));
  } else {
    print_plan(plan, layout);
  }
}

void print_result(const CommandLine& line, ops::Session& session, const ops::InstallOutcome& outcome) {
  const auto& plan = *outcome.plan;
  if (line.json) {
    base::Json json = {{"name", plan.name},
                       {"image", plan.image},
                       {"imageId", plan.image_id},
                       {"deployment", plan.deployment},
                       {"started", line.install.start}};
    fmt::print("{}\n", json.dump(2));
    return;
  }
  if (!plan.unit) {
    session.reporter.step(fmt::format("installed the host files of {}", plan.name));
  } else if (line.install.start || session.layout.offline()) {
    session.reporter.step(fmt::format("installed {}{}", plan.name, line.install.start ? " and started it" : ""));
  } else {
    session.reporter.step(fmt::format("installed {}; start it with: {} start {}", plan.name,
                                      session.layout.command("systemctl"), plan.name));
  }
}

/// The result is a path, for whatever command comes next.
int run_build(const CommandLine& line, ops::Session& session) {
  const auto package = ops::make_container_package(session, line.install, ".");
  if (line.install.only_plan) {
    show_plan(line, package.plan, package.places);
  } else if (line.json) {
    fmt::print("{}\n", base::Json{{"name", package.container},
                                  {"image", package.plan.image},
                                  {"imageId", package.plan.image_id},
                                  {"deployment", package.plan.deployment},
                                  {"package", package.file}}
                           .dump(2));
  } else {
    fmt::print("{}\n", package.file);
  }
  return 0;
}

int run_install(CommandLine& line, ops::Session& session) {
  line.install.only_plan = line.display || line.dry_run;
  if (line.install.system_package == "build") {
    return run_build(line, session);
  }
  const auto outcome = ops::install(session, line.install);
  if (!outcome.already_present && !outcome.plan) {
    return run_image_once(line, session);
  }
  if (outcome.already_present) {
    if (line.json) {
      fmt::print("{}\n", base::Json{{"name", outcome.name}, {"alreadyPresent", true}}.dump(2));
    } else {
      fmt::print("{} already present\n", outcome.name);
    }
    return 0;
  }
  if (!line.install.only_plan) {
    print_result(line, session, outcome);
  } else {
    show_plan(line, *outcome.plan, session.layout);
  }
  return 0;
}

}  // namespace

void add_install(CLI::App& app, CommandLine& line) {
  auto& request = line.install;
  auto* verb = add_verb(app, line, "install", "Install a system container from an image", true,
                        [&line](ops::Session& session) { return run_install(line, session); });
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
