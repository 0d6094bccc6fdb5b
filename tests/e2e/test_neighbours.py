# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other users of the host cannot reach the files of images, in any directory, and cannot become root by them."""

import json
import os
import pathlib

import pytest
from rig import images
from rig.atomic import AtomicInstaller
from rig.checks import DEPLOYMENTS
from rig.shell import run
from test_offline_root import berth_on

NEIGHBOURS = pytest.mark.parametrize("uid", [65534, 1000])
MARK = f"{DEPLOYMENTS}/.storage/ostree/.berth-private"
PREINSTALLED = "/usr/lib/containers/berth"


def attempts(rootfs):
    """A script that misuses a root file system of the image `tempting`, and prints each way that worked."""
    return f"""
        ls {rootfs} >/dev/null 2>&1 && echo listed
        test "$({rootfs}/usr/bin/tempting-id -u 2>/dev/null)" = 0 && echo setuid
        {rootfs}/usr/bin/tempting-cat /etc/shadow >/dev/null 2>&1 && echo capability
        for file in everybody guest; do
            {{ echo tampered >> {rootfs}/srv/$file; }} 2>/dev/null && echo $file
        done
        true"""


def as_user(host, uid, script):
    """Runs a script in a shell as a user. setpriv itself still has the capabilities of root when it executes a program."""
    words = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--", "sh", "-c", script]
    return host.run(*words, check=False)


def worked(host, uid, rootfs):
    return as_user(host, uid, attempts(rootfs)).stdout.split()


def objects(host, repository=f"{DEPLOYMENTS}/.storage/ostree"):
    """The objects of setuid programs in a repository."""
    found = run("find", host.path(f"{repository}/objects"), "-name", "*.file", "-perm", "-4755").stdout.split()
    assert found
    return ["/" + os.path.relpath(path, host.tree) for path in found]


def open_as_before(host):
    """Sets the modes of directories that berth 0.1.0 set."""
    for directory in (DEPLOYMENTS, f"{DEPLOYMENTS}/.storage", *(f"{DEPLOYMENTS}/{name}" for name in ("calm.0",))):
        host.path(directory).chmod(0o755)
    host.path(MARK).unlink()


MAPPED = {
    "config.json.template": json.dumps({
        "ociVersion": "1.0.2", "process": {"args": ["/bin/sleep", "1000"], "cwd": "/"},
        "root": {"path": "rootfs", "readonly": True},
        "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "user"}],
                  **{f"{kind}Mappings": [{"containerID": 0, "hostID": 100000, "size": 65536}] for kind in ("uid", "gid")}},
        # The files of the image belong to root, so root of the namespace cannot create files in /dev.
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                   {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
    }),
}  # fmt: skip


@pytest.fixture(scope="module")
def reference(shared_site):
    return shared_site.pushed(images.tempting())


@pytest.fixture(scope="module")
def calm(shared_host, reference):
    shared_host.berth("install", "--name=calm", reference)
    return shared_host


def test_the_first_command_closes_directories_that_an_earlier_version_left_open(calm):
    """Files that were changed in the meantime are not deployed again."""
    open_as_before(calm)
    # All attempts of this file succeed while the directories are open.
    tried = worked(calm, 1000, f"{DEPLOYMENTS}/calm.0/rootfs")
    assert tried == ["listed", "setuid", "capability", "everybody", "guest"]
    messages = calm.berth("containers", "list", "--all").stderr
    assert f"other users could enter {DEPLOYMENTS}" in messages and "berth images verify" in messages
    assert worked(calm, 1000, f"{DEPLOYMENTS}/calm.0/rootfs") == []
    assert calm.berth("containers", "list", "--all").stderr == ""
    refused = calm.berth("install", "--name=second", calm.stored()[0]["repository"], check=False)
    assert refused.returncode == 6 and "berth images repair" in refused.stderr
    assert not calm.path(f"{DEPLOYMENTS}/second").exists()
    assert calm.berth("images", "verify", check=False).returncode == 6
    calm.berth("images", "repair", calm.stored()[0]["repository"])
    assert calm.path(f"{DEPLOYMENTS}/calm.0/rootfs/srv/guest").read_text() == "as it was\n"
    calm.berth("images", "verify")
    assert calm.path(MARK).read_text() == ""
    calm.berth("install", "--name=second", calm.stored()[0]["repository"])
    calm.berth("uninstall", "second")


