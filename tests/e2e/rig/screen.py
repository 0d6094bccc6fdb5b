# SPDX-License-Identifier: LGPL-2.1-or-later
"""A pseudo terminal with a screen, which pyte draws."""

import fcntl
import os
import select
import struct
import subprocess
import termios

import pyte
from rig.shell import CLEAN, PATIENCE, die_with_parent, wait_for


class _Screen(pyte.Screen):
    """Keeps the lines that were too long for the screen in `wrapped`."""

    def __init__(self, columns, rows):
        self.wrapped = []
        super().__init__(columns, rows)

    def draw(self, data):
        for letter in data:
            if self.cursor.x == self.columns:
                self.wrapped.append(self.display[self.cursor.y])
            super().draw(letter)


class Terminal:
    """Runs a program as a session leader on a terminal of its own."""

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
        """Changes the size of the terminal; the kernel sends SIGWINCH to the foreground process group."""
        self._set_size(columns, rows)
        self.screen.resize(rows, columns)

    def send(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds=0.05):
        """Draws what the program has written. @return False when no process has the terminal open any more"""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: the other side is closed
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)

    def pictures(self):
        """The number of pictures that were drawn: after each, the cursor returns to the first line."""
        return self.raw.count(b"\r\x1b[")

    def lines(self):
        """The lines of the screen, without trailing blanks and blank lines."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip("\n").split("\n")

    def wait_for(self, condition, what, seconds=PATIENCE):
        """Reads until condition(lines) is true."""

        def drawn():
            if not condition(self.lines()):
                open_still = self.read()
                assert open_still or condition(self.lines()), f"the program ended before {what}; the screen shows {self.lines()}"
            return self.lines()

        wait_for(drawn, what, condition, seconds, pause=0)

    def finish(self, seconds=PATIENCE):
        """Reads to the end. @return the exit code"""
        wait_for(self.read, "the end of the program", False, seconds, lambda: f"the screen shows {self.lines()}", pause=0)
        return self.process.wait(PATIENCE)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
