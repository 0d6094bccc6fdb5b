// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/verbs/containers/plan_view.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/shown_text.hpp"
#include "cli/terminal/output.hpp"

namespace berth::cli {

namespace {

void print_text(const std::string& heading, const std::string& text) {
  emit("\n# {}\n{}", heading, text);
  if (!text.empty() && text.back() != '\n') {
    emit("\n");
  }
}

void print_files(const ops::InstallPlan& plan) {
  for (const auto& planned : plan.files) {
    const auto& file = planned.file;
    const auto end = file.kind == host::HostFile::Kind::directory ? "/"
                     : file.kind == host::HostFile::Kind::link    ? " -> " + base::shown_line(file.link_target)
                                                                  : "";
    emit("  create  {:04o} {}:{} {}{}\n", file.mode, file.uid, file.gid, file.destination, end);
  }
  for (const auto& path : plan.kept_files) {
    emit("  keep    {} (exists already)\n", path);
  }
}

void print_plan(const ops::InstallPlan& plan, const host::Layout& layout) {
  emit("name        {}\nimage       {}\nimage id    {}\ndeployment  {}\nruntime     {}\n", plan.name, plan.image,
       plan.image_id, plan.deployment, plan.runtime);
  if (!plan.info.remote.empty()) {
    emit("rootfs      {}\n", plan.info.remote);
  }
  if (!plan.privileges.empty()) {
    emit("\nThis image asks for:\n");
    for (const auto& privilege : plan.privileges) {
      emit("  {}\n", base::shown_line(privilege));
    }
  }
  if (!plan.files.empty() || !plan.kept_files.empty()) {
    emit("\nFiles on the host{}:\n", plan.package ? ", in the package " + plan.package->name : "");
    print_files(plan);
  }
  emit("\nValues:\n");
  for (const auto& [name, value] : plan.values) {
    if (name != "ALL_PROCESS_CAPABILITIES") {
      emit("  {}={}\n", name, base::shown_line(value));
    }
  }
  if (!plan.config.empty()) {
    print_text(plan.deployment + "/config.json", plan.config);
  }
  if (plan.unit) {
    print_text(layout.unit_in_root(plan.name), *plan.unit);
  }
  if (plan.tmpfiles) {
    print_text(layout.tmpfiles_in_root(plan.name), *plan.tmpfiles);
  }
}

}  // namespace

void show_plan(bool json, const ops::InstallPlan& plan, const host::Layout& layout) {
  if (json) {
    emit_json(ops::to_json(plan));
  } else {
    print_plan(plan, layout);
  }
}

}  // namespace berth::cli
