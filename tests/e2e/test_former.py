# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host that berth 0.1.0 left with deployment directories that all users can enter, and with killed commands: the first command
of the present version repairs it, whatever command that is. (rig/former.py, former/make.py)"""

import json
import pathlib
import stat

import pytest
from rig import former
from rig.checks import DEPLOYMENTS
from rig.shell import run
from rig.users import User
from test_offline_root import berth_on

REPOSITORY = f"{DEPLOYMENTS}/.storage/ostree"
VOLUMES = [f"/var/lib/{name}" for name in ("web", "lean", "masked", "disabled", "packaged", "built-in", *former.UNDONE[:2])]
FIRST = [("containers", "list"), ("images", "verify"), ("update", "lean"), ("rollback", "web"), ("uninstall", "web"), ("inspect", "web")]

# Files that a boot, dpkg and the user change, and those that an uninstall keeps.
KEPT = ["/etc/machine-id", "/var/lib/dbus", "/var/lib/dpkg", "/var/log", "/home/ann", "/usr/lib/containers", "/var/lib/containers", "/var/lib/berth",
         "/usr/lib/systemd/system/built-in.service", "/usr/lib/systemd/system/multi-user.target.wants/built-in.service",
         "/usr/lib/tmpfiles.d/built-in.conf", *(f"/var/lib/{name}" for name in (*former.LIVE, *former.UNDONE, *former.COMPLETED, "built-in"))]  # fmt: skip


@pytest.fixture
def left(site):
    """The host as berth 0.1.0 left it, not booted."""
    host = site.host(boot=False)
    former.unpack(host.tree)
    return host


def mode(host, path):
    return stat.S_IMODE(host.path(path).stat().st_mode)


def names_below(host, *directories):
    lines = run("find", *(host.path(directory) for directory in directories), "-path", host.path(f"{DEPLOYMENTS}/.storage"), "-prune", "-o", "-print").stdout
    return ["/" + str(pathlib.Path(line).relative_to(host.tree)) for line in lines.splitlines()]


def check_closed(host):
    """Other users can reach neither files of images nor data of payloads."""
    for directory in (DEPLOYMENTS, REPOSITORY, former.PREINSTALLED, *VOLUMES):
        if host.path(directory).exists():
            assert mode(host, directory) & 0o077 == 0, directory
    assert mode(host, "/var/lib/older") & 0o007 == 0
    assert host.path("/etc/tmpfiles.d/older.conf").read_text() == "d /var/lib/older 0750 - - - -\n"
    for directory in [*host.path(DEPLOYMENTS).glob("*.[01]"), *host.path(former.PREINSTALLED).glob("*.[01]")]:
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700, directory


def check_recovered(host):
    """Every killed command was undone or completed."""
    assert not host.path(former.RECORDS).exists() and not host.path(f"{DEPLOYMENTS}/.locks").exists()
    left_over = [name for name in names_below(host, "/etc", "/usr/local", DEPLOYMENTS) if "/.berth-" in name or "/.waiting-" in name]
    assert left_over == []
    for name, slot, version in (("update-killed", 0, 1), ("rollback-killed", 1, 2), ("update-committed", 1, 2)):
        assert host.path(f"{DEPLOYMENTS}/{name}").readlink() == pathlib.Path(f"{name}.{slot}")
        assert host.path(f"/etc/{name}/{name}.conf").read_text() == f"greeting = ahoy of version {version}\n"
        unit = host.path(f"/etc/systemd/system/{name}.service")
        assert unit.read_text() == host.path(f"{DEPLOYMENTS}/{name}.{slot}/{name}.service").read_text()
        assert host.path(f"/etc/systemd/system/multi-user.target.wants/{name}.service").is_symlink()
        assert host.path(f"/usr/local/bin/{name}ctl").exists()
    assert not host.path(f"{DEPLOYMENTS}/update-killed.1").exists()
    left_over = [name for name in names_below(host, "/etc", "/usr/local", DEPLOYMENTS) if "install-killed" in name]
    assert left_over == []


@pytest.mark.parametrize("words", FIRST, ids=" ".join)
def test_the_first_command_repairs_the_host(site, left, words):
    done = berth_on(site, left, *words)
    assert "other users could enter" in done.stderr
    check_closed(left)
    if words[0] in ("update", "rollback", "uninstall"):
        check_recovered(left)
    again = berth_on(site, left, "containers", "list")
    assert "other users" not in again.stderr


def test_all_containers_can_be_changed_afterwards(site, left):
    berth_on(site, left, "recover")
    check_recovered(left)
    berth_on(site, left, "images", "verify")
    assert left.path(f"{REPOSITORY}/.berth-private").read_text() == ""
    rows = json.loads(berth_on(site, left, "containers", "list", "--all", "--json").stdout)["containers"]
    assert {row["container"] for row in rows} == {*former.LIVE, "built-in", "update-killed", "rollback-killed", "update-committed"}
    # An update moves volumes, and a rollback moves them back.
    left.path("/var/lib/lean/data/precious").write_text("kept\n")
    berth_on(site, left, "update", "lean")
    assert left.path("/var/lib/berth/lean/data/precious").read_text() == "kept\n"
    assert mode(left, "/var/lib/berth") == 0o700 and not left.path("/var/lib/lean").exists()
    berth_on(site, left, "rollback", "lean")
    assert left.path("/var/lib/lean/data/precious").read_text() == "kept\n" and mode(left, "/var/lib/lean") == 0o700
    berth_on(site, left, "rollback", "web")
    assert left.path("/etc/web/web.conf").read_text() == "greeting = hello of version 1\n"
    # Units stay masked and disabled.
    for name in ("masked", "disabled"):
        berth_on(site, left, "update", name)
    assert left.path("/etc/systemd/system/masked.service").readlink() == pathlib.Path("/dev/null")
    assert not left.path("/etc/systemd/system/multi-user.target.wants/disabled.service").exists()


def test_a_boot_repairs_the_host_and_all_containers_run_and_can_be_uninstalled(site, work):
    host = site.host(boot=False)
    ann = User(host, former.USER)
    before = host.snapshot("/etc", "/usr", "/var", "/home")
    former.unpack(host.tree)
    run("chroot", host.tree, "dpkg", "--install", f"{DEPLOYMENTS}/packaged.0/package.deb")
    run("chroot", host.tree, "systemctl", "enable", "berth-recover.service")
    host.boot()
    check_closed(host)
    check_recovered(host)
    assert host.unit("berth-recover.service", "Result", "ConditionResult") == {"Result": "success", "ConditionResult": "yes"}
    for name, runtime in (("web", "runc"), ("lean", "crun"), ("built-in", "runc"), ("older", "runc")):
        assert host.unit(name)["ActiveState"] == "active", name
        assert name in host.containers(runtime)
    for name in ("masked", "disabled"):
        assert host.unit(name)["ActiveState"] == "inactive"
    assert "asks for additional privileges" not in host.berth("update", "--all", "--no-pull", "--settle=0").stderr
    assert host.path("/var/lib/berth/lean/data/tool").exists() and not host.path("/var/lib/lean").exists()
    assert host.berth("images", "verify").returncode == 0

    # The container of the user.
    assert ann.unit("own")["ActiveState"] == "active"
    assert [row["container"] for row in ann.berth_json("containers", "list")["containers"]] == ["own"]
    assert stat.S_IMODE(ann.path(".data/own").stat().st_mode) == 0o700
    ann.berth("update", "--settle=0", "own")
    ann.berth("rollback", "--settle=0", "own")
    ann.berth("uninstall", "own")

    host.berth("uninstall", *(row["container"] for row in host.listed("--all") if not row["preinstalled"]))
    assert host.run("dpkg-query", "--show", "atomic-container-packaged", check=False).returncode != 0
    # Data and stored images remain, closed to other users; everything else was removed.
    left = before.without(*KEPT).difference(host.snapshot("/etc", "/usr", "/var", "/home").without(*KEPT))
    assert left == []
    for name in (*former.LIVE, "built-in"):
        directories = [host.path(path) for path in (f"/var/lib/{name}", f"/var/lib/berth/{name}", "/var/lib/berth")]
        assert all(directory.stat().st_mode & 0o007 == 0 for directory in directories if directory.exists())
