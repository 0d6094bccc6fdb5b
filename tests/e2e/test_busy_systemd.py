# SPDX-License-Identifier: LGPL-2.1-or-later
"""Actions of systemd and of an administrator while berth changes a container. All tests use one host and clean up."""

import pytest
from rig import images

FAST = "--settle=0.3"
ROLLED_BACK = 7


def newer():
    return images.derived(images.plain(), "plain-newer", {"usr/share/newer": "newer\n"})


def reference(image):
    return f"oci:{image.inside}"


@pytest.fixture(scope="module")
def busy(shared_host):
    return shared_host


def installed(host, name, image=None, *options):
    host.berth("install", "--now", f"--name={name}", *options, reference(image or images.plain()))
    host.wait_stoppable(name)


def runs_newer(host, name):
    """Whether the running payload is that of the newer image."""
    host.wait_stoppable(name)
    pid = host.unit(name)["MainPID"]
    return host.run("test", "-e", f"/proc/{pid}/root/usr/share/newer", check=False).returncode == 0


def wait_for_new(host, name):
    """Waits until slot 1 is live and its service runs."""
    link = host.path(f"/var/lib/containers/berth/{name}")
    host.wait_for(lambda: (link.readlink().name, host.unit(name)["SubState"]), f"{name}.1 to run", (f"{name}.1", "running"))


def unit_file(host, path, text):
    host.path(f"/etc/systemd/system/{path}").parent.mkdir(exist_ok=True)
    host.path(f"/etc/systemd/system/{path}").write_text(text)
    host.run("systemctl", "daemon-reload")


def test_a_unit_with_upholds_never_starts_the_wrong_deployment(busy):
    installed(busy, "uph")
    unit_file(busy, "boss.service", "[Unit]\nUpholds=uph.service\n[Service]\nExecStart=/bin/sleep infinity\n")
    busy.run("systemctl", "start", "boss")
    busy.berth("update", FAST, f"--rebase={reference(newer())}", "uph")
    assert runs_newer(busy, "uph")
    busy.berth("rollback", FAST, "uph")
    assert not runs_newer(busy, "uph")
    busy.berth("uninstall", "uph")
    assert busy.containers() == []
    assert busy.unit("uph", "LoadState", "ActiveState") == {"LoadState": "not-found", "ActiveState": "inactive"}
    busy.run("systemctl", "stop", "boss")
    installed(busy, "uph")
    busy.berth("uninstall", "uph")


@pytest.mark.portable
def test_units_that_require_the_service_are_started_again(busy):
    installed(busy, "db")
    unit_file(busy, "app.service", "[Unit]\nRequires=db.service\nAfter=db.service\n[Service]\nExecStart=/bin/sleep infinity\n")
    unit_file(busy, "part.target", "[Unit]\nBindsTo=app.service\nAfter=app.service\nWants=idle.service\n")
    unit_file(busy, "idle.service", "[Service]\nExecStart=/bin/sleep infinity\n")
    busy.run("systemctl", "start", "app", "part.target")
    busy.run("systemctl", "stop", "idle")

    def states():
        return [busy.unit(unit)["ActiveState"] for unit in ("db.service", "app.service", "part.target", "idle.service")]

    expected = ["active", "active", "active", "inactive"]
    assert states() == expected
    busy.berth("update", FAST, f"--rebase={reference(newer())}", "db")
    assert states() == expected
    busy.wait_stoppable("db")
    busy.berth("rollback", FAST, "db")
    assert states() == expected
    busy.wait_stoppable("db")
    broken = images.derived(images.plain(), "plain-broken", {"usr/bin/serve": "#!/bin/sh\nexit 3\n"})
    done = busy.berth("update", "--settle=30", f"--rebase={reference(broken)}", "db", check=False)
    assert done.returncode == ROLLED_BACK
    assert states() == expected
    busy.wait_stoppable("db")
    done = busy.berth("uninstall", "db")
    assert "app.service was stopped with db, which it requires" in done.stderr


def test_a_manual_stop_during_the_health_gate_is_respected(busy):
    installed(busy, "watched")
    process = busy.start_process("berth", "update", "--settle=600", f"--rebase={reference(newer())}", "watched")
    link = busy.path("/var/lib/containers/berth/watched")
    wait_for_new(busy, "watched")
    assert runs_newer(busy, "watched")
    busy.run("systemctl", "stop", "watched")
    _, errors = process.outputs()
    assert process.returncode == 0, errors
    assert "watched.service was stopped by another command" in errors
    assert busy.unit("watched")["ActiveState"] == "inactive"
    assert link.readlink().name == "watched.1"
    busy.berth("uninstall", "watched")


