# SPDX-License-Identifier: LGPL-2.1-or-later
"""berth adopt: takes over the containers and images of `atomic` while the services keep running."""

import json

import pytest
from rig import images
from rig.atomic import ROOT, UUID, AtomicInstaller
from rig.checks import DEPLOYMENTS

URL = "http://127.0.0.1:2379"
ETCD = {"ETCD_DATA_DIR": "/var/lib/etcd/data", "ETCD_LISTEN_CLIENT_URLS": URL, "ETCD_ADVERTISE_CLIENT_URLS": URL}
ETCD_IMAGE = "registry.example/etcd"


@pytest.fixture
def atomic(host, work):
    return AtomicInstaller(host, work / f"atomic-{host.directory.name}")


@pytest.fixture
def etcd(host, atomic):
    """etcd, installed by `atomic` and running."""
    atomic.pull(images.etcd(), ETCD_IMAGE)
    atomic.deploy("etcd", ETCD_IMAGE, ETCD)
    atomic.enable("etcd")
    host.fetch(f"{URL}/health")
    return host


@pytest.fixture
def hello(host, atomic):
    """hello-world, installed by an earlier release of `atomic` with fewer keys in info, and with a previous deployment."""
    atomic.pull(images.hello_world(), "hello-world")
    forget = ("has-container-service", "installed-files", "installed-files-checksum", "rename-installed-files",
              "rpm-installed", "system-package", "use-links", "runtime")  # fmt: skip
    atomic.deploy("hello", "hello-world", {"RECEIVER": "Saturn"}, slot=1, forget=forget)
    atomic.deploy("hello", "hello-world", {"RECEIVER": "Pluto"}, forget=forget)
    atomic.enable("hello")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi Pluto!"
    return host


def pid_of(host, unit):
    return host.unit(unit, "MainPID")["MainPID"]


def test_a_plan_changes_nothing(etcd):
    before = etcd.snapshot("/var/lib/containers", "/etc")
    plan = etcd.berth("adopt", "--dry-run").stdout
    assert "etcd  registry.example/etcd  etcd.0, moves and leaves a link behind; its service keeps running" in plan
    assert f"the repository {ROOT}/.storage/ostree moves\n  image  registry.example/etcd:latest" in plan
    assert etcd.berth_json("adopt", "--dry-run")["containers"][0]["directories"] == ["etcd.0"]
    assert "1 containers of atomic in /var/lib/containers/atomic are not listed" in etcd.berth("atomic", "ps").stderr
    left = [line for line in before.difference(etcd.snapshot("/var/lib/containers", "/etc")) if "/berth" not in line]
    assert left == []


def test_a_running_service_is_adopted_and_keeps_running(etcd):
    pid = pid_of(etcd, "etcd")
    etcd.berth("adopt")
    assert pid_of(etcd, "etcd") == pid
    assert "true" in etcd.fetch(f"{URL}/health")
    (row,) = etcd.listed()
    assert (row["container"], row["image"], row["state"]) == ("etcd", ETCD_IMAGE, "running")
    assert [image["used"] for image in etcd.stored()] == [True]
    assert etcd.output("berth", "exec", "etcd", "/usr/bin/etcdctl", "version").startswith("etcdctl version")
    etcd.run("systemctl", "restart", "etcd")
    assert "true" in etcd.fetch(f"{URL}/health")


def test_an_adopted_service_starts_after_a_reboot(hello):
    hello.berth("adopt")
    hello.reboot()
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi Pluto!"


def test_an_update_keeps_the_values_and_a_rollback_returns_to_the_adopted_deployment(hello):
    hello.berth("adopt")
    assert hello.berth("update", "--no-pull", "hello").stdout == "Latest version already installed.\n"
    hello.berth("update", "--no-pull", "--no-gate", "--set=RECEIVER=Venus", "hello")
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi Venus!"
    assert hello.berth_json("inspect", "hello")["values"]["UUID"] == UUID
    hello.berth("rollback", "--no-gate", "hello")
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi Pluto!"
    assert hello.path(f"{DEPLOYMENTS}/hello").readlink().name == "hello.0"


def test_a_rollback_returns_to_the_previous_deployment_of_atomic(hello):
    hello.berth("adopt")
    hello.berth("rollback", "--no-gate", "hello")
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi Saturn!"


def test_an_uninstall_leaves_no_link_behind(hello):
    hello.berth("adopt")
    hello.berth("uninstall", "hello")
    assert [path.name for path in hello.path(ROOT).iterdir()] == [".storage"]
    assert hello.unit("hello", "LoadState")["LoadState"] == "not-found"
    assert hello.containers() == []


def test_undo_restores_everything(hello):
    before = hello.snapshot(ROOT, "/etc/systemd", "/etc/tmpfiles.d")
    pid = pid_of(hello, "hello")
    hello.berth("adopt")
    assert hello.listed()
    hello.berth("adopt", "--undo")
    changed = before.difference(hello.snapshot(ROOT, "/etc/systemd", "/etc/tmpfiles.d"))
    assert all(line.endswith("\n    drwxr-xr-x 0:0\n    drwx------ 0:0") for line in changed), changed  # other users stay excluded
    assert hello.listed("--all") == []
    assert pid_of(hello, "hello") == pid
    hello.run("systemctl", "restart", "hello")
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi Pluto!"


