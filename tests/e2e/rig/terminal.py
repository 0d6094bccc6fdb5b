# SPDX-License-Identifier: LGPL-2.1-or-later
"""A pseudo terminal that runs a program of the host."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios

from rig.shell import CLEAN, PATIENCE, wait_for


class Terminal:
    """Runs a command of the host on a terminal of its own. `output` collects what the command writes."""

    def __init__(self, host, *argv, rows=24, columns=80):
        self.control, terminal = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(terminal)
        self.output = ""
        self.process = subprocess.Popen(
            host.within(*argv, env={"TERM": "xterm"}), env=CLEAN, stdin=terminal, stdout=terminal, stderr=terminal,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        self.terminal = terminal  # kept open: `end` reads its settings

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
        """Waits until the program writes `text`, and removes all output up to its end. @return the output before it"""

        def output():
            if text not in self.output:
                self._read(0.1)
            return self.output

        wait_for(output, f"{text!r} on the terminal", lambda output: text in output, seconds, pause=0)
        before, _, self.output = self.output.partition(text)
        return before

    def hang_up(self):
        """Closes the terminal, as a lost connection does."""
        os.close(self.terminal)
        os.close(self.control)
        self.terminal = self.control = None

    def end(self, seconds=PATIENCE):
        """Waits for the end of the program, and checks that the settings of the terminal are restored. @return the exit code"""

        def exit_code():
            self._read(0.05)
            return self.process.poll()

        try:
            wait_for(exit_code, "the end of the program", lambda code: code is not None, seconds, lambda: f"the terminal shows:\n{self.output}", pause=0)
        except AssertionError:
            self.process.send_signal(signal.SIGKILL)
            raise
        while self._read(0):
            pass
        assert termios.tcgetattr(self.terminal) == self.before, "the settings of the terminal were not restored"
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.terminal is not None:
            self.hang_up()
