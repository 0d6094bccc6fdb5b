// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/unit/unit.hpp"

#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::HasSubstr;

TEST(Unit, AddsCommandsThatRemoveTheContainer) {
  EXPECT_EQ(complete_unit("[Unit]\nA=b\n\n[Service]\nExecStart=/x\n\n[Install]\nWantedBy=multi-user.target\n",
                          "/usr/sbin/runc", "a"),
            "[Unit]\nA=b\n\n[Service]\nExecStart=/x\nDelegate=yes\n"
            "ExecStartPre=-/usr/sbin/runc delete --force 'a'\n"
            "ExecStopPost=-/usr/sbin/runc delete --force 'a'\n\n[Install]\nWantedBy=multi-user.target\n");
}

TEST(Unit, QuotesTheRuntime) {
  EXPECT_THAT(complete_unit("[Service]\n", "/opt/my runc", "a"),
              HasSubstr("ExecStopPost=-\"/opt/my runc\" delete --force 'a'\n"));
}

TEST(Unit, KeepsSettingsOfTheUnit) {
  const std::string whole =
      "[Service]\nDelegate=no\nExecStartPre=-/usr/bin/crun delete -f 'a'\nExecStopPost=-/usr/bin/crun delete --force "
      "'a'\n";
  EXPECT_EQ(complete_unit(whole, "/usr/sbin/runc", "a"), whole);
  EXPECT_EQ(complete_unit("[Service]\nDelegate=no", "/r", "a"),
            "[Service]\nDelegate=no\nExecStartPre=-/r delete --force 'a'\nExecStopPost=-/r delete --force 'a'\n");
  EXPECT_EQ(complete_unit("[Service]\nExecStopPost=/r delete 'a'\n", "/r", "a"),
            "[Service]\nExecStopPost=/r delete 'a'\nDelegate=yes\nExecStartPre=-/r delete --force "
            "'a'\nExecStopPost=-/r delete --force 'a'\n");
}

TEST(Unit, IgnoresAClearedCommand) {
  EXPECT_THAT(
      complete_unit("[Service]\nExecStopPost=-/r delete --force 'a'\nExecStopPost=\n", "/r", "a"),
      testing::EndsWith(
          "ExecStopPost=\nDelegate=yes\nExecStartPre=-/r delete --force 'a'\nExecStopPost=-/r delete --force 'a'\n"));
}

TEST(Unit, KeepsAContinuedLastLine) {
  EXPECT_EQ(complete_unit("[Service]\nExecStart=/x \\", "/r", "a"),
            "[Service]\nExecStart=/x \\\n\nDelegate=yes\nExecStartPre=-/r delete --force 'a'\nExecStopPost=-/r delete "
            "--force 'a'\n");
}

TEST(Unit, CompletesTheLastOfSeveralServiceSections) {
  EXPECT_EQ(complete_unit("[Service]\nA=1\n[Unit]\nB=2\n[Service]\nC=3\n# end\n[Install]\n", "/r", "a"),
            "[Service]\nA=1\n[Unit]\nB=2\n[Service]\nC=3\n# end\nDelegate=yes\n"
            "ExecStartPre=-/r delete --force 'a'\nExecStopPost=-/r delete --force 'a'\n[Install]\n");
}

TEST(Unit, AddsALineAtTheEndOfTheSection) {
  EXPECT_EQ(with_service_line("[Service]\nA=1\n\n[Install]\n", "B=2"), "[Service]\nA=1\nB=2\n\n[Install]\n");
  EXPECT_EQ(with_service_line("[Service]\nA=1 \\", "B=2"), "[Service]\nA=1 \\\n\nB=2\n");
}

TEST(Unit, DetectsUnitsThatAcceptNotifications) {
  for (const char* unit : {"[Service]\nType=notify\n", "[Service]\nType=notify-reload\n",
                           "[Service]\nNotifyAccess=all\n", "[Service]\nType=simple\nType=notify\n"}) {
    EXPECT_TRUE(unit_notifies(unit)) << unit;
  }
  for (const char* unit : {"[Service]\n", "[Service]\nType=forking\n", "[Unit]\nType=notify\n[Service]\n",
                           "[Service]\nType=notify\nNotifyAccess=none\n"}) {
    EXPECT_FALSE(unit_notifies(unit)) << unit;
  }
}

