# SPDX-License-Identifier: LGPL-2.1-or-later
"""Namespaces, a cgroup and a directory for everything that the tests start. However a run ends, even by SIGKILL, no process,
mount, network namespace, cgroup or file of it remains."""

import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

VARIABLE = "BERTH_SANDBOX"
STALE_SECONDS = 3600


def _unified_hierarchy():
    for directory in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        if pathlib.Path(directory, "cgroup.procs").exists():
            return pathlib.Path(directory)
    raise SystemExit("no unified cgroup hierarchy is mounted on this machine; mount one: "
                     "mount -t cgroup2 cgroup2 /sys/fs/cgroup")  # fmt: skip


def _remove_cgroup(directory):
    for inner in sorted(directory.rglob("*/"), reverse=True):
        if inner.is_dir():
            inner.rmdir()
    directory.rmdir()


def _remove_cgroup_patiently(directory):
    for _ in range(50):
        try:
            _remove_cgroup(directory)
            return
        except FileNotFoundError:
            return
        except OSError:  # a killed process has not ended yet
            time.sleep(0.1)


def _remove_stale(hierarchy):
    for directory in hierarchy.glob("berth-tests-*"):
        if directory.stat().st_mtime < time.time() - STALE_SECONDS:
            try:
                _remove_cgroup(directory)
            except OSError:
                pass  # another run uses it


def inside():
    return VARIABLE in os.environ


def directory():
    """A directory on a disk, removed at the end of the run."""
    return pathlib.Path(os.environ[VARIABLE])


def cgroup():
    """The unified cgroup of the run."""
    return pathlib.Path(os.environ[VARIABLE + "_CGROUP"])


# Where other tools write regardless of their options: named network namespaces, and skopeo's cache of digests.
OVERLAID = ("/run/netns", "/var/lib/containers")


def prepare():
    """Mounts empty directories over those in which other tools write. To be called once, inside."""
    for directory in OVERLAID:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", directory], check=True)


def run(argv):
    """Runs argv in a new sandbox and returns its exit code."""
    hierarchy = _unified_hierarchy()
    _remove_stale(hierarchy)
    own_cgroup = hierarchy / f"berth-tests-{secrets.token_hex(4)}"
    own_cgroup.mkdir()
    for directory in OVERLAID:  # not removed at the end: another run may have mounted over them
        pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
    own_directory = tempfile.mkdtemp(prefix="berth-tests-", dir=os.environ.get("TMPDIR", "/var/tmp"))
    environment = {**os.environ, VARIABLE: own_directory, VARIABLE + "_CGROUP": str(own_cgroup)}
    sys.stdout.flush()
    child = None
    try:
        child = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation=private", "--", *argv],
            env=environment,
        )
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child gets it from the terminal as well, and ends in order
        signal.signal(signal.SIGTERM, lambda *_: child.kill())
        return child.wait()
    finally:
        if child is not None and child.poll() is None:
            child.kill()
            child.wait()
        _remove_cgroup_patiently(own_cgroup)
        shutil.rmtree(own_directory, ignore_errors=True)