def test_a_manual_restart_during_the_health_gate_is_no_failure(busy):
    installed(busy, "again")
    process = busy.start_process("berth", "update", "--settle=5", f"--rebase={reference(newer())}", "again")
    wait_for_new(busy, "again")
    busy.wait_stoppable("again")
    busy.run("systemctl", "restart", "again")
    _, errors = process.outputs()
    assert process.returncode == 0, errors
    assert "again.service was restarted by another command" in errors
    assert runs_newer(busy, "again")
    busy.berth("uninstall", "again")


@pytest.mark.portable
def test_a_start_limit_is_reported_and_does_not_prevent_updates(busy):
    unit_file(busy, "often.service.d/limit.conf", "[Unit]\nStartLimitIntervalSec=600\nStartLimitBurst=2\n")
    installed(busy, "often")
    busy.run("systemctl", "restart", "often")
    busy.wait_stoppable("often")
    busy.berth("update", FAST, f"--rebase={reference(newer())}", "often")
    assert runs_newer(busy, "often")
    busy.run("systemctl", "restart", "often")
    busy.wait_stoppable("often")
    done = busy.berth("restart", "often", check=False)
    assert done.returncode == 1 and "often.service did not start: hit the start limit" in done.stderr
    busy.path("/etc/systemd/system/often.service.d/limit.conf").unlink()
    busy.run("systemctl", "daemon-reload")
    busy.berth("uninstall", "often")


def test_a_start_that_did_not_happen_is_reported(busy):
    dies = images.derived(images.plain(), "plain-dies", {"usr/bin/serve": "#!/bin/sh\nexit 3\n"})
    done = busy.berth("install", "--now", "--name=dies", reference(dies), check=False)
    assert done.returncode == ROLLED_BACK, done.stderr
    assert busy.berth_json("containers", "list", "--all")["containers"] == []
    unit_file(busy, "cond.service.d/never.conf", "[Unit]\nConditionPathExists=/nowhere\n")
    done = busy.berth("install", "--now", "--name=cond", reference(images.plain()), check=False)
    assert done.returncode == ROLLED_BACK
    assert "cond.service did not start: ConditionPathExists=/nowhere is not met" in done.stderr
    done = busy.berth("install", "--name=cond", reference(images.plain()))
    assert "/etc/systemd/system/cond.service.d/never.conf exists already" in done.stderr
    for verb in ("start", "restart"):
        done = busy.berth(verb, "cond", check=False)
        assert done.returncode == 1 and "is not met" in done.stderr
    busy.path("/etc/systemd/system/cond.service.d/never.conf").unlink()
    busy.run("systemctl", "daemon-reload")
    busy.berth("uninstall", "cond")


def test_a_payload_that_ends_at_once_has_not_started(busy):
    """For systemd this is a failure or a successful start, depending on whether it still finds the process. berth always reports a failure."""
    unit_file(busy, "brief.service.d/limit.conf", "[Unit]\nStartLimitIntervalSec=0\n")
    output = "output of the first payload"
    for kind, script in (("fails", f"echo {output}; exit 3"), ("ends", "true")):
        image = images.command(f"brief-{kind}", script)
        done = busy.berth("install", "--runtime=/usr/bin/runc", "--now", "--name=brief", reference(image), check=False)
        assert done.returncode == ROLLED_BACK and "at once" in done.stderr, done.stderr
        assert (output in done.stderr) == (kind == "fails"), done.stderr
        busy.berth("install", "--runtime=/usr/bin/runc", "--name=brief", reference(image))
        for verb in ("start", "restart") * 5:
            busy.run("systemctl", "stop", "brief")  # systemd may be starting it again
            done = busy.berth(verb, "brief", check=False)
            assert done.returncode == 1 and "at once" in done.stderr, done.stderr
        busy.berth("uninstall", "brief")
        installed(busy, "brief", None, "--runtime=/usr/bin/runc")
        done = busy.berth("update", "--settle=30", f"--rebase={reference(image)}", "brief", check=False)
        assert done.returncode == ROLLED_BACK and "at once" in done.stderr, done.stderr
        busy.wait_stoppable("brief")
        busy.berth("uninstall", "brief")
    busy.path("/etc/systemd/system/brief.service.d/limit.conf").unlink()
    busy.run("systemctl", "daemon-reload")


