# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ctrl-C, SIGTERM and SIGKILL at critical times: the host is unchanged, or the next command restores it."""

import contextlib
import os
import pathlib
import signal

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, leftovers

INTERRUPTED = 130


@pytest.fixture
def stuck_reference(site):
    """(front, reference): an image behind a connection that stalls in the middle of a layer"""
    site.pushed(images.large())
    front = site.front("--stall-blobs=16000000")
    return front, f"{front.address}/large"


def start_install(host, *argv):
    process = host.start_process("berth", "install", *argv)
    return process, host.inner_pid(process)


def struck(host, kind, delay, *argv):
    """Starts berth and sends it a signal after `delay` seconds. @return the exit code; negative when the signal ended it"""
    process = host.start_process("berth", *argv)
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        pid = host.inner_pid(process)
        signal.sigtimedwait([], delay)
        os.kill(pid, kind)
    return process.finish()


def wait_for_blob(host, front):
    host.wait_for(front.blobs, "a request for a blob")


def size_of(path):
    try:
        return path.lstat().st_size
    except FileNotFoundError:  # it was renamed
        return 0


def bytes_below_deployments(host):
    return sum(size_of(pathlib.Path(directory, name)) for directory, _, files in os.walk(host.path(DEPLOYMENTS)) for name in files)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_install_interrupted_at_its_first_request_leaves_nothing(kind, host, site):
    site.pushed(images.large())
    front = site.front("--stall-blobs=0")
    before = host.snapshot()
    process, pid = start_install(host, f"{front.address}/large")
    wait_for_blob(host, front)
    os.kill(pid, kind)
    assert process.finish() == INTERRUPTED
    assert leftovers(before, host.snapshot()) == []


def test_an_install_interrupted_in_the_middle_of_a_layer_leaves_nothing(host, stuck_reference):
    front, reference = stuck_reference
    before = host.snapshot()
    process, pid = start_install(host, reference)
    wait_for_blob(host, front)
    host.wait_for(lambda: bytes_below_deployments(host), "1 MiB of the layer to be written", lambda size: size >= 1 << 20)
    os.kill(pid, signal.SIGINT)
    assert process.finish() == INTERRUPTED
    assert leftovers(before, host.snapshot()) == []
    assert host.stored() == []


def test_an_interrupted_install_can_be_repeated(host, stuck_reference, site):
    front, reference = stuck_reference
    process, pid = start_install(host, reference)
    wait_for_blob(host, front)
    os.kill(pid, signal.SIGINT)
    assert process.finish() == INTERRUPTED
    host.berth("install", "--now", site.pushed(images.large()))
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"


def test_an_install_interrupted_while_the_service_starts_leaves_nothing(host):
    unit = "[Service]\nType=oneshot\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"
    image = images.with_exports("slow-start", {"service.template": unit, "manifest.json": '{"version": "1.0"}'})
    before = host.snapshot()
    process, pid = start_install(host, "--now", "--name=slow", f"oci:{image.inside}")
    host.wait_for_state("slow", "activating")
    os.kill(pid, signal.SIGINT)
    assert process.finish() == INTERRUPTED
    assert leftovers(before, host.snapshot()) == []
    assert host.unit("slow", "LoadState")["LoadState"] == "not-found"
    assert not any("sleep 1000" in args for _, args in host.processes())


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.08, 0.12, 0.2])
def test_an_install_interrupted_at_any_time_is_complete_or_undone(delay, host):
    image = images.hello_world()
    host.berth("pull", f"oci:{image.inside}")
    before = host.snapshot()
    code = struck(host, signal.SIGINT, delay, "install", "--name=hello", f"oci:{image.inside}")
    assert code in (0, INTERRUPTED, -signal.SIGINT)  # by the signal, before berth handles it
    if code != 0:
        assert leftovers(before, host.snapshot()) == []
    else:
        host.berth("start", "hello")
        assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"


@pytest.mark.parametrize("delay", [0.0, 0.03, 0.06, 0.1, 0.15])
def test_the_next_command_completes_or_undoes_a_killed_install(delay, host):
    image = images.hello_world()
    host.berth("pull", f"oci:{image.inside}")
    before = host.snapshot()
    struck(host, signal.SIGKILL, delay, "install", "--name=hello", f"oci:{image.inside}")
    host.berth("uninstall", "hello", check=False)
    assert leftovers(before, host.snapshot()) == []


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.06, 0.1])
def test_a_killed_uninstall_is_completed_when_run_again(delay, host):
    before = host.snapshot()
    host.berth("install", "--now", "--name=hello", f"oci:{images.hello_world().inside}")
    struck(host, signal.SIGKILL, delay, "uninstall", "hello")
    host.berth("uninstall", "hello", check=False)
    assert leftovers(before, host.snapshot()) == []
    assert host.containers() == []
