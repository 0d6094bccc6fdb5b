"""Ctrl-C, SIGTERM and SIGKILL at moments that hurt: the host is as it was, or the next command sees to it."""

import contextlib
import os
import pathlib
import re
import signal

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, leftovers
from rig.shell import PATIENCE

INTERRUPTED = 130


@pytest.fixture
def stuck_reference(site):
    """An image behind a line that goes dead in the middle of a layer."""
    site.pushed(images.large())
    front = site.front("--stall-blobs=16000000")
    return front, f"{front.address}/large"


def start_install(host, *argv):
    process = host.start_process("berth", "install", *argv)
    return process, host.inner_pid(process)


def struck(host, kind, delay, *argv):
    """Starts berth, sends it a signal after some seconds, and gives its exit code, below 0 when the signal ended it."""
    process = host.start_process("berth", *argv)
    with contextlib.suppress(ProcessLookupError):  # it was faster
        pid = host.inner_pid(process)
        signal.sigtimedwait([], delay)
        os.kill(pid, kind)
    return process.wait(PATIENCE)


def wait_for_blob(host, front):
    host.wait_for(lambda: re.search(r"GET .*/blobs/", front.log()), "the first blob is asked for")


def size_of(path):
    try:
        return path.lstat().st_size
    except FileNotFoundError:  # renamed meanwhile
        return 0


def grown(host, megabytes):
    """How many bytes below the deployments, at least."""

    def enough():
        names = (pathlib.Path(directory, name) for directory, _, files in os.walk(host.path(DEPLOYMENTS)) for name in files)
        return sum(map(size_of, names)) >= megabytes << 20

    return enough


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_at_the_first_request(kind, host, site):
    site.pushed(images.large())
    front = site.front("--stall-blobs=0")
    before = host.snapshot()
    process, pid = start_install(host, f"{front.address}/large")
    wait_for_blob(host, front)
    os.kill(pid, kind)
    assert process.wait(PATIENCE) == INTERRUPTED
    assert leftovers(before, host.snapshot()) == []


def test_in_the_middle_of_a_layer(host, stuck_reference):
    front, reference = stuck_reference
    before = host.snapshot()
    process, pid = start_install(host, reference)
    wait_for_blob(host, front)
    host.wait_for(grown(host, 1), "some of the layer is written")
    os.kill(pid, signal.SIGINT)
    assert process.wait(PATIENCE) == INTERRUPTED
    assert leftovers(before, host.snapshot()) == []
    assert host.stored() == []


def test_an_interrupted_install_can_be_repeated(host, stuck_reference, site):
    front, reference = stuck_reference
    process, pid = start_install(host, reference)
    wait_for_blob(host, front)
    os.kill(pid, signal.SIGINT)
    assert process.wait(PATIENCE) == INTERRUPTED
    host.berth("install", "--now", site.pushed(images.large()))
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"


def test_while_a_service_starts(host):
    """--now waits for a unit that takes its time; Ctrl-C takes everything back."""
    unit = "[Service]\nType=oneshot\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"
    image = images.with_exports("slow-start", {"service.template": unit, "manifest.json": '{"version": "1.0"}'})
    before = host.snapshot()
    process, pid = start_install(host, "--now", "--name=slow", f"oci:{image.inside}")
    host.wait_for(lambda: host.unit("slow")["ActiveState"] == "activating", "the unit is starting")
    os.kill(pid, signal.SIGINT)
    assert process.wait(PATIENCE) == INTERRUPTED
    assert leftovers(before, host.snapshot()) == []
    assert host.unit("slow", "LoadState")["LoadState"] == "not-found"
    assert not any("sleep 1000" in args for _, args in host.processes())


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.08, 0.12, 0.2])
def test_at_any_moment_of_an_install(delay, host):
    """Whatever the moment: either it is installed in full, or the host is as it was."""
    image = images.hello_world()
    host.berth("pull", f"oci:{image.inside}")
    before = host.snapshot()
    code = struck(host, signal.SIGINT, delay, "install", "--name=hello", f"oci:{image.inside}")
    assert code in (0, INTERRUPTED, -signal.SIGINT)  # the last one: before berth had a word in it
    if code != 0:
        assert leftovers(before, host.snapshot()) == []
    else:
        host.berth("start", "hello")
        assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"


@pytest.mark.parametrize("delay", [0.0, 0.03, 0.06, 0.1, 0.15])
def test_a_killed_install_is_finished_or_undone_by_the_next_command(delay, host):
    image = images.hello_world()
    host.berth("pull", f"oci:{image.inside}")
    before = host.snapshot()
    struck(host, signal.SIGKILL, delay, "install", "--name=hello", f"oci:{image.inside}")
    host.berth("uninstall", "hello", check=False)
    assert leftovers(before, host.snapshot()) == []


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.06, 0.1])
def test_an_interrupted_uninstall_completes_when_run_again(delay, host):
    before = host.snapshot()
    host.berth("install", "--now", "--name=hello", f"oci:{images.hello_world().inside}")
    struck(host, signal.SIGKILL, delay, "uninstall", "hello")
    host.berth("uninstall", "hello", check=False)
    assert leftovers(before, host.snapshot()) == []
    assert host.containers() == []
