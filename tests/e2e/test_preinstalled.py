# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers in a read-only /usr, and installs into another root, which must not depend on this machine."""

import json

import pytest
from rig import images
from test_offline_root import berth_on

PREINSTALLED = "/usr/lib/containers/berth"
CHECKED = ("/usr/lib/containers", "/usr/lib/systemd", "/usr/lib/tmpfiles.d", "/etc", "/var")


def facts_of_machine():
    """Texts that identify the machine on which a tree is built."""
    return [open("/proc/sys/kernel/random/boot_id", encoding="ascii").read().strip()]


def files_below(*directories):
    return [path for directory in directories for path in directory.rglob("*") if path.is_file() and not path.is_symlink()]


@pytest.fixture(scope="module")
def booted(shared_site):
    """A host with `plain` for runc and `hello-world` for crun in a read-only /usr, and without a registry."""
    target = shared_site.host(boot=False)
    for image, runtime in ((images.plain(), "runc"), (images.hello_world(), "crun")):
        berth_on(shared_site, target, "install", "--preinstall", f"--runtime={runtime}", shared_site.pushed(image))
    target.path("/etc/systemd/system/read-only-usr.service").write_text(
        "[Unit]\nDefaultDependencies=no\nBefore=sysinit.target local-fs.target systemd-tmpfiles-setup.service\n"
        "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
        "ExecStart=/bin/mount --bind /usr /usr\nExecStart=/bin/mount -o remount,bind,ro /usr\n"
    )
    wants = target.path("/etc/systemd/system/sysinit.target.wants")
    wants.mkdir(exist_ok=True)
    (wants / "read-only-usr.service").symlink_to("/etc/systemd/system/read-only-usr.service")
    shared_site.registry.stop()
    target.boot()
    return target


def test_they_run_after_the_first_boot_from_a_read_only_usr(booted):
    assert booted.run("touch", "/usr/lib/x", check=False).returncode != 0
    assert booted.fetch("http://127.0.0.1:8081/") == "Hi World!"
    unit = booted.unit("plain", "ActiveState", "FragmentPath")
    assert unit == {"ActiveState": "active", "FragmentPath": "/lib/systemd/system/plain.service"} or unit == {
        "ActiveState": "active", "FragmentPath": "/usr/lib/systemd/system/plain.service"}  # fmt: skip


def test_the_directory_contains_only_the_deployments(booted):
    names = sorted(path.name for path in booted.path(PREINSTALLED).iterdir())
    assert names == ["hello-world", "hello-world.0", "plain", "plain.0"]
    assert {path.lstat().st_nlink for path in files_below(booted.path(f"{PREINSTALLED}/plain.0/rootfs"))} == {1}


def test_they_are_listed_as_preinstalled(booted):
    rows = {row["container"]: row for row in booted.listed("--all")}
    assert rows["plain"]["preinstalled"] and rows["plain"]["state"] == "running"
    assert "preinstalled" in booted.berth("containers", "list").stdout
    assert booted.berth_json("inspect", "plain")["deployment"] == f"{PREINSTALLED}/plain.0"


def test_exec_logs_stop_run_and_start_work(booted):
    assert booted.berth("exec", "plain", "id", "-u").stdout == "1000\n"
    booted.wait_for_output("plain", "plain runs as 1000")
    assert "plain runs as 1000" in booted.berth("logs", "plain").stdout
    booted.berth("stop", "plain")
    assert booted.berth("run", "plain", "/bin/sh", "-c", "echo once").stdout == "once\n"
    booted.berth("start", "plain")
    assert booted.unit("plain")["ActiveState"] == "active"


@pytest.mark.parametrize("words", [("update",), ("rollback",), ("uninstall",)])
def test_update_rollback_and_uninstall_are_refused(booted, words):
    done = booted.berth(*words, "plain", check=False)
    assert done.returncode == 5
    assert "plain is part of the operating system" in done.stderr and "hint: " in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("update", "--all"), ("images", "prune"), ("containers", "delete", "--all", "--force"), ("df",), ("recover",),
        ("images", "list"), ("recover", "--boot"),
    ],
)  # fmt: skip
def test_verbs_for_all_containers_skip_them(booted, words):
    booted.berth(*words)
    states = {row["container"]: row["state"] for row in booted.listed("--all")}
    assert states == {"plain": "running", "hello-world": "running"}