TEST(Unit, RefusesAUnitWithoutService) {
  const auto error = error_of([] { complete_unit("[Unit]\nA=b\n#[Service]\n", "/r", "web"); });
  EXPECT_EQ(error.kind(), base::ErrorKind::verification);
  EXPECT_THAT(error.message(), HasSubstr("the unit of web has no [Service] section"));
}

TEST(Unit, RemovesLeftoversBeforeTheUnitsOwnCommands) {
  const auto completed = [](const std::string& lines) { return complete_unit("[Service]\n" + lines, "/r", "a"); };
  const std::string remove = "ExecStartPre=-/r delete --force 'a'\n";
  EXPECT_THAT(completed("ExecStartPre=/r create 'a'\nExecStartPre=/y\n"),
              HasSubstr("[Service]\n" + remove + "ExecStartPre=/r create 'a'\nExecStartPre=/y\n"));
  EXPECT_THAT(completed("ExecStartPre=/x\nExecStartPre=\n  ExecStartPre = /y\n"),
              HasSubstr("ExecStartPre=\n" + remove + "  ExecStartPre = /y\n"));
  EXPECT_THAT(completed("ExecStartPre=\nExecStart=/x\n"), HasSubstr("ExecStart=/x\nDelegate=yes\n" + remove));
}

TEST(Unit, IgnoresTheFailureOfAStopWithoutAContainer) {
  const auto completed = [](const std::string& lines) {
    return complete_unit("[Service]\nDelegate=yes\nExecStartPre=-/r delete --force 'a'\n" + lines +
                             "ExecStopPost=-/r delete --force 'a'\n",
                         "/r", "a");
  };
  EXPECT_THAT(completed("ExecStop=/r kill 'a'\n"), HasSubstr("\nExecStop=-/r kill 'a'\n"));
  EXPECT_THAT(completed("  ExecStop =\t/r kill 'a' 37\n"), HasSubstr("\n  ExecStop =\t-/r kill 'a' 37\n"));
  EXPECT_THAT(completed("ExecStop=/x\nExecStop=/r kill 'a'\nExecStop=/r kill 'a' 9\n"),
              HasSubstr("\nExecStop=/x\nExecStop=-/r kill 'a'\nExecStop=-/r kill 'a' 9\n"));
  for (const std::string own : {"ExecStop=-/r kill 'a'\n", "ExecStop=/r kill 'ab'\n", "ExecStop=/r kill \\\n'a'\n",
                                "ExecStop=\\\n/r kill 'a'\n", "#ExecStop=/r kill 'a'\n", "ExecStart=/r kill 'a'\n"}) {
    EXPECT_THAT(completed(own), HasSubstr("\n" + own));
  }
}

TEST(Unit, FindsTheSlice) {
  EXPECT_EQ(unit_slice("[Service]\nExecStart=/x\n"), "system.slice");
  EXPECT_EQ(unit_slice("[Service]\nSlice=a.slice\nSlice=b-c.slice\n"), "b-c.slice");
  EXPECT_EQ(unit_slice("[Service]\nSlice=a.slice\nSlice=\n"), "system.slice");
  EXPECT_EQ(unit_slice("[Unit]\nSlice=a.slice\n"), "system.slice");
  EXPECT_EQ(unit_slice("[Service]\nSlice=../a\n"), "system.slice");
}

TEST(Unit, MakesTheCgroupPath) {
  EXPECT_EQ(cgroups_path("system.slice", "etcd1"), "/system.slice/etcd1.service/payload");
  EXPECT_EQ(cgroups_path("a-b-c.slice", "x"), "/a.slice/a-b.slice/a-b-c.slice/x.service/payload");
  EXPECT_EQ(cgroups_path("-.slice", "x"), "/x.service/payload");
  EXPECT_EQ(relative_cgroups_path("x"), "x.service/payload");
  EXPECT_EQ(relative_cgroups_path("memory"), "_memory.service/payload");
}

TEST(Unit, EscapesCgroupNamesAsSystemdDoes) {
  EXPECT_EQ(cgroups_path("system.slice", "memory"), "/system.slice/_memory.service/payload");
  EXPECT_EQ(cgroups_path("system.slice", "cgroup.x"), "/system.slice/_cgroup.x.service/payload");
  EXPECT_EQ(cgroups_path("system.slice", "memory2"), "/system.slice/memory2.service/payload");
}

}  // namespace
}  // namespace berth::render
