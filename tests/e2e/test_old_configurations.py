# SPDX-License-Identifier: LGPL-2.1-or-later
"""Configurations of published images, of the runtime specification 0.3.0 to 1.0.0: both runtimes run them after their conversion.
The configurations are the published templates and further old forms; a test program replaces the payload."""

import inspect
import json
import re

import pytest
from rig import images, memlock
from rig.checks import RUNTIMES
from rig.shell import run

PUBLISHED = ("hello-world", "etcd", "net-snmp", "qemu-guest-agent", "docker-centos")

# Notifies systemd that it is ready, and ends on SIGTERM.
PAYLOAD = """
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void end(int number) { (void)number; _exit(0); }

int main(void) {
  const char* path = getenv("NOTIFY_SOCKET");
  struct sigaction action = {.sa_handler = end};
  sigaction(SIGTERM, &action, NULL);
  if (path != NULL) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sendto(fd, "READY=1", 7, 0, (struct sockaddr*)&address, sizeof address) < 0) {
      perror("sendto");
      return 1;
    }
  }
  puts("the payload runs");
  fflush(stdout);
  for (;;) {
    pause();
  }
}
"""

# Sources of bind mounts that exist only on some hosts, and that no tmpfiles.d line creates.
DIRECTORIES = ("/dev/virtio-ports", "/etc/snmp", "/etc/etcd", "/var/lib/net-snmp", "/lib/modules")
FILES = ("/etc/redhat-release", "/etc/sysconfig/snmpd", "/etc/sysconfig/snmptrapd")

UNIT = "[Service]\nExecStart=$EXEC_START\nExecStop=$EXEC_STOP\nWorkingDirectory=$DESTDIR\n"
MOUNT_AND_PID = [{"type": "mount"}, {"type": "pid", "path": ""}]
PROC = {"destination": "/proc", "type": "proc", "source": "proc"}


def old(process, mounts, linux, **more):
    """A config.json of an old form. @param process, mounts, linux, more the members that differ"""
    return {
        "ociVersion": "1.0.0-rc1",
        "platform": {"os": "linux", "arch": "amd64"},
        "process": {"terminal": False, "user": {"uid": 0, "gid": 0, "additionalGids": None}, "args": ["/bin/payload"], "env": ["PATH=/bin"], **process},
        "root": {"path": "rootfs", "readonly": True},
        "mounts": [PROC, *mounts],
        "linux": {"namespaces": MOUNT_AND_PID, **linux},
        **more,
    }


# Name → (configuration, texts of the conversions that must be reported).
OLD = {
    "everything-in-linux": (
        old(
            {"cwd": ""},
            [],
            {
                "capabilities": ["CAP_AUDIT_WRITE", "CAP_KILL"],
                "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
                "selinuxProcessLabel": "system_u:system_r:container_t:s0",
                "apparmorProfile": "acme_secure_profile",
                "mountLabel": "",
                "rootfsPropagation": "",
                "seccomp": {"defaultAction": "", "architectures": None},
                "devices": None,
                "resources": {"oomScoreAdj": 10, "disableOOMKiller": False, "memory": {"limit": None}, "pids": None, "devices": [{"allow": False, "access": "rwm"}]},
            },
            hooks={},
        ),
        ["ociVersion", "platform", "linux.capabilities moved", "capabilities list", "linux.rlimits moved", "linux.selinuxProcessLabel removed",
         "linux.apparmorProfile removed", "linux.mountLabel removed", "linux.rootfsPropagation removed", "linux.seccomp removed",
         "oomScoreAdj moved", "disableOOMKiller moved", "null removed", "process.cwd set", "empty path removed"],
    ),
    "cgroup-v1": (
        old(
            {"cwd": "/", "capabilities": None},
            [
                {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
                {"destination": "/sys/fs/cgroup", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "noexec", "nodev", "mode=755"]},
                {"destination": "/sys/fs/cgroup/systemd", "type": "cgroup", "source": "cgroup", "options": ["none", "name=systemd"]},
                {"destination": "/sys/fs/cgroup/memory", "type": "bind", "source": "/sys/fs/cgroup/memory", "options": ["rbind", "ro"]},
            ],
            {},
            hooks=None,
        ),
        ["ociVersion", "platform", "null removed", "mounts of cgroup v1 hierarchies removed, this host has unified cgroups: /sys/fs/cgroup/systemd, /sys/fs/cgroup/memory", "the tmpfs on /sys/fs/cgroup converted", "empty path removed"],
    ),
    "missing-options": (
        old(
            {"cwd": "/", "selinuxProcessLabel": "", "apparmorProfile": ""},
            [
                {"destination": "/run/here", "type": "bind", "source": "/srv"},
                {"destination": "tmp", "type": "tmpfs", "source": "tmpfs", "options": None},
                {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro", "none", "name=systemd"]},
            ],
            {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "reboot", "action": "SCMP_ACT_ERRNO", "args": None}]}},
        ),
        ["ociVersion", "platform", "null removed", "process.selinuxProcessLabel removed", "process.apparmorProfile removed", "option bind added", "relative destinations",
         "cgroup v1 options removed", "name converted to names", "empty path removed"],
    ),
}  # fmt: skip


