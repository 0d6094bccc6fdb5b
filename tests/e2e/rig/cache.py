# SPDX-License-Identifier: LGPL-2.1-or-later
"""A cache of this machine for results that take long to make, in directories named after the hash of their recipe."""

import fcntl
import hashlib
import os
import pathlib
import secrets
import shutil
import time

from rig.shell import run


WEEK_SECONDS = 7 * 24 * 3600


def root():
    """The cache directory of this machine."""
    directory = pathlib.Path(os.environ.get("BERTH_CACHE", "/var/cache/berth-tests"))
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def digest_of(*parts):
    """A short hash of texts, bytes and the contents of files and directories."""
    state = hashlib.sha256()
    for part in parts:
        if isinstance(part, pathlib.Path):
            for path in [part, *sorted(part.rglob("*"))]:
                state.update(str(path.relative_to(part)).encode() + b"\0")
                state.update(path.read_bytes() if path.is_file() else b"")
        else:
            state.update(part if isinstance(part, bytes) else str(part).encode())
        state.update(b"\0")
    return state.hexdigest()[:16]


def remove(directory):
    """Removes a tree, also one with directories that are not writable."""
    if os.path.lexists(directory):
        run("rm", "-rf", "--one-file-system", "--", directory)


def made_once(kind, key, make):
    """Creates the directory KIND-KEY by `make(directory)` unless it exists. It is filled under another name and then renamed,
    so that it is complete or absent. Directories of the same kind that were not used for a week are removed.
    @return its path"""
    final = root() / f"{kind}-{key}"
    with open(root() / f".{kind}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if final.is_dir():
            os.utime(final)
            return final
        for incomplete in root().glob(f"making-{kind}-*"):
            remove(incomplete)
        for old in root().glob(f"{kind}-*"):
            if old.stat().st_mtime < time.time() - WEEK_SECONDS:
                remove(old)
        making = root() / f"making-{kind}-{secrets.token_hex(4)}"
        making.mkdir()
        try:
            make(making)
            os.rename(making, final)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
    return final
