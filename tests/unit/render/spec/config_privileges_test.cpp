// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_privileges.hpp"

#include "base/json.hpp"
#include "render/messages.hpp"
#include "render/support.hpp"
#include "render/template/values.hpp"

namespace berth::render {
namespace {

using base::Json;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

Json parse(const std::string& text) {
  return base::parse_json(text, "c");
}

std::vector<std::string> requests(const Json& config) {
  return test::messages(config_privileges(config, "/system.slice/own.service/payload"));
}

const std::string own_namespaces =
    R"("namespaces": [{"type": "network"}, {"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}])";

TEST(ConfigPrivileges, AreEmptyForAnOrdinaryConfiguration) {
  EXPECT_THAT(requests(parse(R"({"process": {"capabilities": {"bounding": ["CAP_KILL"]}}, "linux": {)" +
                             own_namespaces + R"(, "resources": {"devices": [{"allow": false, "access": "rwm"}]}}})")),
              IsEmpty());
}

TEST(ConfigPrivileges, IncludeCapabilities) {
  Json all = parse("{\"linux\": {" + own_namespaces + "}}");
  all["process"]["capabilities"]["bounding"] = capability_names(40);
  EXPECT_THAT(requests(all), ElementsAre("runs with all capabilities (41)"));
  all["process"]["capabilities"]["bounding"] = {"CAP_SYS_ADMIN", "CAP_KILL", "CAP_NET_ADMIN"};
  EXPECT_THAT(requests(all), ElementsAre("has powerful capabilities: CAP_NET_ADMIN, CAP_SYS_ADMIN"));
}

TEST(ConfigPrivileges, IncludeHostNamespaces) {
  EXPECT_THAT(requests(parse(R"({"linux": {"namespaces": [{"type": "mount"}]}})")),
              ElementsAre("shares the host's network", "shares the host's processes (pid namespace)",
                          "shares the host's IPC namespace", "shares the host's name (UTS namespace)"));
  EXPECT_THAT(requests(Json::object()), Contains("shares the host's mounts"));
  EXPECT_THAT(
      requests(parse(
          R"({"linux": {"namespaces": [{"type": "network", "path": "/run/netns/a"}, {"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
              {"type": "user", "path": "/proc/1/ns/user"}]}})")),
      ElementsAre("joins the network namespace /run/netns/a", "joins the user namespace /proc/1/ns/user"));
}

TEST(ConfigPrivileges, IncludeBinds) {
  const Json config = parse(R"({"mounts": [
      {"destination": "/host", "type": "bind", "source": "/", "options": ["rbind", "rw"]},
      {"destination": "/etc/hosts", "type": "none", "source": "/etc/hosts", "options": ["bind", "ro"]},
      {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}], "linux": {)" +
                            own_namespaces + "}}");
  EXPECT_THAT(requests(config), ElementsAre("binds the host's / read-write at /host",
                                            "binds the host's /etc/hosts read-only at /etc/hosts"));
  EXPECT_THAT(bind_sources(config), ElementsAre("/", "/etc/hosts"));
}

std::vector<Privilege> of_mount(const std::string& mount, const std::string& more = "") {
  return config_privileges(parse("{\"mounts\": [" + mount + "], \"linux\": {" + more + own_namespaces + "}}"), "");
}

std::vector<Privilege> of_bind(const std::string& source, const std::string& options) {
  return of_mount(R"({"destination": "/d", "source": ")" + source + R"(", "options": [)" + options + "]}");
}

bool gives_the_host(const std::string& source, const std::string& options) {
  const auto privileges = of_bind(source, options);
  return privileges.size() == 1 && privileges.front().over_host;
}

TEST(ConfigPrivileges, IncludeBindsEquivalentToRootOnTheHost) {
  for (const char* source : {"/", "/etc", "/etc/", "/etc/cron.d", "/etc/systemd/system", "/usr/local/bin", "/usr/lib/x",
                             "/proc/sys/kernel", "/sys/kernel", "/root/.ssh", "/var", "/boot"}) {
    EXPECT_TRUE(gives_the_host(source, R"("rbind", "rw")")) << source;
    EXPECT_EQ(gives_the_host(source, R"("rbind", "ro")"), std::string(source) == "/") << source;
  }
  EXPECT_FALSE(gives_the_host("/", R"("bind", "ro")"));
  for (const char* source : {"/run", "/var/run", "/run/dbus", "/var/run/docker.sock", "/run/systemd/private",
                             "/run/containerd/containerd.sock"}) {
    EXPECT_TRUE(gives_the_host(source, R"("bind", "ro")")) << source;
  }
  for (const char* source :
       {"//etc", "/./etc", "/srv/../etc", "/usr/share", "/usr/local", "/usr/local/lib", "/var/spool", "/usr/lib64",
        "/etc/logrotate.d", "/etc/network", "/etc/containers/oci/hooks.d", "/etc/sysusers.d", "/var/lib/docker",
        "/var/lib/extensions", "/home/x/.ssh", "/opt"}) {
    EXPECT_TRUE(gives_the_host(source, R"("bind", "rw")")) << source;
    EXPECT_FALSE(gives_the_host(source, R"("bind", "ro")")) << source;
  }
  for (const char* source : {"/run/dbus/x", "/var/run/dbus", "/run/docker", "/run/k3s/containerd/containerd.sock",
                             "/run/snapd.socket", "/var/lib/lxd/unix.socket", "//run//docker.sock"}) {
    EXPECT_TRUE(gives_the_host(source, R"("bind", "ro")")) << source;
  }
  for (const char* source : {"/var/lib/etcd", "/etc/etcd", "/srv", "/run/etcd", "/dev/log", "/sys/fs/cgroup/x",
                             "/usr/share/x", "/var/running"}) {
    EXPECT_FALSE(gives_the_host(source, R"("bind", "rw")")) << source;
  }
  EXPECT_EQ(of_bind("/srv", R"("bind", "rshared")").front().message,
            "binds the host's /srv read-write at /d, sharing mounts");
}

