"""berth logs: what a service and systemd say, followed through a rotation, filtered and as JSON."""

import json
import os
import re
import signal
import subprocess

import pytest
from rig import images
from rig.shell import CLEAN, PATIENCE

SPEAKER = """#!/bin/sh
trap 'exit 0' TERM
echo 'first words'
printf 'second\\tline with \\033[31mcolour\\n'
while :; do
    while [ -e /say/next ]; do cat /say/next; mv /say/next /say/said; done
    sleep 0.05
done
"""


@pytest.fixture(scope="module")
def speaker(shared_host):
    """A container that says what is put into /srv/say/next of the host."""
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
    shared_host.wait_for(lambda: "colour" in shared_host.journal("speaker"), "the first words are in the journal")
    return shared_host


def say(host, words):
    host.wait_for(lambda: not host.path("/srv/say/next").exists(), "the last words were said")
    host.path("/srv/say/prepared").write_text(words + "\n")
    host.path("/srv/say/prepared").rename(host.path("/srv/say/next"))
    host.wait_for(lambda: words in host.journal("speaker").splitlines(), f"{words} in the journal")


@pytest.fixture
def follower(speaker):
    """Starts `berth logs -f`; it is ended with the test."""
    started = []

    def start(*argv):
        started.append(speaker.start_process("berth", "logs", "-f", *argv, "speaker"))
        return started[-1]

    yield start
    for process in started:
        speaker.end_process(process)


def test_everything_in_order_with_time_and_process(speaker):
    lines = speaker.berth("logs", "speaker").stdout.splitlines()
    assert re.match(r"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d systemd\[1\]: Starting", lines[0])
    words = [line for line in lines if "first words" in line or "Started" in line or "colour" in line]
    assert len(words) >= 3
    assert any(re.search(r" sh\[\d+\]: first words$", line) for line in lines)
    assert "\t" in "".join(lines) and "\033[31m" in "".join(lines)  # no terminal: as it was written


def test_the_last_ones(speaker):
    say(speaker, "one before the last")
    say(speaker, "the last")
    lines = speaker.berth("logs", "-n", "2", "speaker").stdout.splitlines()
    assert [line.split(": ", 1)[1] for line in lines] == ["one before the last", "the last"]
    assert speaker.berth("logs", "-n", "0", "speaker").stdout == ""


def test_since_a_moment(speaker):
    say(speaker, "of a moment ago")
    assert "of a moment ago" in speaker.berth("logs", "--since", "1h", "speaker").stdout
    assert speaker.berth("logs", "--since", "2037-01-01", "speaker").stdout == ""
    assert speaker.berth("logs", "--since", "1h", "--lines", "1", "speaker").stdout.count("\n") == 1
    done = speaker.berth("logs", "--since", "soon", "speaker", check=False)
    assert done.returncode == 2 and "'soon'" in done.stderr and "yesterday" in done.stderr


def test_json_lines(speaker):
    entries = [json.loads(line) for line in speaker.berth("logs", "--json", "speaker").stdout.splitlines()]
    (entry,) = [entry for entry in entries if entry["message"] == "first words"]
    assert set(entry) == {"time", "program", "pid", "priority", "message"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", entry["time"])
    assert isinstance(entry["pid"], int) and entry["priority"] == 6


def test_on_a_terminal_nothing_speaks_to_it(speaker):
    done = speaker.run("script", "-qec", "berth logs speaker", "/dev/null")
    assert "colour" in done.stdout and "\033" not in done.stdout


def test_follow_goes_on_behind_a_rotation(speaker, follower):
    process = follower("-n", "1")
    process.stdout.readline()  # now it follows
    say(speaker, "before the rotation")
    assert "before the rotation" in process.stdout.readline()
    speaker.run("journalctl", "--rotate")
    say(speaker, "behind the rotation")
    assert "behind the rotation" in process.stdout.readline()


def test_follow_begins_with_the_last_ones(speaker, follower):
    say(speaker, "something to begin with")
    process = follower("-n", "1")
    assert "something to begin with" in process.stdout.readline()


def test_control_c_ends_following_quietly(speaker, follower):
    process = follower()
    process.stdout.readline()
    os.kill(speaker.inner_pid(process), signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert process.stderr.read() == ""


def test_a_reader_that_goes_ends_following_quietly(speaker):
    argv = speaker.within("sh", "-c", "berth logs -f speaker | head -n 1; echo done")
    done = subprocess.run(argv, env=CLEAN, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout.endswith("done\n") and done.stderr == ""


def test_what_a_user_of_the_container_says_is_there_too(speaker):
    """journald keeps it in a file of that user's own, but not for the users of the system."""
    speaker.berth("install", "--now", "--name=plain", f"oci:{images.plain().inside}")
    speaker.wait_for(lambda: "plain runs as 1000" in speaker.journal("plain"), "it is in the journal")
    assert "plain runs as 1000" in speaker.berth("logs", "plain").stdout
    speaker.berth("uninstall", "plain")


def test_a_member_of_the_group_need_not_be_root(speaker):
    member = ["setpriv", "--reuid=1", "--regid=1", "--groups=" + speaker.output("getent group systemd-journal | cut -d: -f3")]
    assert "first words" in speaker.run(*member, "berth", "--system", "logs", "speaker").stdout
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
