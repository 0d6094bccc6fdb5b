# SPDX-License-Identifier: LGPL-2.1-or-later
"""--rootfs: a container with a remote root file system; and host files that share blocks with a checkout."""

import json
import re

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, leftovers
from rig.installed import installed
from rig.shell import run

NAME = "localhost/hello-world:latest"


@pytest.fixture
def box(host):
    """A directory of the host with the bundle of hello-world, unpacked by umoci."""
    run("umoci", "unpack", "--image", images.hello_world().layout, host.path("/srv/box"))
    return "/srv/box"


def test_a_service_runs_from_a_remote_root_without_an_image(host, box):
    before = host.snapshot()
    host.berth("install", "--now", "--name=remote", "--rootfs", box, NAME)
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"
    assert host.path(f"{DEPLOYMENTS}/remote.0/rootfs").readlink().as_posix() == f"{box}/rootfs"
    config = json.loads(host.path(f"{DEPLOYMENTS}/remote.0/config.json").read_text())
    assert config["root"] == {"path": f"{box}/rootfs", "readonly": True}
    assert json.loads(host.path(f"{DEPLOYMENTS}/remote.0/info").read_text())["remote"] == f"{box}/rootfs"
    (row,) = host.listed()
    assert (row["container"], row["image"], row["state"]) == ("remote", NAME, "running")
    assert host.stored() == []
    host.berth("uninstall", "remote")
    assert leftovers(before, host.snapshot()) == []


def test_rootfs_may_be_relative_and_used_with_values(host, box):
    host.run(f"cd /srv && berth install --name=remote --set RECEIVER=You --rootfs box/rootfs {NAME}")
    host.berth("start", "remote")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi You!"


def test_two_containers_can_share_a_remote_root(host, box):
    for name, port in (("one", 8091), ("two", 8092)):
        host.berth("install", "--now", f"--name={name}", "--set", f"PORT={port}", "--rootfs", box, NAME)
    assert [host.fetch(f"http://127.0.0.1:{port}/") for port in (8091, 8092)] == ["Hi World!"] * 2
    host.berth("uninstall", "one")
    assert host.fetch("http://127.0.0.1:8092/") == "Hi World!"


@pytest.mark.parametrize(
    ("prepare", "rootfs", "code", "words"),
    [
        ("true", "/srv/nowhere", 3, "/srv/nowhere"),
        ("touch /srv/file", "/srv/file", 1, "Not a directory"),
        ("true", "/", 2, "root file system of the host itself"),
        ("mkdir /srv/empty", "/srv/empty", 1, "no command"),
        ("mkdir -p /srv/evil && ln -s /etc /srv/evil/exports", "/srv/evil", 6, "/exports in the image is a symbolic link"),
        ("mkdir /srv/evil && ln -s / /srv/evil/rootfs", "/srv/evil", 2, "is a symbolic link"),
    ],
)
def test_refusals_leave_the_host_unchanged(prepare, rootfs, code, words, shared_host):
    shared_host.run("/bin/sh", "-c", prepare)
    before = shared_host.snapshot()
    done = shared_host.berth("install", "--rootfs", rootfs, NAME, check=False)
    shared_host.run("rm", "-rf", "/srv/file", "/srv/empty", "/srv/evil")
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert [line for line in leftovers(before, shared_host.snapshot()) if " /srv/" not in line] == []


@pytest.fixture
def cloning_tree(site):
    """An empty tree on a file system that can clone files."""
    disk, mount = site.directory / "disk", site.directory / "mount"
    site.directory.mkdir(exist_ok=True)
    mount.mkdir()
    run("truncate", "--size=320M", disk)
    run("mkfs.xfs", "-q", "-m", "reflink=1", disk)
    run("mount", "-o", "loop", disk, mount)
    (mount / "usr/bin").mkdir(parents=True)
    (mount / "etc").mkdir()
    runtime = mount / "usr/bin/runc"
    runtime.write_text("#!/bin/sh\necho runc version 1.1.5\n")
    runtime.chmod(0o755)
    yield mount
    run("umount", mount)


def shared_blocks(path):
    """Whether a file shares blocks with another one."""
    return "shared" in re.sub(r"^.*?extents", "", run("filefrag", "-v", path).stdout, flags=re.DOTALL)


@pytest.mark.parametrize(("use_links", "shared"), [(True, [True, False]), (False, [False, False])])
def test_files_below_usr_are_clones_that_can_be_edited(use_links, shared, cloning_tree, site):
    text = "bytes of the image\n" * 4000
    image = images.with_exports(
        f"links-{use_links}".lower(),
        {"manifest.json": json.dumps({"version": "1.0", "useLinks": use_links, "noContainerService": True})},
        {"usr/bin/tool": text, "opt/tool": text},
    )
    env = {"BERTH_DATADIR": str(installed() / "usr/share/berth")}
    run(installed() / "usr/bin/berth", "--root", cloning_tree, "install", "--name=c", f"oci:{image.layout}", env=env)
    run("sync")
    assert [shared_blocks(cloning_tree / path) for path in ("usr/bin/tool", "opt/tool")] == shared
    tool = cloning_tree / "usr/bin/tool"
    assert tool.stat().st_nlink == 1
    with open(tool, "r+", encoding="utf-8") as opened:  # in place, as some editors do
        opened.write("edited")
    tool.chmod(0o777)
    objects = cloning_tree / f"{DEPLOYMENTS.lstrip('/')}/.storage/ostree"
    assert run("ostree", f"--repo={objects}", "fsck", "--quiet").returncode == 0
