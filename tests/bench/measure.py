# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures commands, and stores the samples."""

import os
import statistics
import sys
import threading
import time

from rig import sandbox
from rig.shell import run

MEASURES = ("wall", "durable", "cpu", "memory")


def command(argv, store, environment=None):
    """Runs a command. It is started by time(1), because the peak of memory that wait4(2) reports includes that of the process
    before it called execve(2).
    @return `wall`, seconds until it ended; `durable`, seconds until the file system of `store` was synced as well; `cpu`, seconds;
    `memory`, the peak of its largest process in MiB"""
    run("sync", "--file-system", store)
    report = sandbox.directory() / "time"
    began = time.monotonic()
    run("/usr/bin/time", "--quiet", "--format=%e %U %S %M", f"--output={report}", *argv, env=environment, timeout=900)
    wall = time.monotonic() - began
    run("sync", "--file-system", store)
    durable = time.monotonic() - began
    _, user, system, kibibytes = map(float, report.read_text().split())
    return {"wall": wall, "durable": durable, "cpu": user + system, "memory": kibibytes / 1024}


def commands(argvs, store, environment=None):
    """Runs commands one after the other. @return the sums, and the largest peak"""
    each = [command(argv, store, environment) for argv in argvs]
    return {key: (max if key == "memory" else sum)(one[key] for one in each) for key in MEASURES}


def disk_bytes(directory):
    return int(run("du", "-s", "--block-size=1", directory).stdout.split()[0])


class Results:
    """Samples by work and tool."""

    def __init__(self):
        self.samples = {}

    def add(self, work, tool, sample):
        self.samples.setdefault(work, {}).setdefault(tool, []).append(sample)
        figures = ", ".join(f"{key} {value:.4g}" for key, value in sample.items())
        print(f"{work}: {tool}: {figures}", file=sys.stderr, flush=True)

    def median(self, work, tool, measure):
        """The median of a measure; None if it was not measured"""
        values = [sample[measure] for sample in self.samples.get(work, {}).get(tool, []) if measure in sample]
        return statistics.median(values) if values else None


class Neighbour:
    """Writes and syncs 4 KiB repeatedly, and stores the duration of each sync in seconds."""

    def __init__(self, directory):
        self._path, self._stop, self.seconds = directory / "neighbour", threading.Event(), []
        self._thread = threading.Thread(target=self._work)

    def _work(self):
        with open(self._path, "wb", buffering=0) as file:
            while not self._stop.is_set():
                file.seek(0)
                file.write(b"x" * 4096)
                began = time.monotonic()
                os.fsync(file.fileno())
                self.seconds.append(time.monotonic() - began)
                self._stop.wait(0.01)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def summary(self):
        ordered = sorted(self.seconds)
        return {"worst": ordered[-1], "typical": ordered[len(ordered) // 2]}


class Directory:
    """A new directory, removed with the sandbox. @param emptied frees its space earlier, by truncating all files"""

    def __init__(self, name, emptied=False):
        self.path, self._emptied = sandbox.directory() / name, emptied

    def __enter__(self):
        self.path.mkdir()
        return self.path

    def __exit__(self, *_):
        run("umount", "--recursive", "--quiet", self.path / "storage/overlay", check=False)
        if self._emptied:  # not removed, for the reason in Bench.deletes
            run("find", self.path, "-xdev", "-type", "f", "-size", "+0", "-exec", "truncate", "--size=0", "{}", "+", check=False)
            run("sync", "--file-system", sandbox.directory())
