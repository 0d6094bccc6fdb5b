# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands in a running container, and one-off runs of a stopped one, with both runtimes and on a terminal."""

import os
import re
import signal
import subprocess

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, RUNTIMES, in_cgroup_of
from rig.terminal import Terminal



@pytest.fixture(scope="module")
def both(shared_host):
    """A running and a stopped container of each runtime: RUNTIME and RUNTIME-off."""
    for name, path in RUNTIMES.items():
        shared_host.berth("install", f"--runtime={path}", "--now", f"--name={name}", f"oci:{images.plain().inside}")
        shared_host.berth("install", f"--runtime={path}", f"--name={name}-off", f"oci:{images.plain().inside}")
        shared_host.wait_stoppable(name)
    return shared_host


@pytest.fixture(params=RUNTIMES)
def runtime(request):
    return request.param


@pytest.fixture(params=["exec", "run", "one-off"])
def command(request, runtime):
    """The arguments before a command, for each of the three ways to run it in a container of that runtime."""
    return {"exec": ("exec", runtime), "run": ("run", runtime), "one-off": ("run", f"{runtime}-off")}[request.param]


@pytest.fixture
def terminal(both):
    opened = []

    def start(*argv, **size):
        opened.append(Terminal(both, *argv, **size))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_a_user_without_root_can_write_to_tmp(both, runtime):
    """/tmp is 0755 and owned by root in the image; runc before 1.2 sets this mode on the file system that is mounted there."""
    done = both.berth("exec", runtime, "sh", "-c", "id -u; echo x > /tmp/file && cat /tmp/file && stat -c %a /tmp")
    assert done.stdout.splitlines()[:2] == ["1000", "x"]


def nothing_left(host):
    """No container, scope, directory or lock of a one-off run exists."""
    for name in RUNTIMES:
        assert set(host.containers(name)) == {name}
    listed = set(os.listdir(host.path(DEPLOYMENTS)))
    assert not [entry for entry in listed if "-run-" in entry]
    host.wait_for(lambda: host.output("systemctl list-units --no-legend --all --type=scope"), "the end of all scopes of runs", lambda scopes: "-run-" not in scopes)


@pytest.mark.portable
def test_a_command_has_the_standard_streams_and_sets_the_exit_code(both, command):
    done = both.berth(*command, "sh", "-c", "cat; echo to stderr >&2; exit 42", check=False, input="through\n")
    assert done.returncode == 42
    assert done.stdout == "through\n"
    assert done.stderr == "to stderr\n"
    nothing_left(both)


def test_user_environment_and_directory_are_those_of_the_service(both, command):
    output = both.berth(*command, "sh", "-c", "id -u; pwd; echo $GREETING; grep NoNewPrivs /proc/self/status").stdout
    assert output.split("\n")[:4] == ["1000", "/srv/home", "good day", "NoNewPrivs:\t1"]


def test_options_after_the_name_belong_to_the_command(both, command):
    assert both.berth(*command, "echo", "--json", "-q", "--root", "/x").stdout == "--json -q --root /x\n"


def test_a_command_that_a_signal_ends(both, command):
    assert both.berth(*command, "sh", "-c", "sh -c 'kill -USR1 $$'; exit $?", check=False).returncode == 128 + signal.SIGUSR1
    if command[0] == "exec":
        assert both.berth(*command, "sh", "-c", "kill -KILL $$", check=False).returncode == 128 + signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2])
def test_signals_reach_the_command(both, runtime, number):
    script = f"trap 'echo got it; exit 9' {number.name[3:]}; echo ready; while :; do sleep 0.05; done"
    process = both.start_process("berth", "run", f"{runtime}-off", "sh", "-c", script)
    assert process.line() == "ready\n"
    os.kill(both.inner_pid(process), number)
    assert process.finish() == 9
    assert process.outputs()[0] == "got it\n"
    nothing_left(both)


@pytest.mark.portable
def test_exit_codes_distinguish_a_missing_program_from_a_file_that_is_not_executable(both, command):
    for argv, code, reason in (("/no/such/program", 127, "/no/such/program"), ("/etc/passwd", 126, "permission denied|not executable")):
        done = both.berth(*command, argv, check=False)
        assert done.returncode == code, done.stderr
        assert "berth: cannot run" in done.stderr and re.search(reason, done.stderr.lower()), done.stderr
    nothing_left(both)


