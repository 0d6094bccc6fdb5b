# SPDX-License-Identifier: LGPL-2.1-or-later
"""Progress of long operations: on a terminal, in a log, and as JSON."""

import json
import re

import pytest
from rig import images
from rig.installed import installed
from rig.screen import Terminal

INTERRUPTED = 130
LAYER = re.compile(r"^[0-9a-f]{12}  fetching  ")


@pytest.fixture
def held(site):
    """(reference, function): the registry sends two megabytes of the image, and the rest after a call of the function"""
    site.pushed(images.large(6), "small")
    release = site.directory / "release"
    return f"{site.front('--stall-blobs=2000000', f'--until={release}').address}/small", release.touch


@pytest.fixture
def stalled_reference(site):
    """An image behind a slow connection."""
    site.pushed(images.large(6), "small")
    return f"{site.front('--bytes-per-second=100000').address}/small"


def command(site, *argv):
    """The command line of berth on an empty tree, in the network of the registry."""
    target = site.directory / "target"
    target.mkdir(parents=True, exist_ok=True)
    return site.network.within(installed() / "usr/bin/berth", "--root", target, *argv)


@pytest.fixture
def terminal(site):
    opened = []

    def open_terminal(*argv, **options):
        opened.append(Terminal(argv, **options))
        return opened[-1]

    yield open_terminal
    for one in opened:
        one.close()


def shows_progress(lines):
    return any("%" in line for line in lines)


def test_layers_and_total_with_rate_and_remaining_time(site, stalled_reference, terminal):
    screen = terminal(*command(site, "pull", stalled_reference), columns=110)

    def is_whole(lines):
        """Whether a picture is complete: the cursor is on its first line, so that berth can erase all lines below, whatever
        the new width is."""
        layers = [line for line in lines if LAYER.match(line)]
        totals = [line for line in lines if re.match(r"total  [01] of 2 ", line)]
        forecast = r"\[[#.]{20}\]\s+\d+%  \S+ k?M?B of \S+ MB  \S+ kB/s  \d+:\d\d left$"
        cursor = screen.screen.cursor
        return layers and len(totals) == 1 and re.search(forecast, layers[0]) and (cursor.x, lines[cursor.y]) == (0, layers[0])

    screen.wait_for(is_whole, "a picture with the remaining time")


def nothing_wraps(screen):
    """Whether no line of progress is too long from now on. Output from before the change of size may be."""
    screen.screen.wrapped.clear()
    seen = screen.pictures()
    screen.wait_for(lambda _: screen.pictures() > seen + 2, "further pictures")
    return not any("%" in line for line in screen.screen.wrapped)


def test_resizing_narrow_windows_and_ctrl_c(site, stalled_reference, terminal):
    screen = terminal(*command(site, "pull", stalled_reference), columns=100)
    screen.wait_for(shows_progress, "progress")
    for columns in (60, 20, 8, 100):
        screen.resize(columns, 24)
        screen.wait_for(lambda lines: shows_progress(lines) and all(len(line) < columns for line in lines), f"{columns} columns")
        assert nothing_wraps(screen)
    screen.resize(1, 24)
    screen.wait_for(lambda _: screen.raw.endswith(b"\r\x1b[J"), "an empty window of one column")
    screen.resize(80, 3)
    assert nothing_wraps(screen)
    screen.wait_for(shows_progress, "progress in a low window")
    screen.send("\x03")
    assert screen.finish() == INTERRUPTED
    assert not shows_progress(screen.lines())
    assert "berth: " in "".join(screen.lines())


def test_ctrl_z_and_fg(site, held, terminal):
    reference, release = held
    shell = terminal(*site.network.within("bash", "--norc", "--noprofile", "-i"), env={"PS1": "ready> "})
    shell.wait_for(lambda lines: lines[-1] == "ready>", "the prompt")
    shell.send(" ".join(map(str, command(site, "pull", reference)[3:])) + "\r")
    shell.wait_for(shows_progress, "progress")
    shell.send("\x1a")
    shell.wait_for(lambda lines: lines[-1] == "ready>", "the prompt after Ctrl-Z")
    assert not shows_progress(shell.lines())
    assert any("Stopped" in line for line in shell.lines())
    shell.send("fg\r")
    shell.wait_for(shows_progress, "progress after fg")
    release()
    shell.wait_for(lambda lines: lines[-1] == "ready>", "the prompt after the end")
    assert not shows_progress(shell.lines())
    assert any(line.startswith("pulled ") for line in shell.lines())


