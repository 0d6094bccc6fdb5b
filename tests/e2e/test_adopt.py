"""berth adopt: what the older tool installed and stored becomes berth's, while its services run on."""

import json

import pytest
from rig import images
from rig.checks import DEPLOYMENTS
from rig.older import ROOT, UUID, Older

URL = "http://127.0.0.1:2379"
ETCD = {"ETCD_DATA_DIR": "/var/lib/etcd/data", "ETCD_LISTEN_CLIENT_URLS": URL, "ETCD_ADVERTISE_CLIENT_URLS": URL}
ETCD_IMAGE = "registry.example/etcd"


@pytest.fixture
def older(host, work):
    return Older(host, work / f"older-{host.directory.name}")


@pytest.fixture
def etcd(host, older):
    """etcd as the older tool installed it, running."""
    older.pull(images.etcd(), ETCD_IMAGE)
    older.deploy("etcd", ETCD_IMAGE, ETCD)
    older.enable("etcd")
    host.fetch(f"{URL}/health")
    return host


@pytest.fixture
def hello(host, older):
    """A small server of an earlier release, which wrote less into info, and an earlier deployment beside it."""
    older.pull(images.hello_world(), "hello-world")
    forget = ("has-container-service", "installed-files", "installed-files-checksum", "rename-installed-files",
              "rpm-installed", "system-package", "use-links", "runtime")  # fmt: skip
    older.deploy("hello", "hello-world", {"RECEIVER": "Saturn"}, slot=1, forget=forget)
    older.deploy("hello", "hello-world", {"RECEIVER": "Pluto"}, forget=forget)
    older.enable("hello")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi Pluto!"
    return host


def pid_of(host, unit):
    return host.unit(unit, "MainPID")["MainPID"]


def test_a_plan_changes_nothing(etcd):
    before = etcd.snapshot("/var/lib/containers", "/etc")
    plan = etcd.berth("adopt", "--dry-run").stdout
    assert "etcd  registry.example/etcd  etcd.0, moves with a link left in its place; its service runs on" in plan
    assert f"the repository {ROOT}/.storage/ostree moves\n  image  registry.example/etcd:latest" in plan
    assert etcd.berth_json("adopt", "--dry-run")["containers"][0]["directories"] == ["etcd.0"]
    assert "1 containers in /var/lib/containers/atomic are not berth's yet" in etcd.berth("atomic", "ps").stderr
    left = [line for line in before.difference(etcd.snapshot("/var/lib/containers", "/etc")) if "/berth" not in line]
    assert left == []


def test_a_running_service_stays_up_and_is_berths(etcd):
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


def test_an_adopted_service_comes_back_after_a_reboot(hello):
    hello.berth("adopt")
    hello.reboot()
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi Pluto!"


def test_an_update_keeps_the_values_and_a_rollback_goes_to_what_the_older_tool_made(hello):
    hello.berth("adopt")
    assert hello.berth("update", "--no-pull", "hello").stdout == "Latest version already installed.\n"
    hello.berth("update", "--no-pull", "--no-gate", "--set=RECEIVER=Venus", "hello")
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi Venus!"
    assert hello.berth_json("inspect", "hello")["values"]["UUID"] == UUID
    hello.berth("rollback", "--no-gate", "hello")
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi Pluto!"
    assert hello.path(f"{DEPLOYMENTS}/hello").readlink().name == "hello.0"


def test_a_rollback_reaches_the_older_tools_other_deployment(hello):
    hello.berth("adopt")
    hello.berth("rollback", "--no-gate", "hello")
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi Saturn!"


def test_an_uninstall_leaves_no_link_behind(hello):
    hello.berth("adopt")
    hello.berth("uninstall", "hello")
    assert [path.name for path in hello.path(ROOT).iterdir()] == [".storage"]
    assert hello.unit("hello", "LoadState")["LoadState"] == "not-found"
    assert hello.containers() == []


