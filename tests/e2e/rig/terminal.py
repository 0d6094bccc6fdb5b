"""A pseudo terminal with a program of the host on it."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

from rig.shell import CLEAN, PATIENCE


class Terminal:
    """Runs argv of the host on a terminal of `rows` by `columns`. What it writes is collected in `output`."""

    def __init__(self, host, *argv, rows=24, columns=80):
        self.control, terminal = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(terminal)
        self.output = ""
        self.process = subprocess.Popen(
            host.within(*argv, env={"TERM": "xterm"}), env=CLEAN, stdin=terminal, stdout=terminal, stderr=terminal,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        self.terminal = terminal  # open, so that the settings can be looked at when the program has ended

    def resize(self, rows, columns):
        fcntl.ioctl(self.control, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.control, text.encode())

    def _read(self, seconds):
        if not select.select([self.control], [], [], seconds)[0]:
            return False
        self.output += os.read(self.control, 65536).decode(errors="replace")
        return True

    def wait_for(self, text, seconds=PATIENCE):
        """Waits until `text` appears in what has not been waited for yet, and returns what came before it."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds} s in vain for {text!r}; the terminal shows:\n{self.output}")
            self._read(0.1)
        before, _, self.output = self.output.partition(text)
        return before

    def hang_up(self):
        """Takes the terminal away, as a lost connection does."""
        os.close(self.terminal)
        os.close(self.control)
        self.terminal = self.control = None

    def end(self, seconds=PATIENCE):
        """Waits for the end of the program, checks that the terminal is as it was, and returns the exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.process.send_signal(signal.SIGKILL)
                raise AssertionError(f"the program did not end; the terminal shows:\n{self.output}")
            self._read(0.05)
        while self._read(0):
            pass
        assert termios.tcgetattr(self.terminal) == self.before, "the settings of the terminal are not what they were"
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.terminal is not None:
            self.hang_up()