def test_a_stop_names_units_that_start_the_service_again(busy):
    installed(busy, "held")
    unit_file(busy, "holder.service", "[Unit]\nUpholds=held.service\n[Service]\nExecStart=/bin/sleep infinity\n")
    unit_file(busy, "held.timer", "[Timer]\nOnActiveSec=1000\n")
    busy.run("systemctl", "start", "holder", "held.timer")
    done = busy.berth("stop", "held")
    assert "held.service was stopped, but held.timer, holder.service start it again" in done.stderr
    busy.run("systemctl", "stop", "holder", "held.timer")
    busy.berth("stop", "held")
    done = busy.berth("stop", "held")
    assert "again" not in done.stderr
    busy.berth("uninstall", "held")


def test_a_mask_stays_until_it_is_removed_as_the_hint_says(busy):
    installed(busy, "mk")
    busy.run("systemctl", "stop", "mk")
    unit = busy.path("/etc/systemd/system/mk.service")
    unit.unlink()
    unit.symlink_to("/dev/null")
    busy.run("systemctl", "daemon-reload")
    busy.berth("update", FAST, f"--rebase={reference(newer())}", "mk")
    assert busy.output("systemctl", "show", "mk", "-p", "LoadState", "--value") == "masked"
    done = busy.berth("start", "mk", check=False)
    assert done.returncode == 1 and "remove /etc/systemd/system/mk.service and run: berth update mk" in done.stderr
    unit.unlink()
    busy.berth("update", "mk")
    assert busy.output("systemctl", "is-enabled", "mk") == "enabled"
    busy.berth("start", "mk")
    assert runs_newer(busy, "mk")
    busy.berth("uninstall", "mk")


@pytest.mark.portable
def test_socket_units_among_the_host_files_are_updated_and_removed(busy):
    def with_socket(path):
        text = f"[Socket]\nListenStream={path}\n[Install]\nWantedBy=sockets.target\n"
        return images.derived(images.plain(), "plain-socket" + path.replace("/", "-"), {"exports/hostfs/etc/systemd/system/sk.socket": text})

    busy.berth("install", "--name=sk", reference(with_socket("/run/sk-one")))
    busy.run("systemctl", "enable", "--now", "sk.socket")
    busy.berth("update", FAST, f"--rebase={reference(with_socket('/run/sk-two'))}", "sk")
    assert busy.unit("sk.socket")["ActiveState"] == "active"
    assert busy.unit("sk.socket", "Listen")["Listen"] == "/run/sk-two (Stream)"
    assert busy.run("test", "-S", "/run/sk-two", check=False).returncode == 0
    busy.berth("uninstall", "sk")
    assert busy.unit("sk.socket", "LoadState", "ActiveState") == {"LoadState": "not-found", "ActiveState": "inactive"}
    assert not busy.path("/etc/systemd/system/sockets.target.wants/sk.socket").is_symlink()


def test_runtime_links_are_removed_with_the_container(busy):
    image = images.derived(images.plain(), "plain-odd-unit", {"exports/hostfs/etc/systemd/system/a b.socket": "[Socket]\n"})
    installed(busy, "fleeting", image)
    busy.run("systemctl", "add-requires", "--runtime", "basic.target", "fleeting")
    busy.run("systemctl", "enable", "--runtime", "fleeting")
    busy.berth("update", FAST, f"--rebase={reference(newer())}", "fleeting")
    busy.wait_stoppable("fleeting")
    busy.berth("uninstall", "fleeting")
    assert busy.output("find", "/run/systemd/system", "/etc/systemd/system", "-name", "fleeting*") == ""
    busy.run("systemctl", "start", "basic.target")


def test_a_link_in_place_of_the_unit_is_saved_as_a_link(busy):
    installed(busy, "linked")
    unit = busy.path("/etc/systemd/system/linked.service")
    busy.run("cp", "/etc/systemd/system/linked.service", "/srv/linked.service")
    unit.unlink()
    unit.symlink_to("/srv/linked.service")
    busy.run("systemctl", "daemon-reload")
    busy.berth("update", FAST, f"--rebase={reference(newer())}", "linked")
    assert runs_newer(busy, "linked")
    assert not unit.is_symlink()
    assert str(busy.path("/etc/systemd/system/linked.service.saved").readlink()) == "/srv/linked.service"
    busy.berth("uninstall", "linked")
    assert str(busy.path("/etc/systemd/system/linked.service.saved").readlink()) == "/srv/linked.service"


def test_a_service_that_its_stop_signal_ends_has_succeeded(busy):
    image = images.derived(images.plain(), "plain-killed", {}, config=["--config.stopsignal", "SIGKILL"])
    installed(busy, "killed", image)
    busy.berth("stop", "killed")
    assert busy.unit("killed", "ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    busy.berth("uninstall", "killed")