def test_a_dumb_terminal_gets_no_escape_sequences(site, terminal):
    screen = terminal(*command(site, "pull", site.pushed(images.large(6), "small")), env={"TERM": "dumb"})
    assert screen.finish() == 0
    assert b"\x1b" not in screen.raw
    assert re.search(rb"^[0-9a-f]{12}: fetched \(", screen.raw, re.MULTILINE)


def test_no_color_moves_the_cursor_and_sets_no_colour(site, held, terminal):
    reference, release = held
    screen = terminal(*command(site, "pull", reference), env={"NO_COLOR": "1"})
    screen.wait_for(shows_progress, "progress")
    release()
    assert screen.finish() == 0
    assert b"\x1b[K" in screen.raw
    assert not re.search(rb"\x1b\[[0-9;]*m", screen.raw)


def test_a_pipe_gets_plain_lines(site):
    done = site.network.run(*command(site, "pull", site.pushed(images.large(6), "small"))[3:])
    lines = done.stderr.splitlines()
    assert [line for line in lines if ": fetched (" in line] == [line for line in lines if re.match(r"[0-9a-f]{12}: ", line)]
    assert len([line for line in lines if ": fetched (" in line]) == 2
    assert "\x1b" not in done.stderr and "\r" not in done.stderr


def test_quiet_prints_nothing(site):
    done = site.network.run(*command(site, "pull", "-q", site.pushed(images.large(6), "small"))[3:])
    assert done.stderr == ""


def test_progress_as_json_has_one_object_a_line(site):
    words = command(site, "pull", "--progress=json", site.pushed(images.large(6), "small"))[3:]
    lines = [json.loads(line) for line in site.network.run(*words).stderr.splitlines()]
    layers = {line["id"] for line in lines if line["type"] == "progress" and line["label"] == "fetching"}
    assert len(layers) == 2
    for layer in layers:
        phases = [line["phase"] for line in lines if line.get("id") == layer]
        assert (phases[0], phases[-1]) == ("waiting", "done")
        last = [line for line in lines if line.get("id") == layer][-1]
        assert last["done"] == last["total"] > 0 and last["unit"] == "bytes"
    assert {line["type"] for line in lines} <= {"progress", "step", "warning"}


def test_verify_and_prune_report_progress(site):
    """verify counts checked objects, prune removed ones."""
    reference = site.pushed(images.large(6), "small")
    site.network.run(*command(site, "pull", "-q", reference)[3:])
    done = site.network.run(*command(site, "images", "verify", "--no-remote", "--progress=json")[3:])
    lines = [line for line in map(json.loads, done.stderr.splitlines()) if line["type"] == "progress"]
    last = [line for line in lines if line["label"] == "checking"][-1]
    assert (last["id"], last["phase"], last["unit"]) == (reference, "done", "objects") and last["done"] == last["total"] > 0
    site.network.run(*command(site, "images", "delete", reference)[3:])
    done = site.network.run(*command(site, "images", "prune", "--progress=json")[3:])
    lines = [line for line in map(json.loads, done.stderr.splitlines()) if line["type"] == "progress"]
    assert [line for line in lines if line["label"] == "removing"][-1]["done"] > 0
    assert any(line["label"] == "marking objects in use" for line in lines)


def test_an_error_is_a_json_line(site):
    done = site.network.run(*command(site, "pull", "--progress=json", f"{site.registry.address}/nothing")[3:], check=False)
    last = json.loads(done.stderr.splitlines()[-1])
    assert last["type"] == "error" and last["exitCode"] == done.returncode == 3
    assert "nothing" in last["message"]


def test_an_unknown_kind_of_progress_is_refused(site):
    done = site.network.run(*command(site, "pull", "--progress=loud", "example.test/x")[3:], check=False)
    assert done.returncode == 2
    assert done.stderr == "berth: unknown --progress=loud\nhint: use auto, tty, plain, json or none\n"