def test_a_command_is_in_the_cgroup_of_the_service(both, runtime):
    process = both.start_process("berth", "exec", runtime, "sh", "-c", "echo ready; sleep 1001")
    assert process.line() == "ready\n"
    assert in_cgroup_of(both, both.pid_of("sleep 1001"), f"/system.slice/{runtime}.service")
    os.kill(both.inner_pid(process), signal.SIGTERM)
    assert process.finish() == 128 + signal.SIGTERM
    both.wait_ended("sleep 1001")


def test_one_off_runs_are_concurrent_and_have_separate_cgroups(both, runtime):
    script = "echo ready; read line; echo $line"
    processes = [both.start_process("berth", "run", f"{runtime}-off", "sh", "-c", script, stdin=subprocess.PIPE) for _ in range(2)]
    for process in processes:
        assert process.line() == "ready\n"
    scopes = re.findall(rf"{runtime}-off-run-\w+\.scope", both.output("systemctl list-units --no-legend --type=scope"))
    assert len(set(scopes)) == 2
    for scope in set(scopes):
        cgroup = f"/sys/fs/cgroup/system.slice/{scope}"
        assert both.output("cat", f"{cgroup}/payload/cgroup.procs") and both.output("cat", f"{cgroup}/berth/cgroup.procs")
        assert both.output("cat", f"{cgroup}/cgroup.procs") == ""
    for number, process in enumerate(processes):
        assert process.outputs(f"line {number}\n")[0] == f"line {number}\n"
    nothing_left(both)


def test_a_container_is_not_uninstalled_during_a_one_off_run(both, runtime):
    process = both.start_process("berth", "run", f"{runtime}-off", "sh", "-c", "echo ready; read line; cat /etc/passwd", stdin=subprocess.PIPE)
    assert process.line() == "ready\n"
    done = both.berth("uninstall", f"{runtime}-off", check=False)
    assert done.returncode == 4
    assert f"{runtime}-off-run-" in done.stderr and "systemctl stop" in done.stderr
    assert "guest" in process.outputs("go on\n")[0]


def test_the_output_of_a_detached_command_is_in_the_journal(both, runtime):
    done = both.berth("exec", "--detach", runtime, "sh", "-c", "echo detached as $$; sleep 1002")
    assert (done.stdout, done.stderr) == ("", "")
    pid = both.pid_of("sleep 1002")
    both.wait_for_output(runtime, "detached as")
    both.run("kill", str(pid))
    both.wait_ended("sleep 1002")


def test_detach_requires_a_running_container(both, runtime):
    done = both.berth("run", "-d", f"{runtime}-off", "true", check=False)
    assert done.returncode == 2 and "is not running" in done.stderr


def test_exec_requires_a_running_container(both, runtime):
    done = both.berth("exec", f"{runtime}-off", "true", check=False)
    assert done.returncode == 1
    assert f"berth start {runtime}-off" in done.stderr and f"berth run {runtime}-off" in done.stderr


def test_a_command_immediately_after_the_start_waits_for_the_container(both, runtime):
    """A unit whose runtime stays in the foreground is started before the container exists."""
    both.berth("install", f"--runtime={RUNTIMES[runtime]}", "--name=early", f"oci:{images.hello_world().inside}")
    both.run("systemctl", "start", "early")
    assert both.berth("exec", "early", "/bin/echo", "inside").stdout == "inside\n"
    both.fetch("http://127.0.0.1:8081/")
    both.berth("uninstall", "early")


def test_a_run_in_a_running_container_requires_a_command(both, runtime):
    done = both.berth("run", runtime, check=False)
    assert done.returncode == 2 and "is already running" in done.stderr


def test_a_one_off_run_without_a_command_runs_that_of_the_service(both, runtime):
    process = both.start_process("berth", "run", f"{runtime}-off")
    assert "plain runs as 1000 in /srv/home" in process.line()
    os.kill(both.inner_pid(process), signal.SIGTERM)
    assert process.finish() == 0
    assert process.outputs()[0] == "plain says goodbye\n"


