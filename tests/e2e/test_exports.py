# SPDX-License-Identifier: LGPL-2.1-or-later
"""The directory /exports of an image: host files and their templates, directories, tmpfiles.d lines, and units."""

import json
import re

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, in_cgroup_of, leftovers

CONFIG = {
    "ociVersion": "1.0.2",
    "process": {"args": ["/usr/bin/serve"], "cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["PATH=/bin", "GREETING=$GREETING"]},
    "root": {"path": "rootfs", "readonly": True},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/tmp", "type": "bind", "source": "$STATE_DIRECTORY/$NAME/data", "options": ["rbind", "rw"]},
    ],
    "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
}
MANIFEST = {
    "version": "1.0",
    "defaultValues": {"GREETING": "ahoy"},
    "installedFilesTemplate": ["/etc/greeter/greeter.conf"],
    "renameFiles": {"/etc/greeter": "/etc/$NAME", "/usr/local/bin/greet": "/usr/local/bin/$NAME-greet"},
    "somethingNew": True,
}
UNIT = """[Unit]
Description=A unit with its payload as the main process

[Service]
Type=forking
PIDFile=$PIDFILE
ExecStartPre=$EXEC_STARTPRE
ExecStart=$EXEC_START
ExecStop=$EXEC_STOP
ExecStopPost=$EXEC_STOPPOST
WorkingDirectory=$DESTDIR

[Install]
WantedBy=multi-user.target
"""
EXPORTS = {"config.json.template": json.dumps(CONFIG, indent=2), "manifest.json": json.dumps(MANIFEST), "service.template": UNIT}
HOSTFS = {
    "etc/greeter/greeter.conf": "greeting = $GREETING\nname = ${NAME}\nprice = 5$$\n",
    "etc/greeter/plain.conf": "not a template: $GREETING\n",
    "usr/local/bin/greet": "#!/bin/sh\necho hello\n",
    "usr/share/greeter/data": "shared bytes\n",
}


def greeter():
    return images.with_exports("greeter", EXPORTS, HOSTFS)


@pytest.fixture
def installed(host):
    host.berth("install", "--name=greeter1", f"oci:{greeter().inside}")
    return host


def test_only_host_files_that_the_manifest_names_as_templates_are_rendered(installed):
    assert installed.path("/etc/greeter1/greeter.conf").read_text() == "greeting = ahoy\nname = greeter1\nprice = 5$\n"
    assert installed.path("/etc/greeter1/plain.conf").read_text() == "not a template: $GREETING\n"


def test_a_renamed_directory_includes_its_files(installed):
    assert not installed.path("/etc/greeter").exists()
    assert installed.path("/usr/local/bin/greeter1-greet").exists()


def test_every_host_file_is_recorded_with_its_checksum(installed):
    info = json.loads(installed.path(f"{DEPLOYMENTS}/greeter1.0/info").read_text())
    for path in ("/etc/greeter1/greeter.conf", "/etc/greeter1/plain.conf", "/usr/local/bin/greeter1-greet", "/usr/share/greeter/data"):
        assert path in info["installed-files"]
        assert info["installed-files-checksum"][path] == installed.output("sha256sum", path).split()[0]


def test_no_host_file_shares_its_inode_with_the_store(installed):
    """An edit of a host file must not change the image."""
    hostfs = installed.path(f"{DEPLOYMENTS}/greeter1.0/rootfs/exports/hostfs")
    for exported, path in (("usr/share/greeter/data", "/usr/share/greeter/data"), ("etc/greeter/plain.conf", "/etc/greeter1/plain.conf")):
        assert (hostfs / exported).stat().st_ino != installed.path(path).stat().st_ino


def test_missing_bind_sources_get_a_tmpfiles_line(installed):
    text = installed.path("/etc/tmpfiles.d/greeter1.conf").read_text()
    assert re.search(r"^d /var/lib/greeter1/data 0700 0 0 - -$", text, re.MULTILINE)
    assert installed.path("/var/lib/greeter1/data").is_dir()


def test_an_unknown_key_of_the_manifest_is_warned_about(host):
    done = host.berth("install", f"oci:{greeter().inside}")
    assert "somethingNew" in done.stderr


def test_a_unit_with_stoppost_and_pidfile_runs_detached(host):
    exports = dict(EXPORTS)
    config = json.loads(exports["config.json.template"])
    config["process"]["args"] = ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.2; done"]
    exports["config.json.template"] = json.dumps(config)
    image = images.with_exports("detached", exports)
    host.berth("install", "--now", "--name=detached", f"oci:{image.inside}")
    host.wait_stoppable("detached")
    unit = host.unit("detached")
    assert "sleep" in host.output("cat", f"/proc/{unit['MainPID']}/cmdline")
    assert in_cgroup_of(host, unit["MainPID"], unit["ControlGroup"])
    host.berth("uninstall", "detached")


def test_an_image_with_only_host_files_has_no_service(host):
    before = host.snapshot()
    manifest = {"version": "1.0", "noContainerService": True}
    image = images.with_exports("only-files", {"manifest.json": json.dumps(manifest)}, {"usr/local/bin/tool": "#!/bin/sh\necho tool\n"})
    host.berth("install", "--name=tool", f"oci:{image.inside}")
    assert host.path("/usr/local/bin/tool").exists()
    assert not host.path("/etc/systemd/system/tool.service").exists()
    assert not host.path(f"{DEPLOYMENTS}/tool.0/rootfs").exists()
    assert [row["state"] for row in host.listed("-a")] == ["no service"]
    host.berth("uninstall", "tool")
    assert leftovers(before, host.snapshot()) == []


def test_files_that_are_not_utf_8_are_planned_and_written(host):
    image = f"oci:{images.latin().inside}"
    assert host.berth_json("install", "--dry-run", image)["unit"].startswith("# caf\ufffd of latin\n")
    host.berth("install", image)
    assert host.path("/etc/latin").read_bytes() == b"caf\xe9 of latin\n"
    assert host.path("/etc/systemd/system/latin.service").read_bytes().startswith(b"# caf\xe9 of latin\n")
    assert host.berth_json("inspect", "latin")["name"] == "latin"
    host.berth("uninstall", "latin")
    assert not host.path("/etc/latin").exists()


def test_uninstall_removes_everything(host):
    before = host.snapshot()
    host.berth("install", "--name=greeter1", f"oci:{greeter().inside}")
    host.berth("uninstall", "greeter1")
    state = [line for line in leftovers(before, host.snapshot()) if not line.startswith("+ /var/lib/greeter1")]
    assert state == []


def test_values_that_berth_provides_are_recorded(installed):
    values = installed.berth_json("inspect", "greeter1")["values"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", values["UUID"])
    assert values["DESTDIR"] == f"{DEPLOYMENTS}/greeter1.0"
    assert values["PIDFILE"] == "/run/container-greeter1.pid"
    assert values["ATOMIC"] == "/usr/bin/berth"
    assert values["ALL_PROCESS_CAPABILITIES"].startswith('"CAP_CHOWN"')
