// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/host_file_privileges.hpp"

#include "render/support.hpp"

namespace berth::render {
namespace {

TEST(HostFilePrivilege, IsNotSetForOrdinaryFiles) {
  for (const char* path :
       {"/usr/local/bin/etcdctl", "/etc/etcd/etcd.conf", "/opt/x", "/usr/lib/systemdx", "/usr/lib/etcd/x",
        "/etc/sysconfig/etcd", "/usr/share/etcd/x", "/var/lib/etcd/x", "/run/etcd/x"}) {
    EXPECT_FALSE(host_file_privilege(path, 0755, false)) << path;
  }
}

TEST(HostFilePrivilege, IsSetForProgramsThatGrantRights) {
  EXPECT_EQ(host_file_privilege("/usr/local/bin/ctl", 04755, false),
            (Privilege{"puts a setuid or setgid program on the host: /usr/local/bin/ctl (4755)", true}));
  EXPECT_EQ(host_file_privilege("/usr/local/bin/ctl", 02755, false)->over_host, true);
  EXPECT_EQ(host_file_privilege("/usr/local/bin/ctl", 0755, true),
            (Privilege{"puts a program with capabilities on the host: /usr/local/bin/ctl", true}));
}

TEST(HostFilePrivilege, IsSetForFilesThatControlProgramsRunByRoot) {
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
    EXPECT_EQ(privilege->message, std::string("puts a file on the host that controls programs run by root: ") + path);
    EXPECT_TRUE(privilege->over_host);
  }
}

TEST(HostFilePrivilege, ListsThePathsThatAHostFileOverrides) {
  EXPECT_THAT(paths_overridden_by("/etc/systemd/system/x.service"),
              testing::ElementsAre("/run/systemd/system/x.service", "/usr/local/lib/systemd/system/x.service",
                                   "/usr/lib/systemd/system/x.service"));
  EXPECT_THAT(paths_overridden_by("/usr/local/bin/x"), testing::ElementsAre("/usr/sbin/x", "/usr/bin/x"));
  EXPECT_THAT(paths_overridden_by("/srv/x"), testing::IsEmpty());
}

}  // namespace
}  // namespace berth::render
