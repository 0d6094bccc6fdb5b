#include "exports/unit.hpp"

#include "support.hpp"

namespace berth::exports {
namespace {

using test::error_of;
using testing::HasSubstr;

TEST(Unit, AddsWhatKeepsContainersFromStaying) {
  EXPECT_EQ(complete_unit("[Unit]\nA=b\n\n[Service]\nExecStart=/x\n\n[Install]\nWantedBy=multi-user.target\n",
                          "/usr/sbin/runc", "a"),
            "[Unit]\nA=b\n\n[Service]\nExecStart=/x\nDelegate=yes\n"
            "ExecStopPost=-/usr/sbin/runc delete --force 'a'\n\n[Install]\nWantedBy=multi-user.target\n");
}

TEST(Unit, QuotesTheRuntime) {
  EXPECT_THAT(complete_unit("[Service]\n", "/opt/my runc", "a"),
              HasSubstr("ExecStopPost=-\"/opt/my runc\" delete --force 'a'\n"));
}

TEST(Unit, KeepsWhatTheUnitSays) {
  const std::string whole = "[Service]\nDelegate=no\nExecStopPost=-/usr/bin/crun delete --force 'a'\n";
  EXPECT_EQ(complete_unit(whole, "/usr/sbin/runc", "a"), whole);
  EXPECT_EQ(complete_unit("[Service]\nDelegate=no", "/r", "a"),
            "[Service]\nDelegate=no\nExecStopPost=-/r delete --force 'a'\n");
  EXPECT_EQ(complete_unit("[Service]\nExecStopPost=/r delete 'a'\n", "/r", "a"),
            "[Service]\nExecStopPost=/r delete 'a'\nDelegate=yes\nExecStopPost=-/r delete --force 'a'\n");
}

TEST(Unit, AForgottenCommandDoesNotCount) {
  EXPECT_THAT(complete_unit("[Service]\nExecStopPost=-/r delete --force 'a'\nExecStopPost=\n", "/r", "a"),
              testing::EndsWith("ExecStopPost=\nDelegate=yes\nExecStopPost=-/r delete --force 'a'\n"));
}

TEST(Unit, AnOpenLastLineStaysWhole) {
  EXPECT_EQ(complete_unit("[Service]\nExecStart=/x \\", "/r", "a"),
            "[Service]\nExecStart=/x \\\n\nDelegate=yes\nExecStopPost=-/r delete --force 'a'\n");
}

TEST(Unit, TheLastOfSeveralServiceSectionsIsCompleted) {
  EXPECT_EQ(complete_unit("[Service]\nA=1\n[Unit]\nB=2\n[Service]\nC=3\n# end\n[Install]\n", "/r", "a"),
            "[Service]\nA=1\n[Unit]\nB=2\n[Service]\nC=3\n# end\nDelegate=yes\n"
            "ExecStopPost=-/r delete --force 'a'\n[Install]\n");
}

TEST(Unit, OneLineIsAddedAtTheEndOfTheSection) {
  EXPECT_EQ(with_service_line("[Service]\nA=1\n\n[Install]\n", "B=2"), "[Service]\nA=1\nB=2\n\n[Install]\n");
  EXPECT_EQ(with_service_line("[Service]\nA=1 \\", "B=2"), "[Service]\nA=1 \\\n\nB=2\n");
}

TEST(Unit, KnowsWhoReportsToSystemd) {
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
  EXPECT_THAT(error.sentence(), HasSubstr("the unit of web has no [Service] section"));
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
}

TEST(Unit, EscapesCgroupNamesAsSystemdDoes) {
  EXPECT_EQ(cgroups_path("system.slice", "memory"), "/system.slice/_memory.service/payload");
  EXPECT_EQ(cgroups_path("system.slice", "cgroup.x"), "/system.slice/_cgroup.x.service/payload");
  EXPECT_EQ(cgroups_path("system.slice", "memory2"), "/system.slice/memory2.service/payload");
}

}  // namespace
}  // namespace berth::exports
