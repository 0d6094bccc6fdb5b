"""What a user sees while something takes long: on a terminal, in a log, and as JSON."""

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
    """An image of which two megabytes come, and the rest when the test says so: (reference, a function)."""
    site.pushed(images.large(6), "small")
    release = site.directory / "release"
    return f"{site.front('--stall-blobs=2000000', f'--until={release}').address}/small", release.touch


@pytest.fixture
def stalled_reference(site):
    """A line on which nearly nothing moves, so that the test decides how it ends."""
    site.pushed(images.large(6), "small")
    return f"{site.front('--bytes-per-second=100000').address}/small"


def command(site, *argv):
    """berth of the build, on an empty tree, with the registry's network."""
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
        """A picture that has been drawn to its end: then the cursor rests above what is shown, so that everything below can
        be erased, whatever the width becomes."""
        layers = [line for line in lines if LAYER.match(line)]
        totals = [line for line in lines if re.match(r"total  [01] of 2 ", line)]
        forecast = r"\[[#.]{20}\]\s+\d+%  \S+ k?M?B of \S+ MB  \S+ kB/s  \d+:\d\d left$"
        cursor = screen.screen.cursor
        return layers and len(totals) == 1 and re.search(forecast, layers[0]) and (cursor.x, lines[cursor.y]) == (0, layers[0])

    screen.wait_for(is_whole, "a picture with a forecast")


def nothing_wraps(screen):
    """Whether no line of progress runs over the edge from now on. (What was on its way when the size changed may.)"""
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
    screen.wait_for(lambda _: screen.raw.endswith(b"\r\x1b[J"), "nothing any more in a window of one column")
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
    shell.wait_for(lambda lines: lines[-1] == "ready>", "the shell")
    shell.send(" ".join(map(str, command(site, "pull", reference)[3:])) + "\r")
    shell.wait_for(shows_progress, "progress")
    shell.send("\x1a")
    shell.wait_for(lambda lines: lines[-1] == "ready>", "the shell again")
    assert not shows_progress(shell.lines())
    assert any("Stopped" in line for line in shell.lines())
    shell.send("fg\r")
    shell.wait_for(shows_progress, "progress goes on")
    release()
    shell.wait_for(lambda lines: lines[-1] == "ready>", "the end")
    assert not shows_progress(shell.lines())
    assert any(line.startswith("pulled ") for line in shell.lines())


def test_no_escape_sequences_for_a_terminal_that_knows_none(site, terminal):
    screen = terminal(*command(site, "pull", site.pushed(images.large(6), "small")), env={"TERM": "dumb"})
    assert screen.finish() == 0
    assert b"\x1b" not in screen.raw
    assert re.search(rb"^[0-9a-f]{12}: fetched \(", screen.raw, re.MULTILINE)


def test_no_color_moves_the_cursor_but_paints_nothing(site, held, terminal):
    reference, release = held
    screen = terminal(*command(site, "pull", reference), env={"NO_COLOR": "1"})
    screen.wait_for(shows_progress, "progress")
    release()
    assert screen.finish() == 0
    assert b"\x1b[K" in screen.raw
    assert not re.search(rb"\x1b\[[0-9;]*m", screen.raw)


def test_plain_lines_into_a_pipe(site):
    done = site.network.run(*command(site, "pull", site.pushed(images.large(6), "small"))[3:])
    lines = done.stderr.splitlines()
    assert [line for line in lines if ": fetched (" in line] == [line for line in lines if re.match(r"[0-9a-f]{12}: ", line)]
    assert len([line for line in lines if ": fetched (" in line]) == 2
    assert "\x1b" not in done.stderr and "\r" not in done.stderr


def test_quiet_says_nothing(site):
    done = site.network.run(*command(site, "pull", "-q", site.pushed(images.large(6), "small"))[3:])
    assert done.stderr == ""


def test_json_lines(site):
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


def test_work_on_the_store_is_told(site):
    """Of a verify every file counts, of a prune that removes something what is removed."""
    reference = site.pushed(images.large(6), "small")
    site.network.run(*command(site, "pull", "-q", reference)[3:])
    told = site.network.run(*command(site, "images", "verify", "--no-remote", "--progress=json")[3:])
    pieces = [line for line in map(json.loads, told.stderr.splitlines()) if line["type"] == "progress"]
    last = [piece for piece in pieces if piece["label"] == "checking"][-1]
    assert (last["id"], last["phase"], last["unit"]) == (reference, "done", "files") and last["done"] == last["total"] > 0
    site.network.run(*command(site, "images", "delete", reference)[3:])
    told = site.network.run(*command(site, "images", "prune", "--progress=json")[3:])
    pieces = [line for line in map(json.loads, told.stderr.splitlines()) if line["type"] == "progress"]
    assert [piece for piece in pieces if piece["label"] == "removing"][-1]["done"] > 0
    assert any(piece["label"] == "marking what is in use" for piece in pieces)


def test_errors_are_json_lines_too(site):
    done = site.network.run(*command(site, "pull", "--progress=json", f"{site.registry.address}/nothing")[3:], check=False)
    last = json.loads(done.stderr.splitlines()[-1])
    assert last["type"] == "error" and last["exitCode"] == done.returncode == 3
    assert "nothing" in last["message"]


def test_an_unknown_word_is_refused(site):
    done = site.network.run(*command(site, "pull", "--progress=loud", "example.test/x")[3:], check=False)
    assert done.returncode == 2
    assert done.stderr == "berth: --progress=loud is not known\nhint: the words are: auto tty plain json none\n"
