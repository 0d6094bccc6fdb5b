"""Namespaces, a cgroup and a folder of our own for everything the tests start. Whatever happens inside, even a
kill -9, no process, mount, network namespace, cgroup or file outlives the run."""

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
    for folder in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        if pathlib.Path(folder, "cgroup.procs").exists():
            return pathlib.Path(folder)
    raise SystemExit("no unified cgroup hierarchy is mounted on this machine; mount one: "
                     "mount -t cgroup2 cgroup2 /sys/fs/cgroup")  # fmt: skip


def _remove_cgroup(folder):
    for inner in sorted(folder.rglob("*/"), reverse=True):
        if inner.is_dir():
            inner.rmdir()
    folder.rmdir()


def _remove_cgroup_patiently(folder):
    for _ in range(50):
        try:
            _remove_cgroup(folder)
            return
        except FileNotFoundError:
            return
        except OSError:  # a process that was killed is still on its way out
            time.sleep(0.1)


def _remove_stale(hierarchy):
    for folder in hierarchy.glob("berth-tests-*"):
        if folder.stat().st_mtime < time.time() - STALE_SECONDS:
            try:
                _remove_cgroup(folder)
            except OSError:
                pass  # in use by another run


def inside():
    return VARIABLE in os.environ


def folder():
    """A folder on a real file system that is removed at the end of the run."""
    return pathlib.Path(os.environ[VARIABLE])


def cgroup():
    """The unified cgroup of the run."""
    return pathlib.Path(os.environ[VARIABLE + "_CGROUP"])


# Where other people's tools write, whatever they are told: network namespaces by name, skopeo's cache of digests.
OVERLAID = ("/run/netns", "/var/lib/containers")


def prepare():
    """To be called once inside: puts empty folders of the run's own over those that the machine has."""
    for place in OVERLAID:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)


def run(argv):
    """Runs argv in a new sandbox and returns its exit code."""
    hierarchy = _unified_hierarchy()
    _remove_stale(hierarchy)
    own_cgroup = hierarchy / f"berth-tests-{secrets.token_hex(4)}"
    own_cgroup.mkdir()
    for place in OVERLAID:  # left where they are: another run may have mounted over them by now
        pathlib.Path(place).mkdir(parents=True, exist_ok=True)
    own_folder = tempfile.mkdtemp(prefix="berth-tests-", dir=os.environ.get("TMPDIR", "/var/tmp"))
    environment = {**os.environ, VARIABLE: own_folder, VARIABLE + "_CGROUP": str(own_cgroup)}
    sys.stdout.flush()
    child = None
    try:
        child = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation=private", "--", *argv],
            env=environment,
        )
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal gives it to the child as well, which ends in order
        signal.signal(signal.SIGTERM, lambda *_: child.kill())
        return child.wait()
    finally:
        if child is not None and child.poll() is None:
            child.kill()
            child.wait()
        _remove_cgroup_patiently(own_cgroup)
        shutil.rmtree(own_folder, ignore_errors=True)
