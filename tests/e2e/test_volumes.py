"""Data of containers: what a payload leaves in them is out of reach for other users of the host, a new volume begins with
what the image has there, and data of earlier versions are moved by an update."""

import json
import time

import pytest
from rig import images
from rig.checks import DEPLOYMENTS

PLACE = "/var/lib/berth/keeper/data"
SERVE = "#!/bin/sh\ncp /bin/busybox /data/tool\nchmod 4755 /data/tool\ntrap 'exit 0' TERM\necho ready\nwhile :; do sleep 1; done\n"
ROOT = ("--config.user", "0:0", "--config.workingdir", "/", "--clear=config.cmd", "--config.volume", "/data")


def keeper(version):
    """Runs as root with the default capabilities and puts a setuid copy of busybox into its volume."""
    files = {"usr/bin/serve": SERVE, "data/app.conf": "from the image\n", "version": version}
    return images.derived(images.plain(), "keeper", files, config=ROOT)


def wait_for(answer):
    deadline = time.monotonic() + 60
    while not answer():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def refused(host, uid, path):
    """Whether a user of the host can neither see nor run it."""
    become = ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups")
    listed = host.run(*become, "ls", path, check=False)
    ran = host.run(*become, path, "id", "-u", check=False)
    return listed.returncode != 0 and ran.returncode != 0 and ran.stdout.strip() != "0"


def test_what_a_payload_leaves_is_out_of_reach_and_moves_with_updates(host):
    host.berth("install", "--now", "--name=keeper", f"oci:{keeper('1').inside}")
    wait_for(host.path(f"{PLACE}/tool").exists)
    assert host.path(f"{PLACE}/app.conf").read_text() == "from the image\n"
    assert host.output("stat", "-c", "%a %u", "/var/lib/berth", "/var/lib/berth/keeper") == "700 0\n700 0"
    wait_for(lambda: host.output("stat", "-c", "%a %u", f"{PLACE}/tool") == "4755 0")
    for uid in (65534, 1000):
        assert refused(host, uid, f"{PLACE}/tool")

    # As the versions before left it; the next command closes it, the next update moves it, a rollback finds it.
    host.run("systemctl", "stop", "keeper")
    former = "/var/lib/keeper/data"
    host.run(f"mkdir -m 755 /var/lib/keeper && mv {PLACE} {former} && rm -r /var/lib/berth")
    host.run(f"sed -i 's,/var/lib/berth/keeper/,/var/lib/keeper/,' {DEPLOYMENTS}/keeper.0/config.json {DEPLOYMENTS}/keeper.0/tmpfiles-keeper.conf /etc/tmpfiles.d/keeper.conf")
    host.run(f"sed -i '/berth/d' {DEPLOYMENTS}/keeper.0/tmpfiles-keeper.conf /etc/tmpfiles.d/keeper.conf")
    host.path(f"{former}/app.conf").write_text("edited\n")
    assert not refused(host, 65534, f"{former}/tool")
    host.berth("start", "keeper")
    for uid in (65534, 1000):
        assert refused(host, uid, f"{former}/tool")
    host.berth("pull", f"oci:{keeper('2').inside}")
    host.berth("update", "--settle=0", "keeper")
    assert host.path(f"{PLACE}/app.conf").read_text() == "edited\n"
    assert not host.path("/var/lib/keeper").exists()
    assert host.berth("exec", "keeper", "cat", "/data/app.conf").stdout == "edited\n"
    host.berth("rollback", "--settle=0", "keeper")
    assert host.berth("exec", "keeper", "cat", "/data/app.conf").stdout == "edited\n"
    assert refused(host, 65534, f"{former}/tool")

    # What the container sees of name resolution is that of its last start, and its absence keeps nobody down.
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


def test_an_image_with_templates_of_its_own_is_closed_and_what_it_lacks_is_named(host, own):
    sentence = "nothing makes /etc/pki, which is bound at /root"
    assert sentence in host.berth("install", "--display", f"oci:{own.inside}").stderr
    assert sentence in host.berth("lint", f"oci:{own.inside}", check=False).stdout
    assert sentence in host.berth("install", "--name=own", f"oci:{own.inside}").stderr
    assert host.output("stat", "-c", "%a", "/var/lib/own") == "750"
    failed = host.berth("start", "own", check=False)
    assert failed.returncode == 1
    assert "/etc/pki, which its config.json binds, does not exist" in failed.stderr


LOGGER = "#!/bin/sh\necho written > /var/log/app.log\ntrap 'exit 0' TERM\nwhile :; do sleep 1; done\n"


def test_a_log_that_is_a_link_to_a_stream_is_named_and_can_go_to_a_file(host):
    files = {"usr/bin/serve": LOGGER, "var/log/app.log": ""}
    made = images.derived(images.plain(), "logger", files, links={"var/log/app.log": "/dev/stdout"}, config=ROOT)
    named = "cannot be opened, for the standard streams of a service are sockets of the journal: /var/log/app.log"
    assert named in host.berth("lint", f"oci:{made.inside}", check=False).stdout
    assert named in host.berth("install", "--name=logger", f"oci:{made.inside}").stderr
    host.path("/etc/systemd/system/logger.service.d").mkdir()
    host.path("/etc/systemd/system/logger.service.d/output.conf").write_text("[Service]\nStandardOutput=append:/var/log/logger\n")
    host.run("systemctl", "daemon-reload")
    host.berth("start", "logger")
    wait_for(lambda: "written\n" in host.path("/var/log/logger").read_text())
