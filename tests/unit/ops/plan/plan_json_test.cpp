// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include <string>

#include "base/json.hpp"
#include "golden_json.hpp"
#include "ops/plan/plan.hpp"

namespace berth::ops {
namespace {

using test::expect_golden;

PlannedFile planned_file(host::HostFile::Kind kind, const std::string& destination, const std::string& checksum) {
  PlannedFile planned;
  planned.file.kind = kind;
  planned.file.destination = destination;
  planned.checksum = checksum;
  return planned;
}

InstallPlan small_plan() {
  InstallPlan plan;
  plan.name = "agent";
  plan.deployment = "/var/lib/containers/berth/agent.0";
  plan.image = "registry.example/agent:1";
  plan.image_id = std::string(64, 'a');
  plan.commit = std::string(64, 'c');
  plan.runtime = "/usr/bin/crun";
  return plan;
}

InstallPlan full_plan() {
  auto plan = small_plan();
  plan.values = {{"NAME", "agent"}, {"PORT", "8080"}};
  plan.config = R"({"ociVersion": "1.0.2", "process": {"args": ["/agent"]}})";
  plan.unit = "[Service]\nExecStart=/usr/bin/crun run agent\n";
  plan.tmpfiles = "d /var/lib/agent 0755 root root -\n";
  plan.info.remote = "/srv/agent";
  plan.conversions = {"process.capabilities is given by kind"};
  plan.privileges = {"runs with the capability CAP_NET_ADMIN"};
  plan.findings = {{base::Severity::note, "code", "exports", 0, "only a note", ""},
                   {base::Severity::warning, "code", "exports", 0, "/srv/data does not exist", "create it"}};
  using Kind = host::HostFile::Kind;
  plan.files = {planned_file(Kind::directory, "/etc/agent", ""),
                planned_file(Kind::file, "/etc/agent/agent.conf", std::string(64, '1')),
                planned_file(Kind::link, "/usr/bin/agent", std::string(64, '2'))};
  plan.files[0].file.mode = 0755;
  plan.files[1].file.mode = 04750;
  plan.files[1].file.uid = 100;
  plan.files[1].file.gid = 101;
  plan.files[2].file.mode = 0777;
  plan.files[2].file.link_target = "../lib/agent/agent";
  plan.package.emplace();
  plan.package->name = "berth-agent";
  plan.kept_files = {"/etc/default/agent"};
  return plan;
}

TEST(PlanJson, OfAnInstallation) {
  expect_golden("install-plan", to_json(full_plan()));
}

TEST(PlanJson, MembersWithoutAValueAreNull) {
  expect_golden("install-plan-minimal", to_json(small_plan()));
}

TEST(PlanJson, OfACommandInAnImage) {
  auto plan = small_plan();
  plan.config = R"({"ociVersion": "1.0.2", "process": {"args": ["/bin/sh"], "terminal": true}})";
  expect_golden("run", to_json(plan));
}

}  // namespace
}  // namespace berth::ops
