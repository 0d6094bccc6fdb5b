# SPDX-License-Identifier: LGPL-2.1-or-later
"""What differs between the versions of systemd that Debian 12 and 13 have, and what both runtimes of both must do."""

import json

import pytest
from rig import images
from rig.checks import RUNTIMES
from test_busy_systemd import FAST, newer, reference, unit_file

pytestmark = pytest.mark.portable

@pytest.fixture(scope="module")
def host(shared_host):
    """One for all tests; each has containers of its own names."""
    return shared_host


def outdated(host, *units):
    """The units that want `systemctl daemon-reload`."""
    return [unit for unit in units if host.unit(unit, "NeedDaemonReload")["NeedDaemonReload"] != "no"]


def test_no_change_leaves_a_unit_that_wants_a_reload(host):
    units = ("fresh.service", "dbus.service")
    host.berth("install", "--now", "--name=fresh", reference(images.plain()))
    assert outdated(host, *units) == []
    host.wait_stoppable("fresh")
    host.berth("update", FAST, f"--rebase={reference(newer())}", "fresh")
    assert outdated(host, *units) == []
    host.wait_stoppable("fresh")
    host.berth("rollback", FAST, "fresh")
    assert outdated(host, *units) == []
    host.wait_stoppable("fresh")
    host.berth("uninstall", "fresh")
    assert outdated(host, "dbus.service") == []


def test_changes_are_not_counted_as_starts(host):
    """Since systemd 255 a reload keeps how often a unit was started."""
    host.berth("install", "--now", "--name=often", reference(images.plain()))
    limit = "[Unit]\nStartLimitIntervalSec=600\nStartLimitBurst=2\n"
    unit_file(host, "often.service.d/limit.conf", limit)
    unit_file(host, "needs.service", f"{limit}Requires=often.service\nAfter=often.service\n[Service]\nExecStart=/bin/sleep infinity\n")
    host.wait_stoppable("often")
    host.run("systemctl", "start", "needs")
    for image in (newer(), images.plain(), newer()):
        done = host.berth("update", FAST, f"--rebase={reference(image)}", "often")
        assert "did not start" not in done.stderr
        assert [host.unit(unit)["ActiveState"] for unit in ("often", "needs")] == ["active", "active"]
        host.wait_stoppable("often")


def test_an_update_cures_a_crash_loop(host):
    dies = images.derived(images.plain(), "plain-dies-late", {"usr/bin/serve": "#!/bin/sh\nsleep 0.1\nexit 3\n"})
    host.berth("install", "--name=loop", reference(dies))
    unit_file(host, "loop.service.d/restart.conf", "[Unit]\nStartLimitIntervalSec=600\nStartLimitBurst=2\n[Service]\nRestart=always\nRestartSec=0\n")
    host.run("systemctl", "start", "--no-block", "loop")
    host.wait_for(lambda: host.unit("loop")["ActiveState"] == "failed", "the end of the crash loop")
    host.berth("update", FAST, f"--rebase={reference(newer())}", "loop")
    host.berth("start", "loop")
    host.wait_stoppable("loop")
    assert host.unit("loop")["ActiveState"] == "active"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_hook_runs_on_the_host(host, runtime):
    config = {
        "ociVersion": "1.0.2", "root": {"path": "rootfs", "readonly": True},
        "process": {"args": ["/usr/bin/serve"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
        "mounts": [{"type": "proc", "source": "proc", "destination": "/proc"}],
        "hooks": {"prestart": [{"path": "/bin/sh", "args": ["sh", "-c", "cat > /run/hooked"]}]},
        "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]},
    }  # fmt: skip
    image = images.derived(images.plain(), "plain-hooked", {"exports/config.json.template": json.dumps(config)})
    host.berth("install", "--now", f"--runtime={RUNTIMES[runtime]}", "--name=hooked", reference(image))
    host.wait_stoppable("hooked")
    assert json.loads(host.output("cat", "/run/hooked"))["id"] == "hooked"
    host.berth("uninstall", "hooked")
