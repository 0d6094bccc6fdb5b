# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands that run beside a test."""

import os
import select
import subprocess
import time

from rig.shell import CLEAN, PATIENCE, die_with_parent


class Process(subprocess.Popen):
    """A command with its output in pipes. Every method waits at most `seconds` and then fails with the output so far."""

    def __init__(self, argv, stdin=subprocess.DEVNULL):
        super().__init__([str(word) for word in argv], env=CLEAN, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, preexec_fn=die_with_parent)  # fmt: skip
        self._pending = b""  # read from standard output and not returned yet

    def finish(self, seconds=PATIENCE):
        """Waits for the end. @return the exit code"""
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self._late("the end", seconds) from None

    def outputs(self, text=None, seconds=PATIENCE):
        """Writes `text` to standard input and waits for the end. @return (standard output, standard error)"""
        try:
            output, errors = self.communicate(text, timeout=seconds)
        except subprocess.TimeoutExpired as expired:
            raise self._late("the end", seconds, expired.output or b"", expired.stderr or b"") from None
        return self._taken(self._pending) + output, errors

    def line(self, seconds=PATIENCE):
        """Waits for the next line of standard output. @return the line; without a line break when the output ends"""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._pending:
            if not select.select([self.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                raise self._late("a line on standard output", seconds)
            data = os.read(self.stdout.fileno(), 65536)
            if not data:
                return self._taken(self._pending)
            self._pending += data
        return self._taken(self._pending[: self._pending.index(b"\n") + 1])

    def _taken(self, data):
        self._pending = self._pending[len(data) :]
        return data.decode(errors="replace")

    def _late(self, what, seconds, output=b"", errors=b""):
        output, errors = self._pending + output + _available(self.stdout), errors + _available(self.stderr)
        return AssertionError(f"waited {seconds} s for {what} of: {' '.join(self.args)}\n  exit code {self.poll()}\n"
                              f"  stdout: {output.decode(errors='replace')}\n  stderr: {errors.decode(errors='replace')}")  # fmt: skip


def _available(pipe):
    """What can be read without waiting."""
    data = b""
    while select.select([pipe], [], [], 0)[0] and (more := os.read(pipe.fileno(), 65536)):
        data += more
    return data