@pytest.mark.parametrize("words", [("mount", "plain", "/mnt"), ("images", "info", "plain")])
def test_their_images_are_reported_as_not_stored(booted, words):
    done = booted.berth(*words, check=False)
    assert done.returncode == 3
    assert "part of the operating system, is not stored" in done.stderr and f"{PREINSTALLED}/plain.0/rootfs" in done.stderr


def test_exec_and_restart_work_with_crun(booted):
    assert booted.berth("exec", "hello-world", "/bin/echo", "inside").stdout == "inside\n"
    booted.fetch("http://127.0.0.1:8081/")
    booted.berth("restart", "hello-world")
    assert booted.fetch("http://127.0.0.1:8081/") == "Hi World!"


def test_an_installed_container_of_the_same_name_hides_it_until_its_uninstall(site, work):
    target = site.host(boot=False)
    berth_on(site, target, "install", "--preinstall", site.pushed(images.plain()))
    newer = images.derived(images.plain(), "plain-newer", {"srv/newer": "newer\n"})
    reference = site.pushed(newer, name="plain", tag="2")
    target.boot()
    refused = target.berth("install", "--name=plain", reference, check=False)
    assert refused.returncode == 4 and "berth stop plain" in refused.stderr
    target.wait_stoppable("plain")
    target.berth("stop", "plain")
    target.berth("install", "--name=plain", "--now", reference)
    target.wait_stoppable("plain")
    assert target.berth("exec", "plain", "cat", "/srv/newer").stdout == "newer\n"
    assert [row["preinstalled"] for row in target.listed("--all")] == [False]
    done = target.berth("uninstall", "plain")
    assert "is visible again" in done.stderr
    assert [(row["preinstalled"], row["state"]) for row in target.listed("--all")] == [(True, "inactive")]
    target.berth("start", "plain")
    target.wait_stoppable("plain")
    assert target.berth("exec", "plain", "cat", "/srv/newer", check=False).returncode == 1
    target.reboot()
    assert target.unit("plain")["ActiveState"] == "active"


def test_a_preinstalled_container_can_be_uninstalled_from_the_tree(site):
    target = site.host(boot=False)
    before = target.snapshot(*CHECKED)
    berth_on(site, target, "install", "--preinstall", site.pushed(images.hello_world()))
    berth_on(site, target, "uninstall", "--preinstall", "hello-world")
    lines = before.difference(target.snapshot(*CHECKED))
    assert [line for line in lines if not line.startswith("+ /usr/lib/containers")] == []


@pytest.mark.parametrize("options", [[], ["--preinstall"]])
def test_no_file_contains_facts_of_this_machine_or_the_path_of_the_root(site, options):
    target = site.host(boot=False)
    before = target.snapshot(*CHECKED)
    berth_on(site, target, "install", *options, site.pushed(images.plain()))
    new = [line.split()[1] for line in before.difference(target.snapshot(*CHECKED)) if line.startswith("+ ")]
    written = [target.path(name) for name in new if target.path(name).is_file() and "/.storage/" not in name]
    assert written
    for path in written:
        data = path.read_bytes()
        for word in [str(target.tree), str(site.directory), *facts_of_machine()]:
            assert word.encode() not in data, f"{path} contains {word}"
    deployments = PREINSTALLED if options else "/var/lib/containers/berth"
    values = json.loads(target.path(f"{deployments}/plain.0/info").read_text())["values"]
    assert values["ATOMIC"] == "/usr/bin/berth"
    assert '"CAP_CHECKPOINT_RESTORE"' in values["ALL_PROCESS_CAPABILITIES"]


def test_preinstall_requires_another_root(shared_host):
    for words in (("install", "--preinstall", "oci:/x"), ("uninstall", "--preinstall", "x")):
        done = shared_host.berth(*words, check=False)
        assert done.returncode == 2 and "--root DIR" in done.stderr
