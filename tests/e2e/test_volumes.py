# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volumes: other users of the host cannot reach their files, a new volume is filled with the files of the image, and an update moves
the data of earlier versions."""

import json

import pytest
from rig import images
from rig.checks import DEPLOYMENTS

VOLUME = "/var/lib/berth/keeper/data"
SERVE = "#!/bin/sh\ncp /bin/busybox /data/tool\nchmod 4755 /data/tool\ntrap 'exit 0' TERM\necho ready\nwhile :; do sleep 1; done\n"
ROOT = ("--config.user", "0:0", "--config.workingdir", "/", "--clear=config.cmd", "--config.volume", "/data")


def keeper(version):
    """An image whose service, as root with the default capabilities, puts a setuid copy of busybox into its volume."""
    files = {"usr/bin/serve": SERVE, "data/app.conf": "from the image\n", "version": version}
    return images.derived(images.plain(), "keeper", files, config=ROOT)


def refused(host, uid, path):
    """Whether a user of the host can neither list nor run a program."""
    become = ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups")
    listed = host.run(*become, "ls", path, check=False)
    ran = host.run(*become, path, "id", "-u", check=False)
    return listed.returncode != 0 and ran.returncode != 0 and ran.stdout.strip() != "0"


def test_volumes_are_closed_and_moved_by_updates_and_rollbacks(host):
    host.berth("install", "--now", "--name=keeper", f"oci:{keeper('1').inside}")
    host.wait_for_output("keeper", "ready")
    assert host.output("stat", "-c", "%a %u", f"{VOLUME}/tool") == "4755 0"
    assert host.path(f"{VOLUME}/app.conf").read_text() == "from the image\n"
    assert host.output("stat", "-c", "%a %u", "/var/lib/berth", "/var/lib/berth/keeper") == "700 0\n700 0"
    for uid in (65534, 1000):
        assert refused(host, uid, f"{VOLUME}/tool")

    # As earlier versions left it. The next command closes it, an update moves it, and a rollback moves it back.
    host.run("systemctl", "stop", "keeper")
    former = "/var/lib/keeper/data"
    host.run(f"mkdir -m 755 /var/lib/keeper && mv {VOLUME} {former} && rm -r /var/lib/berth")
    host.run(f"sed -i 's,/var/lib/berth/keeper/,/var/lib/keeper/,' {DEPLOYMENTS}/keeper.0/config.json {DEPLOYMENTS}/keeper.0/tmpfiles-keeper.conf /etc/tmpfiles.d/keeper.conf")
    host.run(f"sed -i '/berth/d' {DEPLOYMENTS}/keeper.0/tmpfiles-keeper.conf /etc/tmpfiles.d/keeper.conf")
    host.path(f"{former}/app.conf").write_text("edited\n")
    assert not refused(host, 65534, f"{former}/tool")
    host.berth("start", "keeper")
    for uid in (65534, 1000):
        assert refused(host, uid, f"{former}/tool")
    host.berth("pull", f"oci:{keeper('2').inside}")
    host.berth("update", "--settle=0", "keeper")
    assert host.path(f"{VOLUME}/app.conf").read_text() == "edited\n"
    assert not host.path("/var/lib/keeper").exists()
    assert host.berth("exec", "keeper", "cat", "/data/app.conf").stdout == "edited\n"
    host.berth("rollback", "--settle=0", "keeper")
    assert host.berth("exec", "keeper", "cat", "/data/app.conf").stdout == "edited\n"
    assert refused(host, 65534, f"{former}/tool")

    # The files for name resolution are copied at each start, and may be missing.
    unit = host.path("/etc/systemd/system/keeper.service").read_text()
    assert "ExecStartPre=-cp /etc/resolv.conf /etc/hosts /run/container-keeper\n" in unit
    host.run("sh", "-c", "rm -f /etc/resolv.conf; systemctl restart keeper")
    assert host.berth("exec", "keeper", "cat", "/etc/resolv.conf").stdout == ""
    host.run("sh", "-c", "echo 'nameserver 192.0.2.7' > /etc/resolv.conf; systemctl restart keeper")
    assert host.berth("exec", "keeper", "cat", "/etc/resolv.conf").stdout == "nameserver 192.0.2.7\n"
    host.berth("stop", "keeper")
    assert host.berth("run", "keeper", "cat", "/etc/resolv.conf").stdout == "nameserver 192.0.2.7\n"


CONFIG = {
    "ociVersion": "1.0.2",
    "process": {"args": ["/usr/bin/serve"], "cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["PATH=/bin"]},
    "root": {"path": "rootfs", "readonly": True},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/tmp", "type": "bind", "source": "${STATE_DIRECTORY}/${NAME}", "options": ["rbind", "rw"]},
        {"destination": "/root", "type": "bind", "source": "/etc/pki", "options": ["rbind", "ro"]},
    ],
    "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
}


@pytest.fixture
def own():
    exports = {"config.json.template": json.dumps(CONFIG), "tmpfiles.template": "d ${STATE_DIRECTORY}/${NAME} 0755 - - - -\n"}
    files = {f"exports/{name}": text for name, text in exports.items()}
    return images.derived(images.plain(), "own", files)


def test_directories_of_templates_are_closed_and_missing_bind_sources_are_named(host, own):
    finding = "nothing creates /etc/pki, which is bound at /root"
    assert finding in host.berth("install", "--display", f"oci:{own.inside}").stderr
    assert finding in host.berth("lint", f"oci:{own.inside}", check=False).stdout
    assert finding in host.berth("install", "--name=own", f"oci:{own.inside}").stderr
    assert host.output("stat", "-c", "%a", "/var/lib/own") == "750"
    failed = host.berth("start", "own", check=False)
    assert failed.returncode == 1
    assert "/etc/pki, which its config.json binds, does not exist" in failed.stderr


LOGGER = "#!/bin/sh\necho written > /var/log/app.log\ntrap 'exit 0' TERM\nwhile :; do sleep 1; done\n"


def test_a_log_that_is_a_link_to_a_stream_is_reported_and_can_be_written_to_a_file(host):
    files = {"usr/bin/serve": LOGGER, "var/log/app.log": ""}
    made = images.derived(images.plain(), "logger", files, links={"var/log/app.log": "/dev/stdout"}, config=ROOT)
    named = "cannot be opened, because the standard streams of a service are sockets of the journal: /var/log/app.log"
    assert named in host.berth("lint", f"oci:{made.inside}", check=False).stdout
    assert named in host.berth("install", "--name=logger", f"oci:{made.inside}").stderr
    host.path("/etc/systemd/system/logger.service.d").mkdir()
    host.path("/etc/systemd/system/logger.service.d/output.conf").write_text("[Service]\nStandardOutput=append:/var/log/logger\n")
    host.run("systemctl", "daemon-reload")
    host.berth("start", "logger")
    host.wait_for(lambda: host.path("/var/log/logger").read_text(), "the line in /var/log/logger", lambda text: "written\n" in text)