def test_refusals(both):
    for argv, code, words in (
        (("exec", "missing", "true"), 3, "no container missing"),
        (("run", "missing"), 3, "no container missing"),
        (("exec", "runc"), 2, "COMMAND"),
        (("exec", "--tty", "runc", "true"), 2, "--tty requires a terminal"),
        (("exec", "--tty", "--detach", "runc", "true"), 2, "--detach"),
        (("run", "--set=A=1", "runc-off", "true"), 2, "--set"),
    ):
        done = both.berth(*argv, check=False)
        assert done.returncode == code, done.stderr
        assert words in done.stderr


# -- on a terminal ------------------------------------------------------------------------------------------------


def test_a_terminal_has_the_size_of_the_callers_and_follows_it(terminal, command):
    # crun exec sets the size after it has started the command.
    script = "until stty size 2>&1 | grep '33 101'; do sleep 0.02; done; trap 'stty size' WINCH; echo ready; while ! read line; do :; done; exit 5"
    screen = terminal("berth", *command, "sh", "-c", script, rows=33, columns=101)
    assert "33 101" in screen.wait_for("ready")
    screen.resize(20, 50)
    screen.wait_for("20 50")
    screen.type("done\r")
    assert screen.end() == 5


def test_control_c_on_a_terminal_interrupts_the_command(terminal, command):
    screen = terminal("berth", *command, "sh", "-c", "trap 'echo caught; exit 6' INT; echo ready; while :; do sleep 0.05; done")
    screen.wait_for("ready")
    screen.type("\x03")
    screen.wait_for("caught")
    assert screen.end() == 6


def test_a_command_on_a_terminal_has_a_terminal(terminal, command):
    screen = terminal("berth", *command, "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && echo $TERM; tty; read line; exit 3")
    assert "xterm" in screen.wait_for("/dev/")  # crun loses output that is written immediately before the end
    screen.type("\r")
    assert screen.end() == 3


def test_no_tty_runs_the_command_without_a_terminal(terminal, command):
    screen = terminal("berth", command[0], "--no-tty", command[1], "sh", "-c", "read line; echo got $line; exit 8")
    screen.type("words\r")
    screen.wait_for("got words")
    assert screen.end() == 8


def test_the_terminal_is_restored_when_the_runtime_is_killed(terminal, both, runtime):
    screen = terminal("berth", "run", f"{runtime}-off", "sh", "-c", "echo ready; sleep 1003")
    screen.wait_for("ready")
    both.run("pkill", "-KILL", "-f", f"^{RUNTIMES[runtime]} --log")
    assert screen.end() == 128 + signal.SIGKILL
    nothing_left(both)


def test_a_closed_terminal_ends_a_one_off_run(terminal, both, runtime):
    screen = terminal("berth", "run", f"{runtime}-off", "sh", "-c", "trap 'exit 1' HUP; echo ready; while :; do sleep 0.05; done")
    screen.wait_for("ready")
    screen.hang_up()
    both.wait_for(lambda: set(both.containers(runtime)), "the end of the one-off run", {runtime})
    both.wait_for(lambda: [name for name in os.listdir(both.path(DEPLOYMENTS)) if "-run-" in name], "the removal of its directory", [])


# -- when berth is killed -----------------------------------------------------------------------------------------


def test_the_next_command_ends_a_killed_one_off_run(both, runtime):
    process = both.start_process("berth", "run", f"{runtime}-off", "sh", "-c", "echo ready; sleep 1004")
    assert process.line() == "ready\n"
    os.kill(both.inner_pid(process), signal.SIGKILL)
    process.finish()
    done = both.berth("start", runtime)
    assert f"ending the interrupted one-off run {runtime}-off-run-" in done.stderr
    assert not any("sleep 1004" in args for _, args in both.processes())
    nothing_left(both)


def test_a_stopped_scope_ends_a_one_off_run(both, runtime):
    process = both.start_process("berth", "run", f"{runtime}-off", "sh", "-c", "trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done")
    assert process.line() == "ready\n"
    both.run(f"systemctl stop '{runtime}-off-run-*.scope'")
    assert process.finish() == 4
    nothing_left(both)
