# SPDX-License-Identifier: LGPL-2.1-or-later
"""A running container as a systemd service: with both runtimes, with the default unit and with a unit of the image."""

import re

import pytest
from rig import images
from rig.checks import RUNTIMES, in_cgroup_of, runtime_processes



@pytest.fixture(params=RUNTIMES)
def runtime(request):
    return request.param


@pytest.fixture
def plain(host, runtime):
    """A running container with the default unit, of an image without /exports."""
    host.berth("install", f"--runtime={RUNTIMES[runtime]}", "--name=plain", f"oci:{images.plain().inside}")
    host.run("systemctl", "start", "plain")
    host.wait_stoppable("plain")
    return host


def wait_restarted(host, unit, first):
    """Waits until Restart=on-failure has started the unit again. @param first the main process before"""
    host.wait_for(lambda: host.unit(unit)["MainPID"], f"{unit} to be restarted, with another main process than {first}",
                  lambda pid: pid not in ("0", first))  # fmt: skip


def payload_is(host, unit, text):
    host.wait_stoppable(unit)
    pid = host.unit(unit)["MainPID"]
    return text in host.output("cat", f"/proc/{pid}/cmdline").replace("\0", " ")


@pytest.mark.portable
def test_the_main_process_is_the_payload(plain):
    assert payload_is(plain, "plain", "/usr/bin/serve one two")


def test_the_payload_is_inside_the_cgroup_of_the_unit(plain):
    unit = plain.unit("plain")
    assert unit["ControlGroup"] == "/system.slice/plain.service"
    assert in_cgroup_of(plain, unit["MainPID"], unit["ControlGroup"])


def test_status_shows_the_payload(plain):
    assert "/usr/bin/serve one two" in plain.output("systemctl", "status", "--no-pager", "plain")


def test_no_process_of_the_runtime_or_of_berth_remains(plain):
    assert runtime_processes(plain) == []
    assert not any(re.match(r"\S*berth\b", args) for _, args in plain.processes())


def test_the_output_of_the_payload_is_in_the_journal(plain):
    plain.wait_for_output("plain", "GREETING=good day")


@pytest.mark.portable
def test_stop_ends_with_success_and_leaves_no_container(plain, runtime):
    plain.wait_for_output("plain", "plain runs")
    plain.run("systemctl", "stop", "plain")
    unit = plain.unit("plain")
    assert (unit["ActiveState"], unit["Result"]) == ("inactive", "success")
    assert "plain says goodbye" in plain.journal("plain")
    assert plain.containers(runtime) == []


@pytest.mark.portable
def test_a_killed_payload_leaves_no_container_and_starts_again(plain, runtime):
    first = plain.unit("plain")["MainPID"]
    plain.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "plain")
    wait_restarted(plain, "plain", first)
    plain.wait_stoppable("plain")
    assert plain.containers(runtime) == ["plain"]
    plain.run("systemctl", "stop", "plain")
    assert plain.containers(runtime) == []
    plain.run("systemctl", "start", "plain")
    assert payload_is(plain, "plain", "/usr/bin/serve")


def test_killing_everything_in_the_unit_leaves_no_container(plain, runtime):
    first = plain.unit("plain")["MainPID"]
    plain.run("systemctl", "kill", "--signal=KILL", "plain")
    wait_restarted(plain, "plain", first)
    plain.wait_stoppable("plain")
    plain.run("systemctl", "stop", "plain")
    assert plain.containers(runtime) == []


def test_a_power_cut_does_not_block_the_next_start(plain):
    plain.run("sync")
    plain.kill()
    plain.boot()
    assert payload_is(plain, "plain", "/usr/bin/serve")


def test_stale_state_of_the_runtime_does_not_block_the_start(plain, runtime):
    """The runtime has a directory for the container, whose process has ended."""
    plain.run("systemctl", "stop", "plain")
    state = f"/run/{runtime}/plain"
    plain.run("systemctl", "start", "plain")
    plain.wait_stoppable("plain")
    plain.run("cp", "-a", state, "/root/stale")
    plain.run("systemctl", "stop", "plain")
    plain.run("cp", "-a", "/root/stale", state)
    plain.run("systemctl", "start", "plain")
    assert plain.unit("plain", "NRestarts")["NRestarts"] == "0"
    assert payload_is(plain, "plain", "/usr/bin/serve")


