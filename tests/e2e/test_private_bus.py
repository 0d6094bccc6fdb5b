# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host without a D-Bus daemon, where only /run/systemd/private can be used."""

import pytest
from rig import images
from rig.checks import leftovers


@pytest.fixture
def quiet_host(site):
    return site.host(without_bus=True)


def test_the_host_has_no_bus(quiet_host):
    assert quiet_host.output("ls /run/dbus/system_bus_socket 2>/dev/null || echo none") == "none"
    assert not any("dbus-daemon" in args for _, args in quiet_host.processes())


def test_a_container_can_be_installed_started_stopped_and_uninstalled(quiet_host, site):
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


def test_a_failed_start_is_reported(quiet_host):
    image = images.with_exports("broken-start", BROKEN)
    quiet_host.berth("install", f"oci:{image.inside}", "--name=broken")
    done = quiet_host.berth("start", "broken", check=False)
    assert done.returncode != 0
    assert "broken" in done.stderr


def test_a_restart_of_systemd_or_of_the_bus_does_not_fail_an_update(quiet_host, site):
    """berth connects again: nothing is undone, and the service runs with its new setting."""
    for host, restart in ((quiet_host, "systemctl daemon-reexec"), (site.host(), "systemctl restart dbus")):
        host.berth("install", "--now", f"oci:{images.with_exports('slow-stop', SLOW).inside}", "--name=slow")
        update = host.start_process("berth", "update", "--no-pull", "--settle=0", "--set=WORD=new", "slow")
        host.wait_for_state("slow", "deactivating")
        host.run(restart)
        host.run("touch /run/let-go")
        assert update.finish() == 0
        assert host.unit("slow")["ActiveState"] == "active"
        assert "WORD=new" in host.output("systemctl", "cat", "slow")
        host.berth("uninstall", "slow")


SLOW = {"service.template": "[Service]\nEnvironment=WORD=$WORD\nExecStart=/bin/sleep infinity\nTimeoutStopSec=infinity\n"
                            "ExecStop=/bin/sh -c 'while ! [ -e /run/let-go ]; do sleep .05; done'\n[Install]\nWantedBy=multi-user.target\n",
        "manifest.json": '{"version": "1.0", "defaultValues": {"WORD": "old"}}'}  # fmt: skip

BROKEN = {"service.template": "[Service]\nExecStart=/bin/false\nType=oneshot\n[Install]\nWantedBy=multi-user.target\n",
          "manifest.json": '{"version": "1.0"}'}  # fmt: skip
