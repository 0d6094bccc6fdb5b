# SPDX-License-Identifier: LGPL-2.1-or-later
"""Verbs with several names, and `containers delete`, which asks for confirmation."""

import pytest
from rig import images
from rig.terminal import Terminal


@pytest.fixture
def two(shared_host):
    for name in ("one", "two"):
        shared_host.berth("install", f"--name={name}", f"oci:{images.plain().inside}")
    yield shared_host
    shared_host.berth("containers", "delete", "--all", "--force")


def names(host):
    return [row["container"] for row in host.listed("--all")]


def test_every_name_is_tried_and_the_highest_exit_code_is_returned(two):
    for verb, state in (("start", "active"), ("restart", "active"), ("stop", "inactive")):
        done = two.berth(verb, "missing", "one", "../x", "two", check=False)
        assert done.returncode == 3
        assert "no container missing" in done.stderr and "../x" in done.stderr
        assert [two.unit(name)["ActiveState"] for name in ("one", "two")] == [state, state]
        if state == "active":
            for name in ("one", "two"):
                two.wait_stoppable(name)


def test_a_restart_starts_a_new_process(two):
    two.berth("start", "one")
    two.wait_stoppable("one")
    before = two.unit("one")["MainPID"]
    two.berth("restart", "one")
    assert two.unit("one")["MainPID"] not in ("0", before)
    two.wait_stoppable("one")


def test_without_a_terminal_a_delete_requires_force(two):
    done = two.berth("containers", "delete", "one", check=False)
    assert done.returncode == 2 and "--force" in done.stderr
    assert names(two) == ["one", "two"]


@pytest.mark.parametrize(("answer", "left"), [("n", ["one", "two"]), ("", ["one", "two"]), ("y", ["two"])])
def test_a_delete_asks_on_a_terminal(two, answer, left):
    screen = Terminal(two, "berth", "containers", "delete", "one")
    screen.wait_for("Delete one? [y/N]")
    screen.type(answer + "\r")
    assert screen.end() == 0
    screen.close()
    assert names(two) == left


def test_all_deletes_every_container_and_excludes_names(two):
    done = two.berth("containers", "delete", "--all", "one", check=False)
    assert done.returncode == 2
    assert two.berth("containers", "delete", check=False).returncode == 2
    two.berth("containers", "delete", "-f", "--all")
    assert names(two) == []
    two.berth("containers", "delete", "-f", "--all")
