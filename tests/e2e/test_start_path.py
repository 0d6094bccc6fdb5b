"""What systemd sees of a running container: with both runtimes, with the default unit and with one of the image's own."""

import re

import pytest
from rig import images
from rig.checks import in_cgroup_of, runtime_processes

RUNTIMES = {"runc": "/usr/sbin/runc", "crun": "/usr/bin/crun"}


@pytest.fixture(params=RUNTIMES)
def runtime(request):
    return request.param


@pytest.fixture
def plain(host, runtime):
    """A started container of an image without /exports, which therefore has the default unit."""
    host.berth("install", f"--runtime={RUNTIMES[runtime]}", "--name=plain", f"oci:{images.plain().inside}")
    host.run("systemctl", "start", "plain")
    host.wait_stoppable("plain")
    return host


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


def test_no_process_of_the_runtime_or_of_berth_stays(plain):
    assert runtime_processes(plain) == []
    assert not any(re.match(r"\S*berth\b", args) for _, args in plain.processes())


def test_the_journal_has_what_the_payload_says(plain):
    plain.wait_for(lambda: "GREETING=good day" in plain.journal("plain"), "the payload's output")


@pytest.mark.portable
def test_stop_ends_with_success_and_leaves_no_container(plain, runtime):
    plain.wait_for(lambda: "plain runs" in plain.journal("plain"), "the payload's output")
    plain.run("systemctl", "stop", "plain")
    unit = plain.unit("plain")
    assert (unit["ActiveState"], unit["Result"]) == ("inactive", "success")
    assert "plain says goodbye" in plain.journal("plain")
    assert plain.containers(runtime) == []


@pytest.mark.portable
def test_a_killed_payload_leaves_no_container_and_starts_again(plain, runtime):
    first = plain.unit("plain")["MainPID"]
    plain.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "plain")
    plain.wait_for(lambda: plain.unit("plain")["MainPID"] not in ("0", first), "Restart=on-failure brings it back")
    plain.wait_stoppable("plain")
    assert plain.containers(runtime) == ["plain"]
    plain.run("systemctl", "stop", "plain")
    assert plain.containers(runtime) == []
    plain.run("systemctl", "start", "plain")
    assert payload_is(plain, "plain", "/usr/bin/serve")


def test_killing_everything_in_the_unit_leaves_no_container(plain, runtime):
    first = plain.unit("plain")["MainPID"]
    plain.run("systemctl", "kill", "--signal=KILL", "plain")
    plain.wait_for(lambda: plain.unit("plain")["MainPID"] not in ("0", first), "Restart=on-failure brings it back")
    plain.wait_stoppable("plain")
    plain.run("systemctl", "stop", "plain")
    assert plain.containers(runtime) == []


def test_a_power_cut_does_not_block_the_next_start(plain):
    plain.run("sync")
    plain.kill()
    plain.boot()
    assert payload_is(plain, "plain", "/usr/bin/serve")


def test_stale_state_of_the_runtime_does_not_block_the_start(plain, runtime):
    """The runtime's own directory for the container is there, its process is gone."""
    plain.run("systemctl", "stop", "plain")
    spoiled = f"/run/{runtime}/plain"
    plain.run("systemctl", "start", "plain")
    plain.wait_stoppable("plain")
    plain.run("cp", "-a", spoiled, "/root/stale")
    plain.run("systemctl", "stop", "plain")
    plain.run("cp", "-a", "/root/stale", spoiled)
    plain.run("systemctl", "start", "plain")
    assert plain.unit("plain", "NRestarts")["NRestarts"] == "0"
    assert payload_is(plain, "plain", "/usr/bin/serve")


def test_limits_that_the_unit_sets_bind_the_payload(plain):
    plain.run("mkdir -p /etc/systemd/system/plain.service.d && printf '[Service]\\nOOMScoreAdjust=321\\n' "
              "> /etc/systemd/system/plain.service.d/oom.conf && systemctl daemon-reload && systemctl restart plain")  # fmt: skip
    pid = plain.unit("plain")["MainPID"]
    assert plain.output("cat", f"/proc/{pid}/oom_score_adj") == "321"


def test_a_drop_in_may_move_the_unit_to_another_slice(plain, runtime):
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


def test_how_a_service_ends_is_told_rightly(host, runtime):
    """One that ends by itself has succeeded; one that is stopped by the signal of its image has, too."""
    endings = {
        "done": ("sleep 2; exit 0", [], None),
        "manager": ("trap 'exit 0' 37; echo ready; while :; do sleep .1; done", ["--config.stopsignal", "SIGRTMIN+3"], "ready"),
        "java": ("trap 'exit 143' TERM; echo ready; while :; do sleep .1; done", [], "ready"),
        "lower": ("trap 'exit 130' INT; echo ready; while :; do sleep .1; done", ["--config.stopsignal", "sigint"], "ready"),
    }
    for name, (script, config, said) in endings.items():
        image = images.command(f"ends-{name}", script, *config)
        host.berth("install", f"--runtime={RUNTIMES[runtime]}", f"--name={name}", f"oci:{image.inside}")
        host.run("systemctl", "start", name)
        if said:
            host.wait_for(lambda: said in host.journal(name), f"{name} to be ready")
            host.run("systemctl", "stop", name)
    for name in endings:
        host.wait_for(lambda: host.unit(name)["ActiveState"] == "inactive", f"{name} to be inactive")
        unit = host.unit(name, "Result", "NRestarts")
        assert unit == {"Result": "success", "NRestarts": "0"}, (name, host.journal(name))


@pytest.fixture
def hello(host, runtime):
    """A started container of an image that brings its own unit, with the runtime in the foreground."""
    host.berth("install", f"--runtime={RUNTIMES[runtime]}", "--now", f"oci:{images.hello_world().inside}", "--name=hello")
    host.fetch("http://127.0.0.1:8081/")
    return host


def server_pid(host):
    """Of the first process: each request has one of its own, which may not have ended yet."""
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
    hello.wait_for(lambda: hello.unit("hello")["MainPID"] not in ("0", first), "Restart=on-failure brings it back")
    assert hello.fetch("http://127.0.0.1:8081/") == "Hi World!"
    assert server_pid(hello) != old_server
    hello.run("systemctl", "stop", "hello")
    assert hello.containers(runtime) == []


def test_the_first_runtime_that_exists_is_the_default(host):
    host.berth("install", f"oci:{images.plain().inside}", "--name=plain")
    assert host.berth_json("inspect", "plain")["runtime"].endswith("/runc")
    host.berth("uninstall", "plain")
    host.run("rm", "-f", "/usr/sbin/runc", "/usr/bin/runc")
    host.berth("install", f"oci:{images.plain().inside}", "--name=plain")
    assert host.berth_json("inspect", "plain")["runtime"].endswith("/crun")