TEST(ConfigPrivileges, IncludeKernelFileSystems) {
  const std::string proc = R"({"destination": "/proc/", "type": "proc", "source": "proc"})";
  EXPECT_THAT(of_mount(proc),
              ElementsAre(Privilege{"may write the kernel's settings at /proc/sys, which is not read-only", true}));
  const std::string trigger = R"("readonlyPaths": ["/proc/sysrq-trigger"], )";
  EXPECT_THAT(of_mount(proc, R"("readonlyPaths": ["/proc/bus", "/proc/sys", "/proc/sysrq-trigger"], )"), IsEmpty());
  EXPECT_THAT(of_mount(proc, R"("maskedPaths": ["/proc/sys"], )" + trigger), IsEmpty());
  EXPECT_THAT(of_mount(proc + R"(, {"destination": "/proc/sys", "type": "tmpfs"})", trigger), IsEmpty());
  EXPECT_THAT(of_mount(proc, R"("readonlyPaths": ["/proc/sys"], )"),
              ElementsAre(Privilege{"may restart the machine by /proc/sysrq-trigger, which is not read-only", false}));
  EXPECT_THAT(of_mount(R"({"destination": "/proc", "type": "proc", "options": ["ro"]})"), IsEmpty());
  EXPECT_THAT(of_mount(R"({"destination": "/sys", "type": "sysfs", "options": ["nosuid"]})"),
              ElementsAre(Privilege{"may write the kernel's settings at /sys, which is not read-only", true}));
  EXPECT_THAT(of_mount(R"({"destination": "/sys", "type": "sysfs", "options": ["ro"]})"), IsEmpty());
  const std::string cgroup = R"({"destination": "/sys/fs/cgroup", "type": "cgroup", "options": ["nosuid"]})";
  EXPECT_THAT(of_mount(cgroup),
              ElementsAre(Privilege{"may change the host's control groups at /sys/fs/cgroup", false}));
  const auto own = parse(R"({"mounts": [)" + cgroup + R"(], "linux": {"namespaces": [{"type": "cgroup"}]}})");
  EXPECT_THAT(requests(own), ::testing::Not(Contains(testing::HasSubstr("control groups"))));
  EXPECT_THAT(of_mount(R"({"destination": "/sys/fs/cgroup", "type": "cgroup2", "options": ["ro"]})"), IsEmpty());
}

TEST(ConfigPrivileges, IncludeOtherFileSystems) {
  for (const char* type : {"tmpfs", "devpts", "mqueue"}) {
    EXPECT_THAT(of_mount(std::string(R"({"destination": "/d", "type": ")") + type + "\"}"), IsEmpty()) << type;
  }
  EXPECT_THAT(of_mount(R"({"destination": "/d", "type": "ext4", "source": "/dev/sda1"})"),
              ElementsAre(Privilege{"mounts the file system /dev/sda1 (ext4) read-write at /d", true}));
  EXPECT_THAT(of_mount(R"({"destination": "/d", "type": "debugfs", "source": "debugfs", "options": ["ro"]})"),
              ElementsAre(Privilege{"mounts the file system debugfs (debugfs) read-only at /d", false}));
}

TEST(ConfigPrivileges, ARemountChangesAnEarlierMount) {
  const std::string sysfs = R"({"destination": "/sys", "type": "sysfs", "options": ["ro"]}, )";
  EXPECT_THAT(of_mount(sysfs + R"({"destination": "/sys", "type": "none", "options": ["remount", "rw"]})"),
              ElementsAre(Privilege{"changes the mount at /sys to read-write", true}));
  EXPECT_THAT(of_mount(R"({"destination": "/tmp", "type": "tmpfs", "options": ["remount", "ro"]})"),
              ElementsAre(Privilege{"changes the mount at /tmp to read-only", false}));
}

