"""A host without a D-Bus daemon: only systemd's own /run/systemd/private answers."""

import pytest
from rig import images
from rig.checks import leftovers
from rig.shell import PATIENCE


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


def test_a_systemd_or_a_bus_that_restarts_during_an_update(quiet_host, site):
    """Whoever lost the connection comes back: nothing is undone, and the service runs with its new setting."""
    for host, restart in ((quiet_host, "systemctl daemon-reexec"), (site.host(), "systemctl restart dbus")):
        host.berth("install", "--now", f"oci:{images.with_exports('slow-stop', SLOW).inside}", "--name=slow")
        update = host.start_process("berth", "update", "--no-pull", "--settle=0", "--set=WORD=new", "slow")
        host.wait_for(lambda host=host: host.unit("slow")["ActiveState"] == "deactivating", "the update stops the service")
        host.run(restart)
        host.run("touch /run/let-go")
        assert update.wait(PATIENCE) == 0
        assert host.unit("slow")["ActiveState"] == "active"
        assert "WORD=new" in host.output("systemctl", "cat", "slow")
        host.berth("uninstall", "slow")


SLOW = {"service.template": "[Service]\nEnvironment=WORD=$WORD\nExecStart=/bin/sleep infinity\nTimeoutStopSec=infinity\n"
                            "ExecStop=/bin/sh -c 'while ! [ -e /run/let-go ]; do sleep .05; done'\n[Install]\nWantedBy=multi-user.target\n",
        "manifest.json": '{"version": "1.0", "defaultValues": {"WORD": "old"}}'}  # fmt: skip

BROKEN = {"service.template": "[Service]\nExecStart=/bin/false\nType=oneshot\n[Install]\nWantedBy=multi-user.target\n",
          "manifest.json": '{"version": "1.0"}'}  # fmt: skip
