"""A program that listens on the loopback of one network, from its start to its stop."""

import pathlib
import subprocess
import sys
import time

from rig.shell import CLEAN, PATIENCE, die_with_parent

TOP = pathlib.Path(__file__).parents[1]


class Server:
    """@param directory made for it; what it prints is in `log` there"""

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
        self._wait_listening()

    def run_own(self, module, *argv):
        """The same with a module of the rig; its first argument is the port."""
        self.run(sys.executable, "-B", "-m", module, self.port, *argv)

    def _wait_listening(self, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not self.network.run("ss", "-Htln", f"sport = :{self.port}").stdout.strip():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"nothing listens on port {self.port}: {self.log()[-2000:]}")
            time.sleep(0.02)

    def log(self):
        return (self.directory / "log").read_text()

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
