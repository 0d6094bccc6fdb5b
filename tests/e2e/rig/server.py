# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program that listens on the loopback device of a network."""

import pathlib
import subprocess
import sys

from rig.shell import CLEAN, die_with_parent, wait_for

TOP = pathlib.Path(__file__).parents[1]


class Server:
    """@param directory created for the program; its output is in the file `log` there"""

    def __init__(self, network, directory, port):
        self.network, self.port = network, port
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._process = None

    @property
    def address(self):
        return f"localhost:{self.port}"

    def run(self, *argv):
        """Starts the program and waits until it listens."""
        with open(self.directory / "log", "ab") as log:
            self._process = subprocess.Popen(
                self.network.within(*map(str, argv)), env=CLEAN, cwd=TOP,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent,
            )  # fmt: skip
        wait_for(self._listening, f"{argv[0]} to listen on port {self.port}", shown=lambda: self.log()[-2000:])

    def run_own(self, module, *argv):
        """Runs a module of the rig, whose first argument is the port."""
        self.run(sys.executable, "-B", "-m", module, self.port, *argv)

    def _listening(self):
        """The sockets that listen on the port. @raise AssertionError when the program has ended"""
        code = self._process.poll()
        assert code is None, f"{' '.join(self._process.args)} ended with exit code {code}\n{self.log()[-2000:]}"
        return self.network.run("ss", "-Htln", f"sport = :{self.port}").stdout.strip()

    def log(self):
        return (self.directory / "log").read_text()

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
