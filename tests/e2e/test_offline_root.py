"""--root DIR: installing into a tree that does not run, which then boots with the service up."""

import json

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, leftovers
from rig.installed import installed
from rig.snapshot import Snapshot
from test_etcd import SETTINGS, etcdctl


@pytest.fixture
def target(site):
    """A tree that does not run yet."""
    return site.host(boot=False)


def berth_on(site, target, *argv, check=True):
    """Runs the berth of the build on this machine, with the registry's network, on the tree of a host."""
    program = installed() / "usr/bin/berth"
    data = installed() / "usr/share/berth"
    return site.network.run(program, "--root", target.tree, *argv, check=check, env={"BERTH_DATADIR": str(data)})


def test_installed_offline_it_is_up_after_the_first_boot(site, target):
    berth_on(site, target, "install", site.pushed(images.hello_world()))
    site.registry.stop()
    target.boot()
    assert target.fetch("http://127.0.0.1:8081/") == "Hi World!"
    assert target.unit("hello-world")["UnitFileState"] == "enabled"


def test_paths_in_unit_and_configuration_are_those_of_the_booted_host(site, target):
    berth_on(site, target, "install", site.pushed(images.hello_world()))
    unit = target.path("/etc/systemd/system/hello-world.service").read_text()
    assert f"WorkingDirectory={DEPLOYMENTS}/hello-world.0" in unit
    assert str(target.tree) not in unit
    assert str(target.tree) not in target.path(f"{DEPLOYMENTS}/hello-world.0/config.json").read_text()


def test_etcd_offline_then_booted(site, target):
    berth_on(site, target, "install", "--name=etcd1", *SETTINGS, site.pushed(images.etcd()))
    target.boot()
    assert etcdctl(target, "put", "a", "b") == "OK"


def test_updated_and_rolled_back_offline_it_boots_with_the_right_one(site, target):
    reference = site.registry.push(images.hello_world().layout, "offline:latest", "--all")
    berth_on(site, target, "install", "--name=hello", reference)
    newer = images.derived(images.hello_world(), "hello-newer", {"usr/share/newer": "newer\n"})
    site.registry.push(newer.layout, "offline:latest", "--all")
    berth_on(site, target, "update", "--set=RECEIVER=You", "hello")
    told = json.loads(berth_on(site, target, "inspect", "hello", "--json").stdout)
    assert told["slot"] == 1 and (target.path(f"{DEPLOYMENTS}/hello.1/rootfs/usr/share/newer")).exists()
    assert berth_on(site, target, "update", "--all").returncode == 0
    berth_on(site, target, "rollback", "hello")
    berth_on(site, target, "rollback", "hello")
    target.boot()
    assert target.fetch("http://127.0.0.1:8081/") == "Hi You!"
    assert target.unit("hello")["UnitFileState"] == "enabled"


def test_uninstall_offline_leaves_the_tree_as_it_was(site, target):
    before = target.snapshot()
    berth_on(site, target, "install", site.pushed(images.hello_world()))
    berth_on(site, target, "uninstall", "hello-world")
    assert leftovers(before, target.snapshot()) == []


def test_lists_and_inspect_work_offline(site, target):
    berth_on(site, target, "install", site.pushed(images.hello_world()))
    rows = json.loads(berth_on(site, target, "containers", "list", "-a", "--json").stdout)["containers"]
    assert [row["container"] for row in rows] == ["hello-world"]
    rows = json.loads(berth_on(site, target, "images", "list", "--json").stdout)["images"]
    assert [row["repository"] for row in rows] == ["localhost:5000/hello-world"]
    assert json.loads(berth_on(site, target, "inspect", "hello-world", "--json").stdout)["slot"] == 0


@pytest.mark.parametrize("verb", ["start", "stop"])
def test_start_and_stop_are_refused_offline(verb, site, target):
    berth_on(site, target, "install", site.pushed(images.hello_world()))
    done = berth_on(site, target, verb, "hello-world", check=False)
    assert done.returncode == 5
    assert "is not running" in done.stderr


def test_this_machine_is_not_touched(site, target):
    looked_at = ("/etc/systemd", "/etc/tmpfiles.d", "/var/lib/containers")
    reference = site.pushed(images.hello_world())
    before = Snapshot.of("/", *looked_at)
    berth_on(site, target, "install", reference)
    assert before.difference(Snapshot.of("/", *looked_at)) == []
