"""Timing of commands, and what is kept of it."""

import os
import statistics
import sys
import threading
import time

from rig import sandbox
from rig.shell import run

MEASURES = ("wall", "durable", "cpu", "memory")


def command(argv, store, environment=None):
    """Runs one command: seconds until it returned, seconds until the file system of `store` was synced as well, seconds of
    CPU, MiB of memory at the peak of its largest process. time(1) stands between, for the peak that wait4 tells begins with
    that of whoever forked."""
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
    """Several in a row, as one."""
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
        """None when it was not measured."""
        values = [sample[measure] for sample in self.samples.get(work, {}).get(tool, []) if measure in sample]
        return statistics.median(values) if values else None


class Neighbour:
    """Writes 4 KiB and syncs them again and again, and remembers how long each took."""

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
    """An empty directory of the run. It goes with the sandbox; `emptied` ones give their room back before."""

    def __init__(self, name, emptied=False):
        self.path, self._emptied = sandbox.directory() / name, emptied

    def __enter__(self):
        self.path.mkdir()
        return self.path

    def __exit__(self, *_):
        run("umount", "--recursive", "--quiet", self.path / "storage/overlay", check=False)
        if self._emptied:  # files stay for the reason that Bench.deletes has
            run("find", self.path, "-xdev", "-type", "f", "-size", "+0", "-exec", "truncate", "--size=0", "{}", "+", check=False)
            run("sync", "--file-system", sandbox.directory())