def test_undo_gives_everything_back(hello):
    before = hello.snapshot(ROOT, "/etc/systemd", "/etc/tmpfiles.d")
    pid = pid_of(hello, "hello")
    hello.berth("adopt")
    assert hello.listed()
    hello.berth("adopt", "--undo")
    changed = before.difference(hello.snapshot(ROOT, "/etc/systemd", "/etc/tmpfiles.d"))
    assert all(line.endswith("\n    drwxr-xr-x 0:0\n    drwx------ 0:0") for line in changed), changed  # it stays closed
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


def test_images_come_over_into_a_repository_that_is_there(site, hello, older):
    hello.berth("pull", site.pushed(images.whiteouts()))
    result = hello.berth_json("adopt")
    assert result["repository"]["fate"] == "copied"
    assert result["images"] == ["hello-world:latest"]
    assert {image["repository"] for image in hello.stored()} == {f"{site.registry.address}/whiteouts", "hello-world"}
    one = hello.path(f"{DEPLOYMENTS}/hello.0/rootfs/usr/bin/run.sh").stat()
    hello.berth("update", "--no-pull", "--no-gate", "--set=RECEIVER=Venus", "hello")
    # Other users can enter the older repository, and could change what they share with it.
    assert hello.path(f"{DEPLOYMENTS}/hello.1/rootfs/usr/bin/run.sh").stat().st_ino != one.st_ino
    assert "ociimage/hello-world_3Alatest" in older.refs()


def test_a_name_that_berth_uses_is_refused_and_nothing_moves(site, hello):
    hello.berth("install", "--name=other", "--set=PORT=9000", f"oci:{images.hello_world().inside}")
    hello.path(f"{DEPLOYMENTS}/hello").symlink_to("hello.0")
    refused = hello.berth("adopt", check=False)
    assert refused.returncode == 4
    assert "hello is a container of berth's already" in refused.stderr
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


@pytest.mark.parametrize("place", ["/run/older", "/var/older"])
def test_a_repository_on_another_mount_is_copied(hello, place):
    hello.run(f"cp -a {ROOT}/.storage {place} && mount --bind {place} {ROOT}/.storage")
    result = hello.berth_json("adopt")
    assert (result["repository"]["fate"], result["images"]) == ("copied", ["hello-world:latest"])
    hello.berth("update", "--no-pull", "--no-gate", "--set=RECEIVER=Venus", "hello")
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi Venus!"
    hello.berth("rollback", "--no-gate", "hello")
    hello.berth("adopt", "--undo")
    assert hello.listed("--all") == []


def test_there_has_to_be_something_to_adopt(host):
    refused = host.berth("adopt", check=False)
    assert refused.returncode == 3
    assert f"the directory {ROOT} does not exist" in refused.stderr
    host.path(ROOT).mkdir(parents=True)
    assert "there is nothing to adopt" in host.berth("adopt", check=False).stderr
    assert "nothing was adopted" in host.berth("adopt", "--undo", check=False).stderr


def test_an_interrupted_adoption_is_completed(hello):
    note = {"operation": "adopt", "name": "hello", "from": ROOT, "undo": False}
    transactions = hello.path(f"{DEPLOYMENTS}/.transactions")
    transactions.mkdir(parents=True)
    (transactions / "hello").write_text(json.dumps(note))
    hello.berth("recover")
    assert [row["container"] for row in hello.listed()] == ["hello"]
    assert not transactions.exists()


def test_a_boot_gives_the_older_tool_its_repository_back(host, older):
    """The adoption was killed when the repository had moved and nothing led there yet."""
    older.pull(images.etcd(), ETCD_IMAGE)
    host.berth("adopt")
    link = host.path(f"{ROOT}/.storage/ostree")
    assert link.is_symlink()
    link.unlink()
    host.path(f"{DEPLOYMENTS}/.storage/ostree/.berth-private").unlink(missing_ok=True)
    host.run("sync")
    host.kill()
    host.boot()
    assert str(link.readlink()) == f"{DEPLOYMENTS}/.storage/ostree"
