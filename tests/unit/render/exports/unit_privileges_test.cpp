// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/unit_privileges.hpp"

#include "render/messages.hpp"
#include "render/support.hpp"

namespace berth::render {
namespace {

using test::messages;
using testing::ElementsAre;
using testing::IsEmpty;

const Values values = {  // NOLINT(cert-err58-cpp): shared by the tests
    {"NAME", "web"},
    {"RUNTIME", "/usr/sbin/runc"},
    {"EXEC_START", "/usr/sbin/runc run 'web'"},
    {"EXEC_STOP", "/usr/sbin/runc kill 'web'"},
    {"EXEC_STARTPRE", ""},
    {"EXEC_STOPPOST", ""}};

std::vector<Privilege> privileges_of(const std::string& unit) {
  return unit_privileges(unit, values);
}

TEST(UnitPrivileges, AreEmptyForCallsOfTheRuntime) {
  EXPECT_THAT(privileges_of("[Unit]\nFailureAction=none\n[Service]\nExecStartPre=\nExecStart=/usr/sbin/runc run 'web'\n"
                            "ExecStop=-/usr/sbin/runc kill 'web'\nExecStopPost=-/usr/sbin/runc delete --force 'web'\n"
                            "Restart=on-failure\n[Install]\nWantedBy=multi-user.target\n"),
              IsEmpty());
}

TEST(UnitPrivileges, IncludeCommandsOnTheHost) {
  EXPECT_THAT(
      privileges_of("[Service]\nExecStartPre=-/bin/bash -c 'export -p > /run/x'\n"
                    "ExecStart=/usr/sbin/runc run 'web' --no-pivot\nExecStartPost=+/bin/a \\\n  b\n"),
      ElementsAre(
          Privilege{"the unit runs a program of the host as root: ExecStartPre=-/bin/bash -c 'export -p > /run/x'",
                    true},
          Privilege{"the unit runs a program of the host as root: ExecStart=/usr/sbin/runc run 'web' --no-pivot", true},
          Privilege{"the unit runs a program of the host as root: ExecStartPost=+/bin/a    b", true}));
}

TEST(UnitPrivileges, IncludeCommandsOfAnotherUser) {
  EXPECT_THAT(privileges_of("[Service]\nUser=nobody\nExecReload=/bin/true\nExecStartPre=!/bin/false\n"),
              ElementsAre(Privilege{"the unit runs a program of the host as nobody: ExecReload=/bin/true", false},
                          Privilege{"the unit runs a program of the host as root: ExecStartPre=!/bin/false", true}));
}

TEST(UnitPrivileges, IncludeActionsAndNames) {
  EXPECT_THAT(messages(privileges_of("[Unit]\nFailureAction=reboot-force\nSuccessAction=exit\n[Install]\n"
                                     "Alias=dbus.service\n")),
              ElementsAre("the unit acts on the whole machine: FailureAction=reboot-force",
                          "the unit acts on the whole machine: SuccessAction=exit",
                          "the unit takes the names of other units: dbus.service"));
}

TEST(UnitPrivileges, LongAndBinaryTextIsMadePrintable) {
  const auto privileges = privileges_of("[Service]\nExecStart=/bin/x \x1b[2J" + std::string(1000, 'a') + "\n");
  ASSERT_EQ(privileges.size(), 1U);
  EXPECT_LT(privileges[0].message.size(), 300U);
  EXPECT_EQ(privileges[0].message.find('\x1b'), std::string::npos);
}

TEST(UnitPrivileges, IncludeSettingsThatReplaceTheRuntime) {
  EXPECT_THAT(messages(privileges_of("[Service]\nEnvironment=A=1 LD_PRELOAD=/var/lib/web/x.so\nEnvironment=B=2\n"
                                     "EnvironmentFile=-/etc/sysconfig/web\nEnvironmentFile=/run/web-env\n"
                                     "RootDirectory=/var/lib/web\nStartLimitAction=reboot\n")),
              ElementsAre("the unit changes which programs it runs: Environment=A=1 LD_PRELOAD=/var/lib/web/x.so",
                          "the unit changes which programs it runs: EnvironmentFile=/run/web-env",
                          "the unit changes which programs it runs: RootDirectory=/var/lib/web",
                          "the unit acts on the whole machine: StartLimitAction=reboot"));
}

TEST(UnitPrivileges, IncludeVariablesOfTheLoaderInAnyQuoting) {
  for (const char* value : {"LD_PRE\"LOAD\"=/x", "\"A=1\" 'LD_AUDIT=/x'", "LD_PRELO\\x41D=/x", "LD_DEBUG_OUTPUT=/etc/x",
                            "L%pRELOAD=/x", "GCONV_PATH=/x", "\"LD_PRELOAD=/x"}) {
    const auto privileges = privileges_of(std::string("[Service]\nEnvironment=") + value + "\n");
    ASSERT_EQ(privileges.size(), 1U) << value;
    EXPECT_TRUE(privileges[0].over_host) << value;
  }
  EXPECT_THAT(privileges_of("[Service]\nEnvironment=OLD_X=1 \"B=LD_PRELOAD=\" C=%n\nEnvironment=\n"), IsEmpty());
}

TEST(UnitPrivileges, IncludeFilesOfTheHostAsStreams) {
  EXPECT_THAT(
      privileges_of("[Service]\nStandardOutput=journal\nStandardOutput=append:/etc/cron.d/x\n"
                    "StandardError=file:/var/log/x.log\nStandardOutput=truncate:/usr/bin/x\n"
                    "StandardInput=file:/etc/shadow\nOpenFile=/etc/shadow:x:read-only\nStandardInput=null\n"),
      ElementsAre(
          Privilege{"the unit opens a file of the host for the container: StandardOutput=append:/etc/cron.d/x", true},
          Privilege{"the unit opens a file of the host for the container: StandardError=file:/var/log/x.log", false},
          Privilege{"the unit opens a file of the host for the container: StandardOutput=truncate:/usr/bin/x", true},
          Privilege{"the unit opens a file of the host for the container: StandardInput=file:/etc/shadow", true},
          Privilege{"the unit opens a file of the host for the container: OpenFile=/etc/shadow:x:read-only", true}));
}

TEST(UnitPrivileges, IncludeDirectoriesThatSystemdCreatesAndRemoves) {
  EXPECT_THAT(privileges_of("[Service]\nRuntimeDirectory=web web/x %p\nStateDirectory=web\n"), IsEmpty());
  const std::string words = "the unit creates, takes over or removes directories of the host: ";
  EXPECT_THAT(privileges_of("[Service]\nConfigurationDirectory=sudoers.d\nConfigurationDirectoryMode=0777\n"
                            "RuntimeDirectory=dbus\nRuntimeDirectory=web \"sys\"temd\nStateDirectory=other\n"
                            "LogsDirectory=%i\nStateDirectory=a:systemd\n"),
              ElementsAre(Privilege{words + "ConfigurationDirectory=sudoers.d", true},
                          Privilege{words + "RuntimeDirectory=dbus", true},
                          Privilege{words + "RuntimeDirectory=web \"sys\"temd", true},
                          Privilege{words + "StateDirectory=other", false}, Privilege{words + "LogsDirectory=%i", true},
                          Privilege{words + "StateDirectory=a:systemd", true}));
}

TEST(UnitPrivileges, IncludeOtherUnitsAndTheMachine) {
  EXPECT_THAT(privileges_of("[Unit]\nWants=network-online.target\nRequires=docker.service\nOnFailure=x.service\n"
                            "OnSuccess=poweroff.target\nWants=debug-shell.service\nUpholds=a.service rescue.target\n"
                            "PropagatesStopTo=sshd.service\n[Install]\nWantedBy=multi-user.target\nAlso=web.socket\n"
                            "Also=debug-shell.service\n"),
              ElementsAre(Privilege{"the unit starts other units: OnFailure=x.service", false},
                          Privilege{"the unit starts other units: OnSuccess=poweroff.target", true},
                          Privilege{"the unit starts other units: Wants=debug-shell.service", true},
                          Privilege{"the unit starts other units: Upholds=a.service rescue.target", true},
                          Privilege{"the unit stops or reloads other units: PropagatesStopTo=sshd.service", false},
                          Privilege{"other units are enabled with it: web.socket", false},
                          Privilege{"other units are enabled with it: debug-shell.service", true}));
}

TEST(UnitPrivileges, IncludePrioritiesAndOtherFiles) {
  EXPECT_THAT(messages(privileges_of("[Service]\nOOMScoreAdjust=-1000\nOOMScoreAdjust=500\nCPUSchedulingPolicy=fifo\n"
                                     "IOSchedulingClass=realtime\nNetworkNamespacePath=/run/netns/x\n  .include /x\n")),
              ElementsAre("is spared when memory runs out (OOMScoreAdjust=-1000)",
                          "may keep the processor from others (CPUSchedulingPolicy=fifo)",
                          "may keep the disks from others (IOSchedulingClass=realtime)",
                          "the unit uses resources of the host: NetworkNamespacePath=/run/netns/x",
                          "the unit includes another file: .include /x"));
}

TEST(UnitPrivileges, IncludeEnvironmentFiles) {
  EXPECT_THAT(environment_files("[Service]\nEnvironmentFile=-/etc/a*\n[Unit]\nEnvironmentFile=/x\n"),
              ElementsAre("/etc/a*"));
  EXPECT_TRUE(redirects_runtime("A=1\n LD_PRELOAD=/x\n"));
  EXPECT_FALSE(redirects_runtime("OPTIONS=--ld\n"));
}

TEST(UnitPrivileges, ACarriageReturnEndsALine) {
  EXPECT_THAT(messages(privileges_of("[Service]\n# comment\rExecStartPre=/bin/touch /x\n")),
              ElementsAre("the unit runs a program of the host as root: ExecStartPre=/bin/touch /x"));
}

TEST(UnitPrivileges, IncludeStoppingOtherUnits) {
  EXPECT_THAT(unit_privileges("[Unit]\nConflicts=sshd.service\n", {}),
              ElementsAre(Privilege{"the unit stops other units: sshd.service", false}));
}

}  // namespace
}  // namespace berth::render
