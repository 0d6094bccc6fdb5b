# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks that are full, read-only or separate: a command fails with a remedy and changes nothing, and succeeds as soon as there
is space."""

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, leftovers
from rig.shell import run

HELLO = f"oci:{images.hello_world().inside}"
FULL = "No space left on device"


class SmallDisk:
    """A tmpfs over a directory of the host, with limits that can be changed."""

    def __init__(self, host, directory):
        self.host, self.directory = host, directory
        host.run("sh", "-c", f"mkdir -p {directory} && cp -a {directory} /run/kept && mount -t tmpfs small {directory} && cp -a /run/kept/. {directory}/")

    def bound(self, **bounds):
        self.host.run("mount", "-o", "remount," + ",".join(f"{key}={value}" for key, value in bounds.items()), self.directory)

    def used(self, what):
        """@param what iused, a number of files, or used, of KiB"""
        return int(self.host.output("df", "-k", f"--output={what}", self.directory).split()[-1])


CHECKED = ("/etc", "/var")


def refused_as_full(host, before, *argv):
    """Whether the command failed because the disk is full; then it must have changed nothing."""
    done = host.berth(*argv, check=False)
    if done.returncode == 0:
        return False
    assert done.returncode == 1, done.stderr
    error, _, hint = done.stderr.partition("\nhint: ")
    assert FULL in error or "min-free-space" in error or "does not fit" in error, done.stderr
    assert "free" in hint and "space" in hint, done.stderr
    warnings = [line for line in done.stderr.splitlines() if "warning" in line and "can do what root on this host can" not in line]
    assert warnings == [], done.stderr
    assert leftovers(before, host.mounted_snapshot(*CHECKED)) == []
    return True


@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.8, 0.97])
def test_a_pull_onto_a_disk_that_becomes_full(part, shared_host, whole_image):
    """@param part the free space, as a fraction of what the image needs. Afterwards the same command succeeds in the same repository."""
    disk, kilobytes = whole_image
    run("rm", "-rf", *shared_host.mounted_path(DEPLOYMENTS).iterdir())
    disk.bound(size=f"{int(kilobytes * part)}k")
    before = shared_host.mounted_snapshot(*CHECKED)
    assert refused_as_full(shared_host, before, "pull", HELLO)
    assert shared_host.stored() == []
    disk.bound(size="1g")
    shared_host.berth("pull", HELLO)
    assert len(shared_host.stored()) == 1
    run("ostree", f"--repo={shared_host.mounted_path(DEPLOYMENTS)}/.storage/ostree", "fsck", "--quiet")


@pytest.fixture(scope="module")
def whole_image(shared_host):
    """(a small disk for the deployments, KiB that the image needs)"""
    disk = SmallDisk(shared_host, DEPLOYMENTS)
    empty = disk.used("used")
    shared_host.berth("pull", HELLO)
    return disk, disk.used("used") - empty


def test_an_install_that_lacks_inodes(host):
    """Each try has inodes for one more file: the lock, the directory, the checkout, config.json, info, the unit, the record, the link.
    Most files of the checkout are skipped; each of its hard links counts as an inode."""
    disk = SmallDisk(host, DEPLOYMENTS)
    host.berth("pull", HELLO)
    before, stored = host.mounted_snapshot(*CHECKED), disk.used("iused")
    host.berth("install", "--name=hello", HELLO)
    needed = disk.used("iused") - stored
    host.berth("uninstall", "hello")
    refusals = 0
    for room in [*range(4), needed // 2, *range(needed - 2, needed + 10)]:
        disk.bound(nr_inodes=stored + room)
        if not refused_as_full(host, before, "install", "--name=hello", HELLO):
            break
        refusals += 1
    else:
        raise AssertionError(f"the install failed with {room} free inodes, and needs {needed}: {refusals} refusals")
    assert refusals >= 9
    host.berth("start", "hello")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"


@pytest.mark.parametrize("directory", ["/etc/systemd/system", "/etc/tmpfiles.d", "/etc/filled"])
def test_a_full_disk_for_files_of_the_host(directory, shared_host):
    """The unit, the tmpfiles.d file and the host file, each on a disk without a free inode."""
    image = images.with_exports("filling", {"tmpfiles.template": "d /run/filling - - - -\n"}, {"etc/filled/one.conf": "x\n"})
    shared_host.berth("pull", f"oci:{image.inside}")
    disk = SmallDisk(shared_host, directory)
    before = shared_host.mounted_snapshot(*CHECKED)
    disk.bound(nr_inodes=disk.used("iused"))
    assert refused_as_full(shared_host, before, "install", "--name=filling", f"oci:{image.inside}")
    shared_host.run("umount", "--lazy", directory)
    assert shared_host.unit("filling", "LoadState")["LoadState"] == "not-found"


@pytest.mark.parametrize("room", [0, 4, 8])
def test_an_install_that_lacks_bytes(room, host):
    """@param room the free space in KiB; the files of the deployment need more."""
    disk = SmallDisk(host, DEPLOYMENTS)
    host.berth("pull", HELLO)
    before = host.mounted_snapshot(*CHECKED)
    disk.bound(size=f"{disk.used('used') + room}k")
    assert refused_as_full(host, before, "install", "--name=hello", HELLO)


def test_an_uninstall_works_on_a_full_disk(host):
    """No inode and no block is free: neither the lock nor the record can be written."""
    disk = SmallDisk(host, DEPLOYMENTS)
    host.berth("pull", HELLO)
    before = host.mounted_snapshot(*CHECKED)
    host.berth("install", "--now", "--name=hello", HELLO)
    disk.bound(nr_inodes=disk.used("iused"), size=f"{disk.used('used')}k")
    host.berth("uninstall", "hello")
    assert leftovers(before, host.mounted_snapshot(*CHECKED)) == []
    assert host.unit("hello", "LoadState")["LoadState"] == "not-found"


# -- read-only ---------------------------------------------------------------------------------------------------


@pytest.fixture
def read_only(shared_host):
    """A function that makes directories read-only until the end of the test."""
    mounted = []

    def change(*directories):
        for directory in directories:
            shared_host.run("mount", "--bind", directory, directory)
            shared_host.run("mount", "-o", "remount,ro,bind", directory)
            mounted.append(directory)

    yield change
    for directory in reversed(mounted):
        shared_host.run("umount", "--lazy", directory)


@pytest.mark.parametrize("directory, named", [("/etc", "/etc/systemd/system/hello.service"), ("/var", DEPLOYMENTS)])
def test_a_read_only_directory_is_named(directory, named, shared_host, read_only):
    read_only(directory)
    before = shared_host.mounted_snapshot(*CHECKED)
    done = shared_host.berth("install", "--name=hello", HELLO, check=False)
    assert done.returncode == 5
    assert named in done.stderr and "Read-only file system" in done.stderr
    assert "mount it writable" in done.stderr
    assert "while undoing" not in done.stderr  # nothing was created, so nothing is undone
    assert leftovers(before, shared_host.mounted_snapshot(*CHECKED)) == []


def test_an_install_works_with_a_read_only_usr(shared_host, read_only):
    read_only("/usr")
    before = shared_host.mounted_snapshot(*CHECKED)
    shared_host.berth("install", "--name=hello", HELLO)
    shared_host.berth("uninstall", "hello")
    assert leftovers(before, shared_host.mounted_snapshot(*CHECKED)) == []


def test_a_host_file_below_a_read_only_usr_is_refused(shared_host, read_only):
    image = images.with_exports("to-usr", {}, {"usr/local/bin/of-the-image": "x\n"})
    read_only("/usr")
    before = shared_host.mounted_snapshot(*CHECKED)
    done = shared_host.berth("install", "--name=to-usr", f"oci:{image.inside}", check=False)
    assert done.returncode == 5
    assert "/usr/local/bin" in done.stderr and "Read-only file system" in done.stderr
    assert "while undoing" not in done.stderr
    assert leftovers(before, shared_host.mounted_snapshot(*CHECKED)) == []


def test_lists_work_on_a_read_only_system(shared_host, read_only):
    read_only("/etc", "/usr", "/var")
    assert shared_host.listed("-a") == []
    shared_host.berth("images", "list")


# -- separate --------------------------------------------------------------------------------------------------


def test_repository_and_deployments_on_different_file_systems(shared_host):
    """The install fails before it fetches anything."""
    shared_host.run("mkdir -p /srv/other && mount -t tmpfs other /srv/other")
    shared_host.run("sh", "-c", "printf '[paths]\\nrepository = \"/srv/other/repository\"\\n' > /root/divided.conf")
    before = shared_host.mounted_snapshot(*CHECKED)
    done = shared_host.berth("--config=/root/divided.conf", "install", "--name=hello", HELLO, check=False)
    assert done.returncode == 1
    assert "another file system" in done.stderr and "one file system; see [paths] in berth.conf(5)" in done.stderr
    assert "fetching" not in done.stderr
    added = [line for line in leftovers(before, shared_host.mounted_snapshot(*CHECKED)) if "/srv/other/repository" not in line]
    assert added == []
    shared_host.run("umount", "--lazy", "/srv/other")
