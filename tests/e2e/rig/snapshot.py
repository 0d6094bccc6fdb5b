# SPDX-License-Identifier: LGPL-2.1-or-later
"""Listings of a disk that can be compared, with readable differences."""

import hashlib
import os
import pathlib
import stat

# Paths that change while a host is running, or are not on its disk.
IGNORED = {
    "proc", "sys", "dev", "run", "tmp", "var/tmp", "var/log/journal", "var/log/wtmp", "var/log/btmp", "var/log/lastlog",
    "var/lib/systemd", "var/cache/ldconfig", "etc/.updated", "var/.updated", "etc/.pwd.lock", "srv/images",
    "root/.cache",
}  # fmt: skip

_checksums = {}


def _checksum(path, found):
    key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if key not in _checksums:
        _checksums[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    return _checksums[key]


def _xattrs(path):
    return {
        name: os.getxattr(path, name, follow_symlinks=False).hex() for name in sorted(os.listxattr(path, follow_symlinks=False))
    }


def _describe(path, found):
    kind = stat.S_IFMT(found.st_mode)
    words = [stat.filemode(found.st_mode), f"{found.st_uid}:{found.st_gid}"]
    if kind == stat.S_IFREG:
        words += [f"{found.st_size} bytes", f"sha256 {_checksum(path, found)}"]
    elif kind == stat.S_IFLNK:
        words += ["->", os.readlink(path)]
    elif kind in (stat.S_IFCHR, stat.S_IFBLK):
        words += [f"device {os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"]
    words += [f"{name}={value}" for name, value in _xattrs(path).items()]
    return " ".join(words)


class Snapshot:
    """All files below some directories: path → type, mode, owner, size, checksum, link target, extended attributes and
    the names of the same inode. Times are ignored."""

    def __init__(self, entries):
        self.entries = entries

    @classmethod
    def of(cls, top, *roots):
        """@param roots paths below `top`; default: all of it"""
        top = pathlib.Path(top)
        entries, names = {}, {}
        for root in roots or ("/",):
            start = top / str(root).strip("/")
            for directory, directories, files in os.walk(start):
                relative = pathlib.Path(directory).relative_to(top)
                directories[:] = [name for name in directories if str(relative / name) not in IGNORED]
                for name in [*directories, *files]:
                    inside = relative / name
                    if str(inside) in IGNORED:
                        continue
                    path = top / inside
                    try:
                        found = path.lstat()
                        entries[f"/{inside}"] = _describe(path, found)
                    except FileNotFoundError:  # a running service has removed it
                        continue
                    if found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode):
                        names.setdefault((found.st_dev, found.st_ino), []).append(f"/{inside}")
        for group in names.values():
            if len(group) > 1:
                for path in group:
                    entries[path] += f" shared by {' '.join(sorted(group))}"
        return cls(entries)

    def without(self, *prefixes):
        """A snapshot without these paths and everything below them."""

        def kept(path):
            return not any(path == prefix or path.startswith(prefix.rstrip("/") + "/") for prefix in prefixes)

        return Snapshot({path: text for path, text in self.entries.items() if kept(path)})

    def without_sharing(self):
        """A snapshot that ignores hard links: for trees in which equal files are the same file."""
        return Snapshot({path: text.split(" shared by ")[0] for path, text in self.entries.items()})

    def difference(self, other):
        """A line for each file in which `other` differs: + added, - removed, ! changed."""
        lines = []
        for path in sorted(self.entries.keys() | other.entries.keys()):
            mine, theirs = self.entries.get(path), other.entries.get(path)
            if mine is None:
                lines.append(f"+ {path} {theirs}")
            elif theirs is None:
                lines.append(f"- {path} {mine}")
            elif mine != theirs:
                lines.append(f"! {path}\n    {mine}\n    {theirs}")
        return lines

    def __eq__(self, other):
        return self.entries == other.entries

    def paths(self):
        return set(self.entries)
