"""Running programs of the machine, with errors that quote what they said."""

import subprocess
import time

CLEAN = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
}

# How long tests wait for what has to come, in seconds. It is used up only when a test fails, and a machine may be busy.
PATIENCE = 120


class CommandFailed(AssertionError):
    """A command ended with another exit code than the caller expected."""

    def __init__(self, done):
        self.done = done
        words = " ".join(str(word) for word in done.args)
        super().__init__(f"{words}\n  exit code {done.returncode}\n  stdout: {done.stdout}\n  stderr: {done.stderr}")


def run(*argv, check=True, env=None, input=None, cwd=None, timeout=300):
    """Runs a program to its end with a clean environment and returns the CompletedProcess, output as text."""
    done = subprocess.run(
        [str(word) for word in argv],
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
    if check and done.returncode != 0:
        raise CommandFailed(done)
    return done


def wait_for(condition, what, seconds=PATIENCE):
    """Waits until condition() is true; for states that nothing announces."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.05)


def die_with_parent():
    """For preexec_fn: the child gets SIGKILL when the thread that started it ends."""
    import ctypes

    pr_set_pdeathsig, sigkill = 1, 9
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, sigkill)
