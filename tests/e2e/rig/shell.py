# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running programs of the machine, and waiting: every failure quotes what was there."""

import signal
import subprocess
import time

from rig import schemas

CLEAN = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
}

# How long tests wait, in seconds. All of it passes only when a test fails; a machine may be busy.
PATIENCE = 120
PAUSE_SECONDS = 0.05  # between two checks


class CommandFailed(AssertionError):
    """A command failed."""

    def __init__(self, done):
        self.done = done
        words = " ".join(str(word) for word in done.args)
        super().__init__(f"{words}\n  exit code {done.returncode}\n  stdout: {done.stdout}\n  stderr: {done.stderr}")


class CommandTimedOut(AssertionError):
    """A command did not end in time."""

    def __init__(self, expired):
        words = " ".join(expired.cmd)
        super().__init__(f"waited {expired.timeout} s for the end of: {words}\n  stdout: {expired.output!r}\n  stderr: {expired.stderr!r}")


def run(*argv, check=True, env=None, input=None, cwd=None, timeout=300):
    """Runs a program to its end in a clean environment. JSON that berth prints has to conform to its schema.
    @return the CompletedProcess, with its output as text"""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            env={**CLEAN, **(env or {})},
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
            cwd=cwd,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        raise CommandTimedOut(expired) from None
    if check and done.returncode != 0:
        raise CommandFailed(done)
    schemas.check(words, done.stdout, done.stderr)
    return done


def wait_for(get, what, until=bool, seconds=PATIENCE, shown=lambda: "", pause=PAUSE_SECONDS):
    """Calls get() until its value is the wanted one; for states that nothing announces.
    @param what the state, for the message of the failure
    @param until a function of the value, or the wanted value itself
    @param shown gives more text for that message
    @return the value"""
    wanted = until if callable(until) else lambda value: value == until
    deadline = time.monotonic() + seconds
    while not wanted(value := get()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}; at the end there was {value!r}\n{shown()}".rstrip())
        time.sleep(pause)
    return value


def die_with_parent():
    """For preexec_fn: the child is killed when the thread that started it ends. It does not inherit from nohup(1) that SIGHUP is
    ignored."""
    import ctypes

    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    pr_set_pdeathsig, sigkill = 1, 9
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, sigkill)