def test_a_boot_closes_the_directories(calm):
    open_as_before(calm)
    calm.run("systemctl", "enable", "berth-recover.service")
    calm.reboot()
    assert worked(calm, 1000, f"{DEPLOYMENTS}/calm.0/rootfs") == []
    calm.berth("images", "verify")
    calm.reboot()
    assert calm.unit("berth-recover.service", "ConditionResult") == {"ConditionResult": "no"}


@NEIGHBOURS
def test_deployments_and_objects_are_closed(calm, uid):
    assert worked(calm, uid, f"{DEPLOYMENTS}/calm.0/rootfs") == []
    for path in objects(calm):
        assert as_user(calm, uid, f"{path} -u").returncode != 0
    for directory in (".locks", ".transactions", ".storage", ".storage/ostree", "calm.0"):
        if calm.path(f"{DEPLOYMENTS}/{directory}").exists():
            assert calm.path(f"{DEPLOYMENTS}/{directory}").stat().st_mode & 0o077 == 0


@NEIGHBOURS
def test_a_run_of_an_image_is_closed(calm, reference, uid):
    process = calm.start_process("berth", "run", reference, "sleep", "1000")
    try:
        (program,) = calm.wait_for(lambda: list(calm.path(DEPLOYMENTS).glob(".staging-*/rootfs/usr/bin/tempting-id")), "the checkout of the run")
        rootfs = "/" + str(program.parents[2].relative_to(calm.tree))
        assert worked(calm, uid, rootfs) == []
    finally:
        calm.end_process(process)
        calm.berth("recover")


@NEIGHBOURS
def test_a_view_is_closed(calm, reference, uid):
    calm.path("/srv/view").mkdir(exist_ok=True)
    calm.berth("mount", reference, "/srv/view")
    try:
        assert worked(calm, uid, "/srv/view") == []
        assert "tempting-id" in calm.output("ls", "/srv/view/usr/bin")
    finally:
        calm.berth("umount", "/srv/view")


def test_a_view_is_mounted_on_the_directory_that_was_named(calm, reference):
    """The owner of its parent directory replaces it by a link while the mount waits for the store."""
    lock = calm.start_process("flock", "--no-fork", f"{DEPLOYMENTS}/.storage/ostree/.berth-lock", "sleep", "1000")
    calm.wait_for(lambda: os.readlink(f"/proc/{calm.inner_pid(lock)}/exe"), "flock to take the lock and run sleep", lambda program: program.endswith("/sleep"))
    calm.run("install", "-d", "-o", "1000", "-g", "1000", "/srv/home", "/srv/home/view")
    process = calm.start_process("berth", "mount", reference, "/srv/home/view")
    opened = pathlib.Path(f"/proc/{calm.inner_pid(process)}/fd")
    calm.wait_for(lambda: [os.path.realpath(fd) for fd in opened.iterdir()], "the mount to open /srv/home/view",
                  lambda paths: any(path.endswith("/srv/home/view") for path in paths))  # fmt: skip
    assert as_user(calm, 1000, "mv /srv/home/view /srv/home/moved && ln -s /etc /srv/home/view").returncode == 0
    calm.end_process(lock)
    assert process.finish() == 0
    assert "tempting-id" in calm.output("ls", "/srv/home/moved/usr/bin")
    assert calm.run("findmnt", "/etc", check=False).returncode != 0
    calm.berth("umount", "/srv/home/moved")