def granted(config):
    """The configuration without CAP_SYS_RESOURCE on a machine that withholds it from the host, where no runtime could set it."""
    return re.sub(r'"CAP_SYS_RESOURCE",\s*', "", config) if memlock.needed() else config


def image_of(name, exports, program, payload=PAYLOAD, unit=UNIT):
    """An image whose payload is replaced. @param exports a directory of templates, or a config.json  @param program the path of the payload"""

    def make(directory):
        build = images.Build(directory)
        build.busybox()
        if isinstance(exports, dict):
            build.write("exports/config.json", json.dumps(exports))
            build.write("exports/service.template", unit)
        else:
            build.exports(exports.name)
            if exports.name == "etcd":  # its configuration binds the directory of this file
                build.write("exports/hostfs/etc/etcd/etcd.conf", "# settings\n")
            config = build.rootfs / "exports/config.json.template"
            config.write_text(granted(config.read_text()))
        source = directory / "payload.c"
        source.write_text(payload)
        target = build.write(program.lstrip("/"))
        run("cc", "-static", "-O1", "-o", target, source)
        target.chmod(0o755)
        source.unlink()
        build.layer()
        build.done()

    key = json.dumps(exports) if isinstance(exports, dict) else exports
    return images._image(f"old-{name}", make, program, payload, inspect.getsource(image_of), str(memlock.needed()), key, unit)


def published(name):
    directory = images.templates(name)
    text = (directory / "config.json.template").read_text()
    (program,) = [word for word in ("/usr/bin/run.sh", "/usr/bin/etcd-env.sh", "/usr/bin/qemu-ga", "/usr/bin/init.sh") if f'"{word}"' in text]
    return image_of(name, directory, program)


@pytest.fixture(scope="module")
def field(shared_host):
    """A host with the files and directories that the published images bind."""
    for directory in DIRECTORIES:
        shared_host.run("mkdir", "-p", directory)
    for path in FILES:
        shared_host.run(f"mkdir -p {path.rsplit('/', 1)[0]} && touch {path}")
    return shared_host


def runs_and_stops(host, image, runtime):
    """Installs, starts, stops and uninstalls a container. @return the messages of the install"""
    name = f"{image.name}-{runtime}"
    done = host.berth("install", f"--name={name}", f"--runtime={RUNTIMES[runtime]}", f"oci:{image.inside}")
    try:
        assert host.run("systemctl", "start", name, check=False).returncode == 0, host.journal(name)
        host.wait_for_output(name, "the payload runs")
        assert host.unit(name)["SubState"] == "running"
        assert host.containers(runtime) == [name]
        host.run("systemctl", "stop", name)
        assert host.unit(name)["Result"] == "success"
        assert host.containers(runtime) == []
    finally:
        host.berth("uninstall", name)
    return done.stderr


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_configuration_runs(field, runtime, name):
    messages = runs_and_stops(field, published(name), runtime)
    reports = [line for line in messages.splitlines() if "config.json: " in line]
    assert any("platform removed" in line for line in reports)
    assert len(set(reports)) == len(reports)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_image_has_no_errors_and_renders_to_the_installed_files(field, name):
    image = f"oci:{published(name).inside}"
    findings = field.berth_json("lint", image)
    assert [finding for finding in findings if finding["severity"] == "error"] == []
    assert any(finding["code"] == "old-form" and finding["file"] == "exports/config.json.template" for finding in findings)
    rendered = {file["path"]: file["content"] for file in field.berth_json("render", f"--name={name}", image)["files"]}
    field.berth("install", f"--name={name}", image)
    try:
        assert f"/etc/systemd/system/{name}.service" in rendered
        for path, content in rendered.items():
            assert field.path(path).read_text() == content
    finally:
        field.berth("uninstall", name)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_payload_with_the_run_directory_of_the_host_can_notify_systemd(field, runtime):
    """Images of cri-o and docker do so. The mount of a socket by the runtime would remain in the /run of the host."""
    run_mount = {"destination": "/run", "type": "bind", "source": "/run", "options": ["rbind", "rshared", "rw"]}
    config = old({"cwd": "/"}, [run_mount], {"rootfsPropagation": "shared"})
    image = image_of("notify", config, "/bin/payload", unit="[Service]\nType=notify\n" + UNIT.removeprefix("[Service]\n"))
    name = f"notify-{runtime}"
    field.berth("install", f"--name={name}", f"--runtime={RUNTIMES[runtime]}", f"oci:{image.inside}")
    try:
        for _ in range(3):
            assert field.run("systemctl", "start", name, check=False).returncode == 0, field.journal(name)
            assert field.unit(name)["SubState"] == "running"
            field.run("systemctl", "stop", name)
            assert field.unit(name)["Result"] == "success"
            assert "/run/notify" not in field.output("cat", "/proc/self/mountinfo")
    finally:
        field.berth("uninstall", name)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", OLD)
def test_an_old_form_runs_and_each_conversion_is_reported_once(field, runtime, name):
    config, conversions = OLD[name]
    messages = runs_and_stops(field, image_of(name, config, "/bin/payload"), runtime)
    reports = [line.split("config.json: ", 1)[1] for line in messages.splitlines() if "config.json: " in line]
    for text in conversions:
        assert len([line for line in reports if text in line]) == 1, (text, reports)
    assert len(reports) == len(conversions), reports
