"""A host that berth 0.1.0 left when everybody could still enter its directories, with commands killed in the middle: whatever
the first command of the present version is, it mends all of it. (rig/former.py, former/make.py)"""

import json
import pathlib
import re
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

# What a boot and dpkg change, what a user has, and what an uninstall leaves.
STAYS = ["/etc/machine-id", "/var/lib/dbus", "/var/lib/dpkg", "/var/log", "/home/ann", "/usr/lib/containers", "/var/lib/containers", "/var/lib/berth",
         "/usr/lib/systemd/system/built-in.service", "/usr/lib/systemd/system/multi-user.target.wants/built-in.service",
         "/usr/lib/tmpfiles.d/built-in.conf", *(f"/var/lib/{name}" for name in (*former.LIVE, *former.UNDONE, *former.COMPLETED, "built-in"))]  # fmt: skip


@pytest.fixture
def left(site):
    """A host as it was left, which does not run yet."""
    host = site.host(boot=False)
    former.unpack(host.tree)
    return host


def mode(host, path):
    return stat.S_IMODE(host.path(path).stat().st_mode)


def names_below(host, *places):
    lines = run("find", *(host.path(place) for place in places), "-path", host.path(f"{DEPLOYMENTS}/.storage"), "-prune", "-o", "-print").stdout
    return ["/" + str(pathlib.Path(line).relative_to(host.tree)) for line in lines.splitlines()]


def check_closed(host):
    """Nothing of an image, and nothing that a payload wrote, can be reached by others."""
    for place in (DEPLOYMENTS, REPOSITORY, former.PREINSTALLED, *VOLUMES):
        if host.path(place).exists():
            assert mode(host, place) & 0o077 == 0, place
    assert mode(host, "/var/lib/older") & 0o007 == 0
    assert host.path("/etc/tmpfiles.d/older.conf").read_text() == "d /var/lib/older 0750 - - - -\n"
    for directory in [*host.path(DEPLOYMENTS).glob("*.[01]"), *host.path(former.PREINSTALLED).glob("*.[01]")]:
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700, directory


def check_recovered(host):
    """What was killed is as it was, or done."""
    assert not host.path(former.NOTES).exists() and not host.path(f"{DEPLOYMENTS}/.locks").exists()
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
    gone = [name for name in names_below(host, "/etc", "/usr/local", DEPLOYMENTS) if "install-killed" in name]
    assert gone == []


@pytest.mark.parametrize("words", FIRST, ids=" ".join)
def test_the_first_command_mends_it(site, left, words):
    done = berth_on(site, left, *words)
    assert "other users could enter" in done.stderr
    check_closed(left)
    if words[0] in ("recover", "update", "rollback", "uninstall"):
        check_recovered(left)
    again = berth_on(site, left, "containers", "list")
    assert "other users" not in again.stderr


def test_everything_can_be_used_afterwards(site, left):
    berth_on(site, left, "recover")
    check_recovered(left)
    berth_on(site, left, "images", "verify")
    assert left.path(f"{REPOSITORY}/.berth-private").read_text() == ""
    rows = json.loads(berth_on(site, left, "containers", "list", "--all", "--json").stdout)["containers"]
    assert {row["container"] for row in rows} == {*former.LIVE, "built-in", "update-killed", "rollback-killed", "update-committed"}
    # Volumes move with an update and come back with a rollback.
    left.path("/var/lib/lean/data/precious").write_text("kept\n")
    berth_on(site, left, "update", "lean")
    assert left.path("/var/lib/berth/lean/data/precious").read_text() == "kept\n"
    assert mode(left, "/var/lib/berth") == 0o700 and not left.path("/var/lib/lean").exists()
    berth_on(site, left, "rollback", "lean")
    assert left.path("/var/lib/lean/data/precious").read_text() == "kept\n" and mode(left, "/var/lib/lean") == 0o700
    berth_on(site, left, "rollback", "web")
    assert left.path("/etc/web/web.conf").read_text() == "greeting = hello of version 1\n"
    # What the administrator wanted stays so.
    for name in ("masked", "disabled"):
        berth_on(site, left, "update", name)
    assert left.path("/etc/systemd/system/masked.service").readlink() == pathlib.Path("/dev/null")
    assert not left.path("/etc/systemd/system/multi-user.target.wants/disabled.service").exists()


def test_a_boot_mends_it_and_everything_runs_and_goes(site, work):
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
    assert "asks for more" not in host.berth("update", "--all", "--no-pull", "--settle=0").stderr
    assert host.path("/var/lib/berth/lean/data/tool").exists() and not host.path("/var/lib/lean").exists()
    assert host.berth("images", "verify").returncode == 0

    # The user's own.
    assert ann.unit("own")["ActiveState"] == "active"
    assert [row["container"] for row in ann.berth_json("containers", "list")["containers"]] == ["own"]
    assert stat.S_IMODE(ann.path(".data/own").stat().st_mode) == 0o700
    ann.berth("update", "--settle=0", "own")
    ann.berth("rollback", "--settle=0", "own")
    ann.berth("uninstall", "own")

    host.berth("uninstall", *(row["container"] for row in host.listed("--all") if not row["preinstalled"]))
    assert host.run("dpkg-query", "--show", "atomic-container-packaged", check=False).returncode != 0
    # Data stay, out of reach, and what is stored; all else is gone.
    left = before.without(*STAYS).difference(host.snapshot("/etc", "/usr", "/var", "/home").without(*STAYS))
    assert left == []
    for name in (*former.LIVE, "built-in"):
        places = [host.path(place) for place in (f"/var/lib/{name}", f"/var/lib/berth/{name}", "/var/lib/berth")]
        assert all(place.stat().st_mode & 0o007 == 0 for place in places if place.exists())