def test_undo_is_refused_once_berth_has_updated(hello):
    hello.berth("adopt")
    hello.berth("update", "--no-pull", "--no-gate", "--set=RECEIVER=Venus", "hello")
    refused = hello.berth("adopt", "--undo", check=False)
    assert refused.returncode == 4
    assert "hello was updated since it was adopted" in refused.stderr
    assert "berth rollback hello" in refused.stderr
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi Venus!"
    hello.berth("rollback", "--no-gate", "hello")
    hello.berth("adopt", "--undo")
    assert hello.path(f"{ROOT}/hello.0/info").exists()
    assert not hello.path(f"{ROOT}/hello.1").exists()


def test_images_are_copied_into_an_existing_repository(site, hello, atomic):
    hello.berth("pull", site.pushed(images.whiteouts()))
    result = hello.berth_json("adopt")
    assert result["repository"]["fate"] == "copied"
    assert result["images"] == ["hello-world:latest"]
    assert {image["repository"] for image in hello.stored()} == {f"{site.registry.address}/whiteouts", "hello-world"}
    one = hello.path(f"{DEPLOYMENTS}/hello.0/rootfs/usr/bin/run.sh").stat()
    hello.berth("update", "--no-pull", "--no-gate", "--set=RECEIVER=Venus", "hello")
    # Other users can enter the repository of `atomic`, and could change files that are shared with it.
    assert hello.path(f"{DEPLOYMENTS}/hello.1/rootfs/usr/bin/run.sh").stat().st_ino != one.st_ino
    assert "ociimage/hello-world_3Alatest" in atomic.refs()


def test_a_name_in_use_is_refused_and_nothing_moves(site, hello):
    hello.berth("install", "--name=other", "--set=PORT=9000", f"oci:{images.hello_world().inside}")
    hello.path(f"{DEPLOYMENTS}/hello").symlink_to("hello.0")
    refused = hello.berth("adopt", check=False)
    assert refused.returncode == 4
    assert "berth already has a container hello" in refused.stderr
    assert hello.path(f"{ROOT}/hello.0/info").exists()


@pytest.mark.parametrize("words", [["adopt"], ["adopt", "--dry-run"]])
def test_another_file_system_is_refused_and_nothing_moves(hello, words):
    hello.run(f"mkdir -p {DEPLOYMENTS} && mount -t tmpfs tmpfs {DEPLOYMENTS}")
    refused = hello.berth(*words, check=False)
    assert refused.returncode == 1
    assert f"{ROOT} is on another file system than {DEPLOYMENTS}" in refused.stderr
    assert f'[paths] deployments = "{ROOT}" in /etc/berth/berth.conf' in refused.stderr
    assert [path.name for path in hello.mounted_path(DEPLOYMENTS).iterdir() if not path.name.startswith(".")] == []
    assert hello.path(f"{ROOT}/hello").readlink().name == "hello.0"
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi Pluto!"


@pytest.mark.parametrize("directory", ["/run/atomic", "/var/atomic"])
def test_a_repository_on_another_mount_is_copied(hello, directory):
    hello.run(f"cp -a {ROOT}/.storage {directory} && mount --bind {directory} {ROOT}/.storage")
    result = hello.berth_json("adopt")
    assert (result["repository"]["fate"], result["images"]) == ("copied", ["hello-world:latest"])
    hello.berth("update", "--no-pull", "--no-gate", "--set=RECEIVER=Venus", "hello")
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi Venus!"
    hello.berth("rollback", "--no-gate", "hello")
    hello.berth("adopt", "--undo")
    assert hello.listed("--all") == []


def test_an_adoption_without_a_container_is_refused(host):
    refused = host.berth("adopt", check=False)
    assert refused.returncode == 3
    assert f"the directory {ROOT} does not exist" in refused.stderr
    host.path(ROOT).mkdir(parents=True)
    assert "there is nothing to adopt" in host.berth("adopt", check=False).stderr
    assert "nothing was adopted" in host.berth("adopt", "--undo", check=False).stderr


def test_an_interrupted_adoption_is_completed(hello):
    record = {"operation": "adopt", "name": "hello", "from": ROOT, "undo": False}
    transactions = hello.path(f"{DEPLOYMENTS}/.transactions")
    transactions.mkdir(parents=True)
    (transactions / "hello").write_text(json.dumps(record))
    hello.berth("recover")
    assert [row["container"] for row in hello.listed()] == ["hello"]
    assert not transactions.exists()


def test_a_boot_restores_the_link_to_a_moved_repository(host, atomic):
    """The adoption was killed after the repository had moved, and before the link to it was created."""
    atomic.pull(images.etcd(), ETCD_IMAGE)
    host.berth("adopt")
    link = host.path(f"{ROOT}/.storage/ostree")
    assert link.is_symlink()
    link.unlink()
    host.path(f"{DEPLOYMENTS}/.storage/ostree/.berth-private").unlink(missing_ok=True)
    host.run("sync")
    host.kill()
    host.boot()
    assert str(link.readlink()) == f"{DEPLOYMENTS}/.storage/ostree"