def test_only_root_of_a_user_namespace_passes(calm):
    calm.berth("install", "--now", "--name=mapped", f"oci:{images.with_exports('mapped', MAPPED).inside}")
    assert calm.unit("mapped", "ActiveState") == {"ActiveState": "active"}
    status = calm.path(f"{DEPLOYMENTS}/mapped.0").stat()
    assert (status.st_mode & 0o777, status.st_gid) == (0o710, 100000)
    assert calm.path(DEPLOYMENTS).stat().st_mode & 0o777 == 0o710
    assert calm.path(f"{DEPLOYMENTS}/calm.0").stat().st_mode & 0o777 == 0o700
    assert calm.berth("containers", "list").stderr == ""
    assert worked(calm, 1000, f"{DEPLOYMENTS}/mapped.0/rootfs") == []
    calm.run("systemctl", "kill", "--signal=KILL", "mapped")  # it ignores SIGTERM, so a stop would take 90 s
    calm.berth("uninstall", "mapped")


def test_preinstalled_containers_are_closed(shared_site, calm, reference):
    berth_on(shared_site, calm, "install", "--preinstall", "--name=built-in", reference)
    for uid in (65534, 1000):
        assert worked(calm, uid, f"{PREINSTALLED}/built-in.0/rootfs") == []
    calm.path(PREINSTALLED).chmod(0o755)  # as another package may create it
    for uid in (65534, 1000):
        assert worked(calm, uid, f"{PREINSTALLED}/built-in.0/rootfs") == []
    berth_on(shared_site, calm, "uninstall", "built-in", check=False)


def test_a_repository_that_others_can_enter_is_only_read(site):
    host = site.host()
    reference = site.pushed(images.tempting())
    repository = host.path("/ostree/repo")
    repository.mkdir(parents=True)
    run("ostree", f"--repo={repository}", "init", "--mode=bare")
    repository.chmod(0o700)
    host.berth("pull", reference)
    assert not host.path(f"{DEPLOYMENTS}/.storage/ostree").exists()
    repository.chmod(0o755)
    (object_of_guest,) = run("find", repository / "objects", "-name", "*.file", "-user", "1000").stdout.split()
    before = host.snapshot("/ostree")
    assert [row["repository"] for row in host.stored()] == [reference.removesuffix(":latest")]
    done = host.berth("images", "delete", "--force", reference, check=False)
    assert done.returncode == 5 and "ostree refs --repo=/ostree/repo --delete" in done.stderr
    host.berth("install", "--name=calm", reference)
    guest = host.path(f"{DEPLOYMENTS}/calm.0/rootfs/srv/guest")
    assert guest.stat().st_ino != os.stat(object_of_guest).st_ino and guest.stat().st_nlink > 1
    assert before.difference(host.snapshot("/ostree")) == []
    # An object that another user has changed is not deployed.
    host.berth("uninstall", "calm")
    host.berth("images", "delete", reference)
    host.berth("images", "prune")
    inside = "/" + os.path.relpath(object_of_guest, host.tree)
    assert as_user(host, 1000, f"echo tampered >> {inside}").returncode == 0
    refused = host.berth("install", "--name=calm", reference, check=False)
    assert refused.returncode == 6 and "berth pull" in refused.stderr
    assert not host.path(f"{DEPLOYMENTS}/calm").exists()
    host.berth("pull", reference)  # into the repository of berth
    host.berth("install", "--name=calm", reference)
    assert guest.read_text() == "as it was\n"


def test_adopted_containers_are_closed(site):
    host = site.host()
    atomic = AtomicInstaller(host, site.directory / "atomic")
    atomic.pull(images.hello_world(), "hello-world:latest")
    atomic.deploy("hello", "hello-world:latest")
    directory = "/var/lib/containers/atomic/hello.0"
    assert as_user(host, 1000, f"ls {directory}/rootfs").returncode == 0
    host.berth("adopt")
    for path in (f"{directory}/rootfs", f"{DEPLOYMENTS}/hello.0/rootfs", f"{DEPLOYMENTS}/.storage/ostree/objects"):
        assert as_user(host, 1000, f"ls {path}").returncode != 0
    assert host.path(f"{DEPLOYMENTS}/hello.0").stat().st_mode & 0o777 == 0o700
