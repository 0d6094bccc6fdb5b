"""What takes long to make is made once per machine and kept in a directory named after the hash of its recipe."""

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
    """Removes a tree that may hold directories without write permission."""
    if os.path.lexists(directory):
        run("rm", "-rf", "--one-file-system", "--", directory)


def made_once(kind, key, make):
    """The directory KIND-KEY; `make(directory)` fills it when it is not there. A half-made directory is never used: it is
    filled aside and renamed. Directories of the same kind that nobody used for a week are removed then."""
    final = root() / f"{kind}-{key}"
    with open(root() / f".{kind}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if final.is_dir():
            os.utime(final)
            return final
        for half_made in root().glob(f"making-{kind}-*"):
            remove(half_made)
        for old in root().glob(f"{kind}-*"):
            if old.stat().st_mtime < time.time() - WEEK_SECONDS:
                remove(old)
        aside = root() / f"making-{kind}-{secrets.token_hex(4)}"
        aside.mkdir()
        try:
            make(aside)
            os.rename(aside, final)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    return final
