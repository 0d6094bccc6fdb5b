# SPDX-License-Identifier: LGPL-2.1-or-later
"""--root DIR: installs into a tree that is not booted. The service runs after the tree has booted."""

import json

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, leftovers
from rig.installed import installed
from rig.snapshot import Snapshot
from test_etcd import SETTINGS, etcdctl


@pytest.fixture
def target(site):
    """The tree of a host that is not booted."""
    return site.host(boot=False)


CONFIG = {
    "ociVersion": "1.0.2", "process": {"args": ["/bin/sleep", "1000"], "cwd": "/"}, "root": {"path": "rootfs", "readonly": True},
    "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
}  # fmt: skip
WANTS = "/etc/systemd/system/{}.wants/backslashes.service"


def with_backslashes(wanted_by):
    """An image whose unit has a line that ends in two backslashes before [Install]: systemd does not continue it."""
    unit = "[Service]\nExecStart=$EXEC_START\nExecStop=$EXEC_STOP\nWorkingDirectory=$DESTDIR\n"
    unit += f"[Unit]\nDescription=ends in \\\\\n[Install]\nWantedBy={wanted_by}\n"
    return images.with_exports("backslashes", {"config.json.template": json.dumps(CONFIG), "service.template": unit})


def berth_on(site, target, *argv, check=True):
    """Runs berth on this machine with --root, in the network of the registry."""
    program = installed() / "usr/bin/berth"
    data = installed() / "usr/share/berth"
    return site.network.run(program, "--root", target.tree, *argv, check=check, env={"BERTH_DATADIR": str(data)})


def test_a_container_installed_offline_runs_after_the_first_boot(site, target):
    berth_on(site, target, "install", site.pushed(images.hello_world()))
    site.registry.stop()
    target.boot()
    assert target.fetch("http://127.0.0.1:8081/") == "Hi World!"
    assert target.unit("hello-world")["UnitFileState"] == "enabled"


def test_unit_and_configuration_have_the_paths_of_the_booted_host(site, target):
    berth_on(site, target, "install", site.pushed(images.hello_world()))
    unit = target.path("/etc/systemd/system/hello-world.service").read_text()
    assert f"WorkingDirectory={DEPLOYMENTS}/hello-world.0" in unit
    assert str(target.tree) not in unit
    assert str(target.tree) not in target.path(f"{DEPLOYMENTS}/hello-world.0/config.json").read_text()


def test_etcd_installed_offline_works_after_the_boot(site, target):
    berth_on(site, target, "install", "--name=etcd1", *SETTINGS, site.pushed(images.etcd()))
    target.boot()
    assert etcdctl(target, "put", "a", "b") == "OK"


def test_a_container_updated_and_rolled_back_offline_boots_with_its_live_deployment(site, target):
    reference = site.registry.push(images.hello_world().layout, "offline:latest", "--all")
    berth_on(site, target, "install", "--name=hello", reference)
    newer = images.derived(images.hello_world(), "hello-newer", {"usr/share/newer": "newer\n"})
    site.registry.push(newer.layout, "offline:latest", "--all")
    berth_on(site, target, "update", "--set=RECEIVER=You", "hello")
    container = json.loads(berth_on(site, target, "inspect", "hello", "--json").stdout)
    assert container["slot"] == 1 and (target.path(f"{DEPLOYMENTS}/hello.1/rootfs/usr/share/newer")).exists()
    assert berth_on(site, target, "update", "--all").returncode == 0
    berth_on(site, target, "rollback", "hello")
    berth_on(site, target, "rollback", "hello")
    target.boot()
    assert target.fetch("http://127.0.0.1:8081/") == "Hi You!"
    assert target.unit("hello")["UnitFileState"] == "enabled"


def test_an_install_section_after_two_backslashes_is_followed(site, target):
    berth_on(site, target, "install", site.pushed(with_backslashes("multi-user.target")))
    assert target.path(WANTS.format("multi-user.target")).is_symlink()
    target.boot()
    unit = target.unit("backslashes")
    assert (unit["UnitFileState"], unit["ActiveState"]) == ("enabled", "active")


def test_an_update_follows_a_changed_install_section_after_two_backslashes(site, target):
    reference = site.registry.push(with_backslashes("multi-user.target").layout, "backslashes:latest")
    berth_on(site, target, "install", reference)
    site.registry.push(with_backslashes("graphical.target").layout, "backslashes:latest")
    berth_on(site, target, "update", "backslashes")
    assert not target.path(WANTS.format("multi-user.target")).is_symlink()
    assert target.path(WANTS.format("graphical.target")).is_symlink()


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


def test_this_machine_is_not_changed(site, target):
    checked = ("/etc/systemd", "/etc/tmpfiles.d", "/var/lib/containers")
    reference = site.pushed(images.hello_world())
    before = Snapshot.of("/", *checked)
    berth_on(site, target, "install", reference)
    assert before.difference(Snapshot.of("/", *checked)) == []
