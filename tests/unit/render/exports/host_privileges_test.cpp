#include "render/spec/privileges.hpp"

#include "render/sentences.hpp"
#include "render/support.hpp"

namespace berth::render {
namespace {

using test::messages;
using testing::ElementsAre;
using testing::IsEmpty;

const Values values = {  // NOLINT(cert-err58-cpp): what the tests share
    {"NAME", "web"},
    {"RUNTIME", "/usr/sbin/runc"},
    {"EXEC_START", "/usr/sbin/runc run 'web'"},
    {"EXEC_STOP", "/usr/sbin/runc kill 'web'"},
    {"EXEC_STARTPRE", ""},
    {"EXEC_STOPPOST", ""}};

std::vector<Privilege> privileges_of(const std::string& unit) {
  return unit_privileges(unit, values);
}

TEST(UnitPrivileges, TheRuntimesCallsAreNone) {
  EXPECT_THAT(privileges_of("[Unit]\nFailureAction=none\n[Service]\nExecStartPre=\nExecStart=/usr/sbin/runc run 'web'\n"
                            "ExecStop=-/usr/sbin/runc kill 'web'\nExecStopPost=-/usr/sbin/runc delete --force 'web'\n"
                            "Restart=on-failure\n[Install]\nWantedBy=multi-user.target\n"),
              IsEmpty());
}

TEST(UnitPrivileges, CommandsOnTheHost) {
  EXPECT_THAT(
      privileges_of("[Service]\nExecStartPre=-/bin/bash -c 'export -p > /run/x'\n"
                    "ExecStart=/usr/sbin/runc run 'web' --no-pivot\nExecStartPost=+/bin/a \\\n  b\n"),
      ElementsAre(
          Privilege{"the unit runs a program of the host as root: ExecStartPre=-/bin/bash -c 'export -p > /run/x'",
                    true},
          Privilege{"the unit runs a program of the host as root: ExecStart=/usr/sbin/runc run 'web' --no-pivot", true},
          Privilege{"the unit runs a program of the host as root: ExecStartPost=+/bin/a    b", true}));
}

TEST(UnitPrivileges, CommandsOfAnotherUser) {
  EXPECT_THAT(privileges_of("[Service]\nUser=nobody\nExecReload=/bin/true\nExecStartPre=!/bin/false\n"),
              ElementsAre(Privilege{"the unit runs a program of the host as nobody: ExecReload=/bin/true", false},
                          Privilege{"the unit runs a program of the host as root: ExecStartPre=!/bin/false", true}));
}

TEST(UnitPrivileges, ActionsAndNames) {
  EXPECT_THAT(messages(privileges_of("[Unit]\nFailureAction=reboot-force\nSuccessAction=exit\n[Install]\n"
                                     "Alias=dbus.service\n")),
              ElementsAre("the unit acts on the whole machine: FailureAction=reboot-force",
                          "the unit acts on the whole machine: SuccessAction=exit",
                          "the unit takes names of other units: dbus.service"));
}

TEST(UnitPrivileges, LongAndOddTextIsFitToBeShown) {
  const auto privileges = privileges_of("[Service]\nExecStart=/bin/x \x1b[2J" + std::string(1000, 'a') + "\n");
  ASSERT_EQ(privileges.size(), 1U);
  EXPECT_LT(privileges[0].message.size(), 300U);
  EXPECT_EQ(privileges[0].message.find('\x1b'), std::string::npos);
}

TEST(TmpfilesPrivileges, StateOfAContainerIsNone) {
  EXPECT_THAT(tmpfiles_privileges(
                  "# comment\n\nd /var/lib/web 0700 0 0 - -\n  f /run/web/x - - - - -\n"
                  "L /srv/web/link - - - - target\nC /var/lib/web/x - - - - /usr/share/web/x\nC /var/lib/web/y\n"
                  "L /srv/web/usr - - - - /usr/lib/web\nx /var/lib/web\nd! /run/web\n"
                  "q \"/var/lib/with space\" - - - - -\n"),
              IsEmpty());
}

TEST(TmpfilesPrivileges, WhatIsThereAlreadyAndOtherPlaces) {
  const std::vector<std::pair<std::string, bool>> lines = {{"d /etc/web 0755 0 0 - -", true},
                                                           {"d /var/../etc 0777 0 0 - -", true},
                                                           {"w /proc/sys/kernel/core_pattern - - - - |/x", true},
                                                           {"R /var/lib/web", false},
                                                           {"L+ /run/web - - - - /x", false},
                                                           {"Z /var/lib/web 0777 - - - -", false},
                                                           {"f+ /var/lib/web/x - - - - y", false},
                                                           {"f /var/spool/cron/root - - - - * * * * * x", true},
                                                           {"f /run/systemd/system/x.service - - - - y", true},
                                                           {"d %S/web - - - -", true},
                                                           {"c /run/node - - - - 1:3", false}};
  for (const auto& [line, over_host] : lines) {
    EXPECT_THAT(tmpfiles_privileges(line + "\n"),
                ElementsAre(Privilege{"changes the host by a tmpfiles.d line: " + line, over_host}))
        << line;
  }
}

TEST(TmpfilesPrivileges, CopiesAndLinksOfTheHostsFiles) {
  const std::vector<std::pair<std::string, bool>> lines = {{"C /var/lib/web/x - - - - /etc/shadow", true},
                                                           {"C+! /var/lib/web/x - - - - /root", true},
                                                           {"C /var/lib/web/x - - - - /var/lib/other/key", false},
                                                           {"C /var/lib/web/x - - - - /usr/../etc/shadow", true},
                                                           {"C /var/lib/web/x - - - - %h/.ssh", true},
                                                           {"L /var/lib/web/x - - - - /etc/shadow", true},
                                                           {"L /var/lib/web/x - - - - /etc/cron.d", true},
                                                           {"L /var/lib/web/x - - - - /etc", true},
                                                           {"L /var/lib/web/x - - - - /", true},
                                                           {"L /var/lib/web/x - - - - ../../../etc/shadow", true},
                                                           {"L /var/lib/web/x - - - - /srv/other", false},
                                                           {"'C' \"/var/lib/web/x\" - - - - /etc/shadow", true},
                                                           {"f^ /var/lib/web/x - - - - secret", true}};
  for (const auto& [line, over_host] : lines) {
    EXPECT_THAT(tmpfiles_privileges(line + "\n"),
                ElementsAre(Privilege{"changes the host by a tmpfiles.d line: " + line, over_host}))
        << line;
  }
}

TEST(TmpfilesPrivileges, EveryOtherTypeThatChangesTheHost) {
  const std::vector<std::pair<std::string, bool>> lines = {{"w+ /sys/kernel/x - - - - 1", true},
                                                           {"f /var/lib/web/su 4755 0 0 - x", true},
                                                           {"z /var/lib/web/su :~6755 0 0 - -", true},
                                                           {"b /var/lib/web/disk 0666 - - - 8:0", true},
                                                           {"c /run/web/mem 0666 - - - 1:1", true},
                                                           {"d /var/lib 0777", true},
                                                           {"d /run/systemd/system 0777", true},
                                                           {"f /var/run/udev/rules.d/x - - - - y", true},
                                                           {"f /var/lib/cloud/scripts/per-boot/x - - - - y", true},
                                                           {"d /var/lib/containers/storage", true},
                                                           {"d /v\\x61r/../etc/web", true},
                                                           {"d \"/var/lib\\057..\\057..\\057etc\"", true},
                                                           {"d= /var/lib/web/x", false},
                                                           {"p+ /run/web/pipe", false},
                                                           {"e /var/lib/web 0777", false},
                                                           {"r! /var/lib/web/*", false},
                                                           {"R- /etc/ssh", true},
                                                           {"a+ /var/lib/web - - - - u:1:rwx", false},
                                                           {"A /etc - - - - u:1:rwx", true},
                                                           {"t /etc/x - - - - user.a=b", true},
                                                           {"h /etc/x - - - - +i", true},
                                                           {"x /etc", false},
                                                           {"X /tmp", false},
                                                           {"d \"/run/open", true}};
  for (const auto& [line, over_host] : lines) {
    EXPECT_THAT(tmpfiles_privileges(line + "\n"),
                ElementsAre(Privilege{"changes the host by a tmpfiles.d line: " + line, over_host}))
        << line;
  }
}

TEST(TmpfilesPrivileges, WhatCountsOfALongLineIsShown) {
  const auto privileges = tmpfiles_privileges("C /var/lib/web/x" + std::string(300, ' ') + "- - - - /etc/shadow\n");
  EXPECT_THAT(privileges,
              ElementsAre(Privilege{"changes the host by a tmpfiles.d line: C /var/lib/web/x ... /etc/shadow", true}));
}

TEST(TmpfilesPrivileges, ACarriageReturnEndsALine) {
  EXPECT_THAT(messages(tmpfiles_privileges("# comment\rR /etc\n")),
              ElementsAre("changes the host by a tmpfiles.d line: R /etc"));
}

TEST(UnitPrivileges, WhatMakesTheRuntimeAnotherProgram) {
  EXPECT_THAT(messages(privileges_of("[Service]\nEnvironment=A=1 LD_PRELOAD=/var/lib/web/x.so\nEnvironment=B=2\n"
                                     "EnvironmentFile=-/etc/sysconfig/web\nEnvironmentFile=/run/web-env\n"
                                     "RootDirectory=/var/lib/web\nStartLimitAction=reboot\n")),
              ElementsAre("the unit changes what its programs are: Environment=A=1 LD_PRELOAD=/var/lib/web/x.so",
                          "the unit changes what its programs are: EnvironmentFile=/run/web-env",
                          "the unit changes what its programs are: RootDirectory=/var/lib/web",
                          "the unit acts on the whole machine: StartLimitAction=reboot"));
}

TEST(UnitPrivileges, VariablesOfTheLoaderHoweverTheyAreWritten) {
  for (const char* value : {"LD_PRE\"LOAD\"=/x", "\"A=1\" 'LD_AUDIT=/x'", "LD_PRELO\\x41D=/x", "LD_DEBUG_OUTPUT=/etc/x",
                            "L%pRELOAD=/x", "GCONV_PATH=/x", "\"LD_PRELOAD=/x"}) {
    const auto privileges = privileges_of(std::string("[Service]\nEnvironment=") + value + "\n");
    ASSERT_EQ(privileges.size(), 1U) << value;
    EXPECT_TRUE(privileges[0].over_host) << value;
  }
  EXPECT_THAT(privileges_of("[Service]\nEnvironment=OLD_X=1 \"B=LD_PRELOAD=\" C=%n\nEnvironment=\n"), IsEmpty());
}

TEST(UnitPrivileges, FilesOfTheHostAsStreams) {
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

TEST(UnitPrivileges, DirectoriesThatSystemdMakesAndRemoves) {
  EXPECT_THAT(privileges_of("[Service]\nRuntimeDirectory=web web/x %p\nStateDirectory=web\n"), IsEmpty());
  const std::string words = "the unit has directories of the host made, given away or removed: ";
  EXPECT_THAT(privileges_of("[Service]\nConfigurationDirectory=sudoers.d\nConfigurationDirectoryMode=0777\n"
                            "RuntimeDirectory=dbus\nRuntimeDirectory=web \"sys\"temd\nStateDirectory=other\n"
                            "LogsDirectory=%i\nStateDirectory=a:systemd\n"),
              ElementsAre(Privilege{words + "ConfigurationDirectory=sudoers.d", true},
                          Privilege{words + "RuntimeDirectory=dbus", true},
                          Privilege{words + "RuntimeDirectory=web \"sys\"temd", true},
                          Privilege{words + "StateDirectory=other", false}, Privilege{words + "LogsDirectory=%i", true},
                          Privilege{words + "StateDirectory=a:systemd", true}));
}

TEST(UnitPrivileges, OtherUnitsAndTheMachine) {
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

TEST(UnitPrivileges, SharesOfOthersAndOtherUnits) {
  EXPECT_THAT(messages(privileges_of("[Service]\nOOMScoreAdjust=-1000\nOOMScoreAdjust=500\nCPUSchedulingPolicy=fifo\n"
                                     "IOSchedulingClass=realtime\nNetworkNamespacePath=/run/netns/x\n  .include /x\n")),
              ElementsAre("is spared when memory runs out (OOMScoreAdjust=-1000)",
                          "may keep the processor from others (CPUSchedulingPolicy=fifo)",
                          "may keep the disks from others (IOSchedulingClass=realtime)",
                          "the unit uses what is the host's: NetworkNamespacePath=/run/netns/x",
                          "the unit reads another one: .include /x"));
}

TEST(UnitPrivileges, WhatAnEnvironmentFileMayHold) {
  EXPECT_THAT(environment_files("[Service]\nEnvironmentFile=-/etc/a*\n[Unit]\nEnvironmentFile=/x\n"),
              ElementsAre("/etc/a*"));
  EXPECT_TRUE(redirects_runtime("A=1\n LD_PRELOAD=/x\n"));
  EXPECT_FALSE(redirects_runtime("OPTIONS=--ld\n"));
}

TEST(UnitPrivileges, ACarriageReturnEndsALine) {
  EXPECT_THAT(messages(privileges_of("[Service]\n# comment\rExecStartPre=/bin/touch /x\n")),
              ElementsAre("the unit runs a program of the host as root: ExecStartPre=/bin/touch /x"));
}

TEST(UnitPrivileges, StoppingOthers) {
  EXPECT_THAT(unit_privileges("[Unit]\nConflicts=sshd.service\n", {}),
              ElementsAre(Privilege{"the unit stops other units: sshd.service", false}));
}

TEST(HostFilePrivilege, OrdinaryFilesAreNone) {
  for (const char* path :
       {"/usr/local/bin/etcdctl", "/etc/etcd/etcd.conf", "/opt/x", "/usr/lib/systemdx", "/usr/lib/etcd/x",
        "/etc/sysconfig/etcd", "/usr/share/etcd/x", "/var/lib/etcd/x", "/run/etcd/x"}) {
    EXPECT_FALSE(host_file_privilege(path, 0755, false)) << path;
  }
}

TEST(HostFilePrivilege, GivesRightsAway) {
  EXPECT_EQ(host_file_privilege("/usr/local/bin/ctl", 04755, false),
            (Privilege{"puts a setuid or setgid program on the host: /usr/local/bin/ctl (4755)", true}));
  EXPECT_EQ(host_file_privilege("/usr/local/bin/ctl", 02755, false)->over_host, true);
  EXPECT_EQ(host_file_privilege("/usr/local/bin/ctl", 0755, true),
            (Privilege{"puts a program with capabilities on the host: /usr/local/bin/ctl", true}));
}

TEST(HostFilePrivilege, FilesThatProgramsOfRootObey) {
  for (const char* path : {"/etc/systemd/system/x.service",
                           "/usr/lib/systemd/system/y.timer",
                           "/lib/udev/rules.d/1.rules",
                           "/etc/cron.d/x",
                           "/etc/sudoers.d/x",
                           "/etc/ld.so.preload",
                           "/etc/profile.d/x.sh",
                           "/etc/shadow",
                           "/etc/tmpfiles.d/z.conf",
                           "/etc/sysusers.d/z.conf",
                           "/usr/lib/sysusers.d/z.conf",
                           "/etc/logrotate.d/x",
                           "/etc/network/if-up.d/x",
                           "/etc/update-motd.d/x",
                           "/etc/dhcp/dhclient-exit-hooks.d/x",
                           "/etc/ppp/ip-up.d/x",
                           "/etc/docker/daemon.json",
                           "/etc/containers/oci/hooks.d/x.json",
                           "/etc/doas.conf",
                           "/etc/zsh/zshenv",
                           "/etc/needrestart/x",
                           "/etc/dnf/plugins/x",
                           "/etc/grub.d/x",
                           "/etc/rsyslog.d/x.conf",
                           "/etc/selinux/config",
                           "/etc/ssl/openssl.cnf",
                           "/etc/sysconfig/network-scripts/x",
                           "/etc/alternatives/vi",
                           "/etc/xdg/autostart/x",
                           "/var/run/systemd/system/x.service",
                           "/run/udev/rules.d/x",
                           "/usr/lib/NetworkManager/dispatcher.d/x",
                           "/usr/lib64/security/pam_x.so",
                           "/usr/share/bash-completion/completions/ls",
                           "/var/lib/cloud/scripts/per-boot/x",
                           "/var/lib/extensions/x",
                           "/home/x/.ssh/authorized_keys",
                           "/root/.ssh/authorized_keys",
                           "/etc/modprobe.d/x.conf",
                           "/var/spool/cron/root"}) {
    const auto privilege = host_file_privilege(path, 0644, false);
    ASSERT_TRUE(privilege) << path;
    EXPECT_EQ(privilege->message, std::string("puts a file on the host that programs of root obey: ") + path);
    EXPECT_TRUE(privilege->over_host);
  }
}

}  // namespace
}  // namespace berth::render
