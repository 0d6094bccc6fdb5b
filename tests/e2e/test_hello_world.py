# SPDX-License-Identifier: LGPL-2.1-or-later
"""The published hello-world image: its old configuration, values, and all sources of images."""

import json

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, leftovers, rootfs
from rig.snapshot import Snapshot


@pytest.fixture
def reference(site):
    return site.pushed(images.hello_world())


@pytest.mark.portable
def test_it_greets_with_its_default_values(host, reference):
    host.berth("install", reference)
    host.run("systemctl", "start", "hello-world")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"


def test_it_greets_with_values_of_the_command_line(host, reference):
    host.berth("install", "--set", "RECEIVER=Moon", "--set=PORT=8099", "-n", "moon", reference)
    host.berth("start", "moon")
    assert host.fetch("http://127.0.0.1:8099/") == "Hi Moon!"


def test_install_now_starts_it(host, reference):
    host.berth("install", "--now", reference)
    assert host.unit("hello-world")["ActiveState"] == "active"
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"


def test_berth_stop_stops_it(host, reference):
    host.berth("install", "--now", reference)
    host.fetch("http://127.0.0.1:8081/")
    host.berth("stop", "hello-world")
    unit = host.unit("hello-world")
    assert (unit["ActiveState"], unit["Result"]) == ("inactive", "success")


def test_stop_leaves_no_container_and_no_process(host, reference):
    host.berth("install", "--now", reference)
    host.fetch("http://127.0.0.1:8081/")
    host.berth("stop", "hello-world")
    assert host.containers() == []
    assert not any("httpd" in args for _, args in host.processes())


def test_the_old_configuration_is_converted_and_each_conversion_is_reported(host, reference):
    done = host.berth("install", reference)
    config = json.loads(host.path(f"{DEPLOYMENTS}/hello-world.0/config.json").read_text())
    assert config["ociVersion"].startswith("1.")
    assert config["process"]["capabilities"]["bounding"] == ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
    assert "capabilities" not in config["linux"]
    assert "capabilities" in done.stderr


def test_the_deployment_has_the_documented_layout(host, reference):
    host.berth("install", reference)
    directory = host.path(DEPLOYMENTS)
    assert (directory / "hello-world").readlink().as_posix() == "hello-world.0"
    assert {path.name for path in (directory / "hello-world.0").iterdir()} >= {"rootfs", "config.json", "info", "hello-world.service"}
    unit = host.path("/etc/systemd/system/hello-world.service")
    assert unit.read_text() == (directory / "hello-world.0/hello-world.service").read_text()
    info = json.loads((directory / "hello-world.0/info").read_text())
    assert info["image"] == "localhost:5000/hello-world:latest"
    assert info["values"]["PORT"] == "8081"
    assert len(info["revision"]) == 64


def test_the_tag_is_part_of_the_default_name(host, site):
    host.berth("install", site.pushed(images.hello_world(), tag="1.2"))
    assert host.unit("hello-world-1.2")["UnitFileState"] == "enabled"


@pytest.mark.portable
def test_uninstall_stops_it_and_leaves_nothing(host, reference):
    before = host.snapshot()
    host.berth("install", "--now", reference)
    host.fetch("http://127.0.0.1:8081/")
    host.berth("uninstall", "hello-world")
    assert leftovers(before, host.snapshot()) == []
    assert not any("httpd" in args for _, args in host.processes())


@pytest.mark.portable
def test_install_again_after_uninstall(host, reference):
    for _ in range(2):
        host.berth("install", "--now", reference)
        assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"
        host.berth("uninstall", "hello-world")


def test_display_changes_nothing(host, reference):
    before = host.snapshot()
    done = host.berth("install", "--display", reference)
    assert "/etc/systemd/system/hello-world.service" in done.stdout
    assert leftovers(before, host.snapshot()) == []
    assert not host.path(f"{DEPLOYMENTS}/.storage/ostree").exists()


def test_dry_run_prints_the_plan_as_json_and_changes_nothing(host, reference):
    before = host.snapshot()
    plan = json.loads(host.berth("install", "--dry-run", "--json", "--set=PORT=9000", reference).stdout)
    assert plan["name"] == "hello-world"
    assert plan["values"]["PORT"] == "9000"
    assert leftovers(before, host.snapshot()) == []


def test_an_installed_container_is_not_changed(host, reference):
    host.berth("install", reference)
    before = host.snapshot()
    done = host.berth("install", "--set=PORT=9000", reference, check=False)
    assert "hello-world already present" in done.stdout + done.stderr
    assert before.difference(host.snapshot()) == []


SOURCES = {
    "registry": lambda image, site: site.pushed(image),
    "http registry": lambda image, site: "http:" + site.pushed(image),
    "docker schema 2": lambda image, site: site.registry.push(image.layout, "hello-world:v2s2", "--format=v2s2"),
    "oci layout": lambda image, site: f"oci:{image.inside}",
    "oci archive": lambda image, site: f"oci-archive:{image.file('oci.tar')}",
    "docker archive": lambda image, site: f"docker-archive:{image.file('docker.tar')}",
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_gives_the_same_tree(kind, host, site, work):
    image = images.hello_world()
    expected = work / "expected-hello-world"
    if not expected.exists():
        images.unpacked(image, expected)
    host.berth("install", "--name=hello", SOURCES[kind](image, site))
    expected_listing = Snapshot.of(expected / "rootfs")
    found = Snapshot.of(rootfs(host, "hello"))
    assert expected_listing.difference(found.without_sharing()) == []
    host.berth("start", "hello")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"
