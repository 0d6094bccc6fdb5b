# SPDX-License-Identifier: LGPL-2.1-or-later
"""berth logs: the messages of a service and of systemd about it, followed through a rotation, filtered, and as JSON."""

import json
import os
import re
import signal

import pytest
from rig import images

SPEAKER = """#!/bin/sh
trap 'exit 0' TERM
echo 'first line'
printf 'second\\tline with \\033[31mcolour\\n'
while :; do
    while [ -e /say/next ]; do cat /say/next; mv /say/next /say/said; done
    sleep 0.05
done
"""


@pytest.fixture(scope="module")
def speaker(shared_host):
    """A container that prints the content of /srv/say/next of the host."""
    config = {
        "ociVersion": "1.0.2", "root": {"path": "rootfs", "readonly": True},
        "process": {"args": ["/bin/sh", "-c", SPEAKER], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                   {"destination": "/say", "type": "bind", "source": "/srv/say", "options": ["bind", "rw"]}],
        "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
    }  # fmt: skip
    image = images.with_exports("speaker", {"config.json": json.dumps(config), "manifest.json": '{"version": "1.0"}'})
    shared_host.run("mkdir", "-p", "/srv/say")
    shared_host.berth("install", "--now", "--name=speaker", f"oci:{image.inside}")
    shared_host.wait_for_output("speaker", "colour")
    return shared_host


def say(host, text):
    host.wait_for(host.path("/srv/say/next").exists, "the removal of /srv/say/next", False)
    host.path("/srv/say/prepared").write_text(text + "\n")
    host.path("/srv/say/prepared").rename(host.path("/srv/say/next"))
    host.wait_for(lambda: host.journal("speaker").splitlines(), f"the line {text!r} in the journal", lambda lines: text in lines)


@pytest.fixture
def follower(speaker):
    """A function that starts `berth logs -f` until the end of the test."""
    started = []

    def start(*argv):
        started.append(speaker.start_process("berth", "logs", "-f", *argv, "speaker"))
        return started[-1]

    yield start
    for process in started:
        speaker.end_process(process)


def test_messages_are_in_order_with_time_and_process(speaker):
    lines = speaker.berth("logs", "speaker").stdout.splitlines()
    assert re.match(r"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d systemd\[1\]: Starting", lines[0])
    found = [line for line in lines if "first line" in line or "Started" in line or "colour" in line]
    assert len(found) >= 3
    assert any(re.search(r" sh\[\d+\]: first line$", line) for line in lines)
    assert "\t" in "".join(lines) and "\033[31m" in "".join(lines)  # not a terminal: as it was written


def test_lines_limits_the_messages_to_the_last_ones(speaker):
    say(speaker, "one before the last")
    say(speaker, "the last")
    lines = speaker.berth("logs", "-n", "2", "speaker").stdout.splitlines()
    assert [line.split(": ", 1)[1] for line in lines] == ["one before the last", "the last"]
    assert speaker.berth("logs", "-n", "0", "speaker").stdout == ""


def test_since_limits_the_messages_to_a_period(speaker):
    say(speaker, "of a moment ago")
    assert "of a moment ago" in speaker.berth("logs", "--since", "1h", "speaker").stdout
    assert speaker.berth("logs", "--since", "2037-01-01", "speaker").stdout == ""
    assert speaker.berth("logs", "--since", "1h", "--lines", "1", "speaker").stdout.count("\n") == 1
    done = speaker.berth("logs", "--since", "soon", "speaker", check=False)
    assert done.returncode == 2 and "'soon'" in done.stderr and "yesterday" in done.stderr


def test_json_has_one_object_a_line(speaker):
    entries = [json.loads(line) for line in speaker.berth("logs", "--json", "speaker").stdout.splitlines()]
    (entry,) = [entry for entry in entries if entry["message"] == "first line"]
    assert set(entry) == {"time", "program", "pid", "priority", "message"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", entry["time"])
    assert isinstance(entry["pid"], int) and entry["priority"] == 6


def test_escape_sequences_are_not_sent_to_a_terminal(speaker):
    done = speaker.run("script", "-qec", "berth logs speaker", "/dev/null")
    assert "colour" in done.stdout and "\033" not in done.stdout


def test_follow_continues_after_a_rotation(speaker, follower):
    process = follower("-n", "1")
    process.line()  # it follows from now on
    say(speaker, "before the rotation")
    assert "before the rotation" in process.line()
    speaker.run("journalctl", "--rotate")
    say(speaker, "after the rotation")
    assert "after the rotation" in process.line()


def test_follow_begins_with_the_last_messages(speaker, follower):
    say(speaker, "the last message")
    process = follower("-n", "1")
    assert "the last message" in process.line()


def test_control_c_ends_following_quietly(speaker, follower):
    process = follower()
    process.line()
    os.kill(speaker.inner_pid(process), signal.SIGINT)
    assert process.finish() == 130
    assert process.outputs()[1] == ""


def test_a_closed_pipe_ends_following_quietly(speaker):
    done = speaker.run("sh", "-c", "berth logs -f speaker | head -n 1; echo done")
    assert done.stdout.endswith("done\n") and done.stderr == ""


def test_output_of_another_user_of_the_container_is_shown(speaker):
    """journald has a separate file for each user, except for system users."""
    speaker.berth("install", "--now", "--name=plain", f"oci:{images.plain().inside}")
    speaker.wait_for_output("plain", "plain runs as 1000")
    assert "plain runs as 1000" in speaker.berth("logs", "plain").stdout
    speaker.berth("uninstall", "plain")


def test_members_of_the_group_systemd_journal_need_no_root(speaker):
    member = ["setpriv", "--reuid=1", "--regid=1", "--groups=" + speaker.output("getent group systemd-journal | cut -d: -f3")]
    assert "first line" in speaker.run(*member, "berth", "--system", "logs", "speaker").stdout
    done = speaker.run(*member, "berth", "--system", "logs", "missing", check=False)
    assert done.returncode == 3 and "no container missing" in done.stderr


def test_refusals(speaker):
    for argv, code, words in (
        (("missing",), 3, "no container missing"),
        (("-n", "many", "speaker"), 2, "'many'"),
        (("../x",), 2, "../x"),
    ):
        done = speaker.berth("logs", *argv, check=False)
        assert done.returncode == code and words in done.stderr
    done = speaker.run("setpriv", "--reuid=1", "--regid=1", "--clear-groups", "berth", "logs", "speaker", check=False)
    assert done.returncode == 5 and "root" in done.stderr
