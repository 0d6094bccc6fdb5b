# SPDX-License-Identifier: LGPL-2.1-or-later
"""berth run IMAGE: a single run over a tmpfs layer; and images that are run once instead of installed."""

import os
import signal

import pytest
from rig import images
from rig.checks import RUNTIMES, leftovers
from rig.terminal import Terminal



@pytest.fixture(params=RUNTIMES)
def runtime(request):
    return request.param


@pytest.fixture
def unchanged(shared_host):
    """A host that must be unchanged at the end of the test."""
    shared_host.berth("pull", f"oci:{images.plain().inside}")
    before = shared_host.snapshot()
    yield shared_host
    assert leftovers(before, shared_host.snapshot()) == []
    for name in RUNTIMES:
        assert shared_host.containers(name) == []


def image(runtime, made=None):
    return (f"--runtime={RUNTIMES[runtime]}", f"oci:{(made or images.plain()).inside}")


def test_a_command_runs_in_an_image(unchanged, runtime):
    done = unchanged.berth("run", *image(runtime), "sh", "-c", "id -u; pwd; echo $GREETING; exit 42", check=False)
    assert done.returncode == 42
    assert done.stdout == "1000\n/srv/home\ngood day\n"


def test_changes_of_files_are_discarded_after_the_run(unchanged, runtime):
    root = images.hello_world()
    script = "echo new > /usr/bin/run.sh && cat /usr/bin/run.sh && rm /etc/passwd && touch /made"
    for _ in range(2):
        assert unchanged.berth("run", *image(runtime, root), "sh", "-c", script).stdout == "new\n"


def test_set_values_reach_the_configuration(unchanged, runtime):
    done = unchanged.berth("run", "--set=RECEIVER=Moon", *image(runtime, images.hello_world()), "sh", "-c", "echo $RECEIVER")
    assert done.stdout == "Moon\n"


def test_a_command_runs_on_a_terminal(unchanged, runtime):
    screen = Terminal(unchanged, "berth", "run", *image(runtime), "sh", "-c", "until stty size | grep '20 60'; do sleep 0.02; done; read line; exit 5", rows=20, columns=60)
    screen.wait_for("20 60")
    screen.type("go on\r")
    assert screen.end() == 5
    screen.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_in_order(unchanged, runtime, number):
    process = unchanged.start_process("berth", "run", *image(runtime))
    assert "plain runs as 1000" in process.line()
    os.kill(unchanged.inner_pid(process), number)
    assert process.finish() == 0
    assert process.outputs()[0] == "plain says goodbye\n"


def test_the_next_command_cleans_up_a_killed_run(unchanged, runtime):
    process = unchanged.start_process("berth", "run", *image(runtime))
    process.line()
    os.kill(unchanged.inner_pid(process), signal.SIGKILL)
    process.finish()
    assert any("/usr/bin/serve" in args for _, args in unchanged.processes())
    unchanged.berth("uninstall", "nothing", check=False)
    unchanged.wait_ended("/usr/bin/serve")


def test_another_command_does_not_disturb_a_run(unchanged, runtime):
    process = unchanged.start_process("berth", "run", *image(runtime))
    process.line()
    unchanged.berth("uninstall", "nothing", check=False)
    os.kill(unchanged.inner_pid(process), signal.SIGTERM)
    assert process.finish() == 0


def test_an_image_that_is_not_stored_is_pulled(shared_host, shared_site):
    reference = shared_site.pushed(images.special())
    assert shared_host.berth("run", reference, "/bin/echo", "pulled").stdout == "pulled\n"


def test_a_missing_program_and_detach_are_refused(unchanged):
    assert unchanged.berth("run", *image("runc"), "/no/such", check=False).returncode == 127
    done = unchanged.berth("run", "--detach", *image("runc"), check=False)
    assert done.returncode == 2 and "--detach" in done.stderr


def once(name="once"):
    def make(directory):
        build = images.Build(directory)
        build.busybox()
        build.write("exports/hostfs/usr/local/bin/never", "must not be copied\n")
        build.layer()
        build.config("--config.label", "atomic.run=once", "--config.cmd", "/bin/sh", "--config.cmd=-c", "--config.cmd", "echo ran once; exit 6")
        build.done()

    return images._image(name, make)


def test_an_image_to_be_run_once_is_run_and_not_installed(unchanged, runtime):
    unchanged.berth("pull", f"oci:{once().inside}")
    done = unchanged.berth("install", *image(runtime, once()), check=False)
    assert (done.returncode, done.stdout) == (6, "ran once\n")
    assert unchanged.listed("--all") == []
