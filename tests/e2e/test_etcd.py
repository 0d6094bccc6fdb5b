# SPDX-License-Identifier: LGPL-2.1-or-later
"""etcd as a system container, from install to uninstall."""

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, leftovers

URL = "http://127.0.0.1:2379"
SETTINGS = [
    "--set=ETCD_DATA_DIR=/var/lib/etcd/data",
    f"--set=ETCD_LISTEN_CLIENT_URLS={URL}",
    f"--set=ETCD_ADVERTISE_CLIENT_URLS={URL}",
]


def etcdctl(host, *argv):
    """Waits until the server answers, and runs the client that berth copied to the host. @return its output"""
    host.fetch(f"{URL}/health")
    patience = {"ETCDCTL_DIAL_TIMEOUT": "60s", "ETCDCTL_COMMAND_TIMEOUT": "60s"}
    return host.output("/usr/local/bin/etcd1ctl", *argv, env={"ETCDCTL_API": "3", **patience})


@pytest.fixture
def reference(site):
    return site.pushed(images.etcd())


@pytest.fixture
def installed(host, reference):
    host.berth("install", "--name=etcd1", *SETTINGS, reference)
    return host


def test_install_enables_the_service_and_does_not_start_it(installed):
    unit = installed.unit("etcd1")
    assert (unit["ActiveState"], unit["UnitFileState"]) == ("inactive", "enabled")


def test_a_key_can_be_written_and_read(installed):
    installed.run("systemctl", "start", "etcd1")
    assert etcdctl(installed, "put", "greeting", "hello") == "OK"
    assert etcdctl(installed, "get", "greeting") == "greeting\nhello"


def test_a_restart_keeps_the_key(installed):
    installed.run("systemctl", "start", "etcd1")
    etcdctl(installed, "put", "greeting", "hello")
    installed.run("systemctl", "restart", "etcd1")
    assert etcdctl(installed, "get", "greeting") == "greeting\nhello"


def test_it_starts_at_boot_without_the_registry(site, installed):
    installed.run("systemctl", "start", "etcd1")
    etcdctl(installed, "put", "greeting", "hello")
    site.registry.stop()
    installed.reboot()
    assert etcdctl(installed, "get", "greeting") == "greeting\nhello"
    assert installed.unit("etcd1")["ActiveState"] == "active"


def test_renamed_host_files_are_installed_and_recorded(installed):
    info = installed.berth_json("inspect", "etcd1")
    assert set(info["installedFiles"]) >= {"/etc/etcd1/etcd.conf", "/usr/local/bin/etcd1ctl"}
    assert installed.path("/etc/etcd1/etcd.conf").read_text() == "# settings of etcd\n"
    assert installed.output("stat", "-c", "%a %U", "/usr/local/bin/etcd1ctl") == "755 root"


def test_tmpfiles_lines_are_applied_at_install(installed):
    assert installed.output("stat", "-c", "%a %u:%g", "/var/lib/etcd/etcd1.etcd") == "700 0:0"


def test_uninstall_leaves_nothing_but_images_and_state(host, reference):
    before = host.snapshot()
    host.berth("install", "--name=etcd1", *SETTINGS, reference)
    host.run("systemctl", "start", "etcd1")
    etcdctl(host, "put", "greeting", "hello")
    host.berth("uninstall", "etcd1")
    state = [line for line in leftovers(before, host.snapshot()) if not line.startswith("+ /var/lib/etcd")]
    assert state == []
    assert host.unit("etcd1", "LoadState")["LoadState"] == "not-found"
    assert host.containers() == []
    assert not any("etcd" in args for _, args in host.processes())


def test_uninstall_of_a_container_that_was_never_started_leaves_nothing(host, reference):
    before = host.snapshot()
    host.berth("install", "--name=etcd1", *SETTINGS, reference)
    host.berth("uninstall", "etcd1")
    state = [line for line in leftovers(before, host.snapshot()) if not line.startswith("+ /var/lib/etcd")]
    assert state == []


def test_an_edited_host_file_stays_and_is_reported(installed):
    installed.path("/etc/etcd1/etcd.conf").write_text("# mine\n")
    done = installed.berth("uninstall", "etcd1")
    assert installed.path("/etc/etcd1/etcd.conf").read_text() == "# mine\n"
    assert "/etc/etcd1/etcd.conf" in done.stderr
    assert not installed.path("/usr/local/bin/etcd1ctl").exists()


def test_an_existing_host_file_is_neither_overwritten_nor_recorded(host, reference):
    host.path("/etc/etcd1").mkdir()
    host.path("/etc/etcd1/etcd.conf").write_text("# was here first\n")
    done = host.berth("install", "--name=etcd1", *SETTINGS, reference)
    assert "/etc/etcd1/etcd.conf" in done.stderr
    assert "/etc/etcd1/etcd.conf" not in host.berth_json("inspect", "etcd1")["installedFiles"]
    host.berth("uninstall", "etcd1")
    assert host.path("/etc/etcd1/etcd.conf").read_text() == "# was here first\n"


def test_two_containers_of_one_image_share_its_files(host, reference):
    host.berth("install", "--name=etcd1", *SETTINGS, reference)
    host.berth("install", "--name=etcd2", *SETTINGS, reference)
    inodes = {host.path(f"{DEPLOYMENTS}/{name}.0/rootfs/usr/bin/etcd").stat().st_ino for name in ("etcd1", "etcd2")}
    assert len(inodes) == 1


def test_a_stopped_service_has_succeeded(installed):
    installed.run("systemctl", "start", "etcd1")
    installed.fetch(f"{URL}/health")
    installed.run("systemctl", "stop", "etcd1")
    unit = installed.unit("etcd1")
    assert (unit["ActiveState"], unit["Result"]) == ("inactive", "success")
    assert installed.containers() == []
