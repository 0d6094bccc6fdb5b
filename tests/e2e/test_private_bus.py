"""A host without a D-Bus daemon: only systemd's own /run/systemd/private answers."""

import pytest
from rig import images
from rig.checks import leftovers


@pytest.fixture
def quiet_host(site):
    return site.host(without_bus=True)


def test_there_is_no_bus(quiet_host):
    assert quiet_host.output("ls /run/dbus/system_bus_socket 2>/dev/null || echo none") == "none"
    assert not any("dbus-daemon" in args for _, args in quiet_host.processes())


def test_the_whole_life_of_a_container(quiet_host, site):
    before = quiet_host.snapshot()
    quiet_host.berth("install", site.pushed(images.hello_world()))
    assert quiet_host.output("systemctl", "is-enabled", "hello-world") == "enabled"
    quiet_host.berth("start", "hello-world")
    assert quiet_host.fetch("http://127.0.0.1:8081/") == "Hi World!"
    assert [row["state"] for row in quiet_host.listed()] == ["running"]
    quiet_host.berth("stop", "hello-world")
    assert quiet_host.output("systemctl", "is-active", "hello-world", check=False) == "inactive"
    quiet_host.berth("uninstall", "hello-world")
    assert leftovers(before, quiet_host.snapshot()) == []


def test_a_failed_start_is_reported_there_too(quiet_host):
    image = images.with_exports("broken-start", BROKEN)
    quiet_host.berth("install", f"oci:{image.inside}", "--name=broken")
    done = quiet_host.berth("start", "broken", check=False)
    assert done.returncode != 0
    assert "broken" in done.stderr


BROKEN = {"service.template": "[Service]\nExecStart=/bin/false\nType=oneshot\n[Install]\nWantedBy=multi-user.target\n",
          "manifest.json": '{"version": "1.0"}'}  # fmt: skip
