# SPDX-License-Identifier: LGPL-2.1-or-later
"""A network namespace for each site: ports do not collide, and a registry outlives the hosts that use it."""

import itertools
import pathlib

from rig.shell import run

_numbers = itertools.count(1)


class Network:
    """A network namespace with only a loopback device."""

    def __init__(self):
        self.name = f"berth{next(_numbers)}"
        self.path = pathlib.Path("/run/netns") / self.name
        run("ip", "netns", "add", self.name)
        run("ip", "-n", self.name, "link", "set", "lo", "up")

    def within(self, *argv):
        """The command line that runs argv inside this network."""
        return ["nsenter", f"--net={self.path}", "--", *argv]

    def run(self, *argv, **options):
        return run(*self.within(*argv), **options)

    def close(self):
        run("ip", "netns", "del", self.name)