def test_settings_of_the_unit_apply_to_the_payload(plain):
    plain.run("mkdir -p /etc/systemd/system/plain.service.d && printf '[Service]\\nOOMScoreAdjust=321\\n' "
              "> /etc/systemd/system/plain.service.d/oom.conf && systemctl daemon-reload && systemctl restart plain")  # fmt: skip
    pid = plain.unit("plain")["MainPID"]
    assert plain.output("cat", f"/proc/{pid}/oom_score_adj") == "321"


def test_a_drop_in_can_move_the_unit_to_another_slice(plain, runtime):
    def is_inside(name):
        unit = plain.unit(name)
        assert unit["ControlGroup"] == f"/tenant.slice/tenant-a.slice/{name}.service"
        assert in_cgroup_of(plain, unit["MainPID"], unit["ControlGroup"])
        return plain.run("test", "-d", f"/sys/fs/cgroup/system.slice/{name}.service", check=False).returncode != 0

    for name in ("plain", "later"):
        plain.run(f"mkdir -p /etc/systemd/system/{name}.service.d && printf '[Service]\\nSlice=tenant-a.slice\\n' "
                  f"> /etc/systemd/system/{name}.service.d/slice.conf")  # fmt: skip
    plain.run("systemctl", "daemon-reload")
    plain.run("systemctl" if runtime == "runc" else "berth", "restart", "plain")
    assert is_inside("plain")
    plain.berth("install", f"--runtime={RUNTIMES[runtime]}", "--now", f"oci:{images.plain().inside}", "--name=later")
    assert is_inside("later")
    plain.run("systemctl", "restart", "later")
    assert is_inside("later")


def test_a_service_that_ends_by_itself_or_by_its_stop_signal_has_succeeded(host, runtime):
    endings = {
        "done": ("sleep 2; exit 0", [], None),
        "manager": ("trap 'exit 0' 37; echo ready; while :; do sleep .1; done", ["--config.stopsignal", "SIGRTMIN+3"], "ready"),
        "java": ("trap 'exit 143' TERM; echo ready; while :; do sleep .1; done", [], "ready"),
        "lower": ("trap 'exit 130' INT; echo ready; while :; do sleep .1; done", ["--config.stopsignal", "sigint"], "ready"),
    }
    for name, (script, config, output) in endings.items():
        image = images.command(f"ends-{name}", script, *config)
        host.berth("install", f"--runtime={RUNTIMES[runtime]}", f"--name={name}", f"oci:{image.inside}")
        host.run("systemctl", "start", name)
        if output:
            host.wait_for_output(name, output)
            host.run("systemctl", "stop", name)
    for name in endings:
        host.wait_for_state(name, "inactive")
        unit = host.unit(name, "Result", "NRestarts")
        assert unit == {"Result": "success", "NRestarts": "0"}, (name, host.journal(name))


@pytest.fixture
def hello(host, runtime):
    """A running container with the unit of the image, which runs the runtime in the foreground."""
    host.berth("install", f"--runtime={RUNTIMES[runtime]}", "--now", f"oci:{images.hello_world().inside}", "--name=hello")
    host.fetch("http://127.0.0.1:8081/")
    return host


def server_pid(host):
    """The pid of the server, which is lower than those of its children for requests."""
    return min(pid for pid, args in host.processes() if args.startswith("httpd -f"))


def test_a_unit_of_the_image_keeps_the_payload_in_its_cgroup(hello):
    unit = hello.unit("hello")
    assert in_cgroup_of(hello, server_pid(hello), unit["ControlGroup"])


def test_a_unit_of_the_image_stops_with_success(hello, runtime):
    hello.run("systemctl", "stop", "hello")
    unit = hello.unit("hello")
    assert (unit["ActiveState"], unit["Result"]) == ("inactive", "success")
    assert hello.containers(runtime) == []


@pytest.mark.portable
def test_a_killed_runtime_leaves_no_container_and_starts_again(hello, runtime):
    first = hello.unit("hello")["MainPID"]
    old_server = server_pid(hello)
    hello.run("kill", "-KILL", first)
    wait_restarted(hello, "hello", first)
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi World!"
    assert server_pid(hello) != old_server
    hello.run("systemctl", "stop", "hello")
    assert hello.containers(runtime) == []


def test_the_first_installed_runtime_is_the_default(host):
    host.berth("install", f"oci:{images.plain().inside}", "--name=plain")
    assert host.berth_json("inspect", "plain")["runtime"].endswith("/runc")
    host.berth("uninstall", "plain")
    host.run("rm", "-f", "/usr/sbin/runc", "/usr/bin/runc")
    host.berth("install", f"oci:{images.plain().inside}", "--name=plain")
    assert host.berth_json("inspect", "plain")["runtime"].endswith("/crun")