TEST(ConfigPrivileges, DirectoriesOfAnOverlayAreNamed) {
  EXPECT_THAT(of_mount(R"({"destination": "/d", "type": "overlay", "source": "overlay",
                           "options": ["ro", "lowerdir=/etc:/root"]})"),
              ElementsAre(Privilege{"mounts the file system overlay (overlay) read-only at /d, of lowerdir=/etc:/root",
                                    false}));
}

TEST(ConfigPrivileges, IncludePrioritiesAnnotationsAndListeners) {
  const Json config =
      parse(R"({"process": {"scheduler": {"policy": "SCHED_FIFO"}, "ioPriority": {"class": "IOPRIO_CLASS_RT"}},
      "annotations": {"run.oci.hooks.stdout": "/etc/x", "org.example.note": "y"},
      "linux": {"seccomp": {"listenerPath": "/run/l.sock"}, )" +
            own_namespaces + "}}");
  EXPECT_THAT(requests(config), ElementsAre("may keep the processor from others (SCHED_FIFO)",
                                            "may keep the disks from others (IOPRIO_CLASS_RT)",
                                            "gives the runtime an annotation: run.oci.hooks.stdout=/etc/x",
                                            "lets /run/l.sock decide on its system calls"));
}

TEST(ConfigPrivileges, IncludeCapabilitiesEquivalentToRootOnTheHost) {
  const auto over_host = [](const char* name, const std::string& namespaces) {
    const auto privileges = config_privileges(parse(std::string(R"({"process": {"capabilities": {"ambient": [")") +
                                                    name + R"("]}}, "linux": {)" + namespaces + "}}"),
                                              "");
    return !privileges.empty() && privileges.front().over_host;
  };
  for (const char* name : {"CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_BOOT", "CAP_DAC_READ_SEARCH"}) {
    EXPECT_TRUE(over_host(name, own_namespaces)) << name;
  }
  EXPECT_FALSE(over_host("CAP_SYS_PTRACE", own_namespaces));
  EXPECT_TRUE(over_host("CAP_SYS_PTRACE", R"("namespaces": [{"type": "mount"}])"));
}

TEST(ConfigPrivileges, IncludeConfinementAndControlGroup) {
  const Json config = parse(R"({"process": {"apparmorProfile": "unconfined", "oomScoreAdj": -900,
      "selinuxLabel": "system_u:system_r:spc_t:s0"}, "linux": {"cgroupsPath": "/elsewhere", "netDevices": {"eth1": {}}, )" +
                            own_namespaces + "}}");
  EXPECT_THAT(requests(config),
              ElementsAre("runs without an AppArmor profile", "runs unconfined by SELinux: system_u:system_r:spc_t:s0",
                          "is spared when memory runs out (oomScoreAdj -900)",
                          "is not in the control group of its unit but in /elsewhere",
                          "takes the network device eth1 from the host"));
}

/// The defaults of a systemd service are no privileges.
TEST(ConfigPrivileges, DefaultsOfServicesAreNotReported) {
  const Json config = parse(R"({"process": {"noNewPrivileges": false, "apparmorProfile": "berth", "oomScoreAdj": 100,
      "selinuxLabel": "system_u:system_r:container_t:s0", "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 9, "soft": 9}]},
      "linux": {"cgroupsPath": "/system.slice/own.service/payload", "personality": {"domain": "LINUX32"}, "intelRdt": {}, )" +
                            own_namespaces + "}}");
  EXPECT_THAT(requests(config), IsEmpty());
}

TEST(ConfigPrivileges, IncludeDevicesHooksSysctlAndPropagation) {
  const Json config = parse(R"({"hooks": {"prestart": [{"path": "/x"}], "startContainer": [{"path": "/y"}]},
      "linux": {"rootfsPropagation": "rshared", "sysctl": {"net.ipv4.ip_forward": "1"},
      "devices": [{"path": "/dev/kvm", "type": "c"}],
      "resources": {"devices": [{"allow": true, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 232, "access": "rw"}]}, )" +
                            own_namespaces + "}}");
  EXPECT_THAT(requests(config),
              ElementsAre("gets the device /dev/kvm", "may use devices: all", "may use devices: c 10:232 (rw)",
                          "hooks run on the host: /x (prestart)", "hooks run in the container: /y (startContainer)",
                          "shares its mounts with the host (rootfsPropagation)",
                          "sets the kernel parameter net.ipv4.ip_forward"));
}

TEST(ConfigPrivileges, UnexpectedTypesAreIgnored) {
  EXPECT_NO_THROW(requests(parse(R"({"process": 1, "linux": [], "mounts": {}, "hooks": [1]})")));
  EXPECT_NO_THROW(requests(
      parse(R"({"mounts": [1, {"options": [1]}], "linux": {"devices": [1], "resources": {"devices": [1]}}})")));
  EXPECT_NO_THROW(requests(Json::array()));
}

}  // namespace
}  // namespace berth::render
