"""A terminal with a screen that can be looked at: a pseudo terminal, and pyte as what draws on glass."""

import fcntl
import os
import select
import struct
import subprocess
import termios
import time

import pyte
from rig.shell import CLEAN, PATIENCE, die_with_parent


class _Screen(pyte.Screen):
    """Remembers which lines ran over the right edge."""

    def __init__(self, columns, rows):
        self.wrapped = []
        super().__init__(columns, rows)

    def draw(self, data):
        for letter in data:
            if self.cursor.x == self.columns:
                self.wrapped.append(self.display[self.cursor.y])
            super().draw(letter)


class Terminal:
    """Runs a program as the leader of a session on a terminal of its own."""

    def __init__(self, argv, columns=80, rows=24, env=None):
        self.master, slave = os.openpty()
        self.screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._set_size(columns, rows)
        self.process = subprocess.Popen(
            [str(word) for word in argv], env={**CLEAN, "TERM": "xterm", **(env or {})}, stdin=slave, stdout=slave,
            stderr=slave, start_new_session=True, preexec_fn=self._own_terminal,
        )  # fmt: skip
        os.close(slave)

    @staticmethod
    def _own_terminal():
        die_with_parent()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def _set_size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        """As when the window is dragged: the size changes, and the kernel tells the program in front."""
        self._set_size(columns, rows)
        self.screen.resize(rows, columns)

    def send(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds=0.05):
        """Draws what the program has written. False when it is gone."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: nobody has the other side open any more
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)

    def pictures(self):
        """How many pictures of several lines, behind each of which the cursor goes back to where it began, were drawn."""
        return self.raw.count(b"\r\x1b[")

    def lines(self):
        """What is on the screen, without the blank ends of lines and the blank lines at the end."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip("\n").split("\n")

    def wait_for(self, condition, what, seconds=PATIENCE):
        """Reads until condition(lines) is true."""
        deadline = time.monotonic() + seconds
        while not condition(self.lines()):
            assert self.read() or condition(self.lines()), f"the program ended: {what}\n{self.lines()}"
            assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}\n{self.lines()}"

    def finish(self, seconds=PATIENCE):
        """Reads to the end and gives the exit code."""
        deadline = time.monotonic() + seconds
        while self.read():
            assert time.monotonic() < deadline, f"the program does not end\n{self.lines()}"
        return self.process.wait(PATIENCE)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
