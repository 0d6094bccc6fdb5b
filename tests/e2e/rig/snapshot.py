"""What is on a disk, in a form that compares exactly and differs readably."""

import hashlib
import os
import pathlib
import stat

# Places that change by themselves while a host runs, or are not on its disk.
NOT_LOOKED_AT = {
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
    """Every file below some directories: path → type, mode, owner, size, checksum, link target, extended attributes and
    the group of names that share its inode. Times are left out."""

    def __init__(self, entries):
        self.entries = entries

    @classmethod
    def of(cls, top, *roots):
        """@param roots paths below top; the whole of it when none is given"""
        top = pathlib.Path(top)
        entries, names = {}, {}
        for root in roots or ("/",):
            start = top / str(root).strip("/")
            for directory, directories, files in os.walk(start):
                relative = pathlib.Path(directory).relative_to(top)
                directories[:] = [name for name in directories if str(relative / name) not in NOT_LOOKED_AT]
                for name in [*directories, *files]:
                    inside = relative / name
                    if str(inside) in NOT_LOOKED_AT:
                        continue
                    path = top / inside
                    try:
                        found = path.lstat()
                        entries[f"/{inside}"] = _describe(path, found)
                    except FileNotFoundError:  # a service that runs has removed it meanwhile
                        continue
                    if found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode):
                        names.setdefault((found.st_dev, found.st_ino), []).append(f"/{inside}")
        for group in names.values():
            if len(group) > 1:
                for path in group:
                    entries[path] += f" shared by {' '.join(sorted(group))}"
        return cls(entries)

    def without(self, *prefixes):
        """Without what is at or below these paths."""

        def kept(path):
            return not any(path == prefix or path.startswith(prefix.rstrip("/") + "/") for prefix in prefixes)

        return Snapshot({path: text for path, text in self.entries.items() if kept(path)})

    def without_sharing(self):
        """Without saying which names share an inode: for trees whose equal files are one file."""
        return Snapshot({path: text.split(" shared by ")[0] for path, text in self.entries.items()})

    def difference(self, other):
        """Lines that say how `other` differs: + new, - gone, ! changed."""
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
