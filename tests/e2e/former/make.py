#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Creates former/host.tar.xz: the files that berth 0.1.0 leaves on a host, at the commit 6191a8c8 of this repository, where
deployment directories have mode 0755. To be run as root with that version built and installed below DIR:

    meson setup build --prefix=/usr && ninja -C build && DESTDIR=DIR meson install -C build
    BERTH_INSTALLED=DIR tests/e2e/former/make.py

It boots a host, installs containers of every kind, and afterwards kills commands in the middle. test_former.py runs the
present version on the result."""

import json
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

from rig import former, sandbox  # noqa: E402
from rig.atomic import AtomicInstaller  # noqa: E402
from rig.checks import DEPLOYMENTS  # noqa: E402
from rig.installed import installed  # noqa: E402
from rig.shell import run  # noqa: E402
from rig.site import Site  # noqa: E402
from rig.users import User  # noqa: E402

# Where containers have files. Files that the host creates itself are left out.
DIRECTORIES = ("/etc", "/home", "/usr/lib", "/usr/local", "/var/lib")
UNWANTED = ("/etc/machine-id", "/etc/.updated", "/var/.updated", "/var/lib/systemd", "/var/lib/dpkg", "/etc/passwd", "/etc/group",
            "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid", "/var/lib/private", "/var/lib/dbus", "/usr/lib/berth")  # fmt: skip
SYSTEM_CALLS = {"install": "symlinkat", "update": "symlinkat", "rollback": "symlinkat", "uninstall": "unlinkat"}


def offline(host, *argv, killed_at=None):
    """Runs berth on the tree of a host that is not running. @param killed_at (system call, number of the call at which it is killed)"""
    words = [installed() / "usr/bin/berth", "--root", host.tree, *argv]
    if killed_at:
        call, count = killed_at
        words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={count}", *words]
    return run(*words, check=not killed_at, env={"BERTH_DATADIR": str(installed() / "usr/share/berth")})


class Maker:
    def __init__(self, site):
        self.site = site
        self.host = site.host(boot=False)
        self.layouts = self.host.path("/srv/layouts")
        self.layouts.mkdir()
        self.before = self.host.snapshot(*DIRECTORIES)
        self.ann = User(self.host, former.USER)

    def layout(self, name, version):
        """Puts an image on the host, in place of an earlier version. @return its reference"""
        path = self.layouts / name
        if path.exists():
            shutil.rmtree(path)
        shutil.move(former.layout(self.site.directory, name, version), path)
        return f"oci:/srv/layouts/{name}"

    def install_all(self):
        host = self.host
        host.berth("install", "--now", "--name=web", "--set=GREETING=hello", self.layout("web", 1))
        host.berth("install", "--name=lean", "--runtime=/usr/bin/crun", self.layout("lean", 1))
        for name in ("masked", "disabled"):
            host.berth("install", f"--name={name}", self.layout(name, 1))
        host.berth("install", "--name=packaged", "--system-package=yes", self.layout("packaged", 1))
        for name in ("rollback-killed", "update-killed", "update-committed", "uninstall-killed"):
            host.berth("install", f"--name={name}", self.layout(name, 1))
        for name in ("web", "rollback-killed"):
            host.berth("pull", self.layout(name, 2))
            host.berth("update", "--settle=0", name)
        for name in ("update-killed", "update-committed", "lean", "masked", "disabled"):
            host.berth("pull", self.layout(name, 2))
        self.ann.run("berth", "install", "--name=own", self.layout("own", 1))
        self.ann.run("berth", "pull", self.layout("own", 2))

    def administer(self):
        """Stops, disables and masks containers, as an administrator would."""
        host = self.host
        host.berth("start", "lean")
        host.run("systemctl", "stop", "web", "lean")
        host.run("systemctl", "disable", "disabled")
        host.path("/etc/systemd/system/masked.service").unlink()
        host.path("/etc/systemd/system/masked.service").symlink_to("/dev/null")

    def adopt(self):
        host = self.host
        atomic = AtomicInstaller(host, self.site.directory / "atomic")
        made = former.layout(self.site.directory, "older", 1)
        image = type("Image", (), {"name": "older", "layout": f"{made}:latest"})
        atomic.pull(image, "older")
        atomic.deploy("older", "older")
        atomic.enable("older", start=False)
        host.berth("adopt")

    def interrupt(self, verb, name, committed):
        """Kills a command after it has written its record. @param committed whether the record says that all steps are done"""
        record = self.host.path(f"{former.RECORDS}/{name}")
        words = [verb, name]
        if verb == "install":
            words = [verb, f"--name={name}", f"oci:{former.layout(self.site.directory, name, 1)}"]
        call = "unlinkat" if committed else SYSTEM_CALLS[verb]
        for count in range(1, 400):
            offline(self.host, *words, killed_at=(call, count))
            written = json.loads(record.read_text()) if record.exists() else None
            if written and bool(written["committed"]) == committed:
                print(f"{verb} killed at {call} {count}: {written['operation']}")
                shutil.move(record, self.site.directory / f"record-{name}")  # or the next command would recover it
                return
            if written:
                continue  # the next command recovers it
        raise SystemExit(f"{verb} wrote no such record in 400 runs")

    def return_records(self):
        records = self.host.path(former.RECORDS)
        records.mkdir(0o700, exist_ok=True)
        for record in self.site.directory.glob("record-*"):
            shutil.move(record, records / record.name.removeprefix("record-"))

    def pack(self):
        tree = self.host.tree
        lines = self.before.difference(self.host.snapshot(*DIRECTORIES))
        paths = sorted({line.split(" ")[1] for line in lines if line[0] in "+~!*"})
        paths = [path for path in paths if not path.startswith(UNWANTED)]
        listing = self.site.directory / "listing"
        listing.write_text("".join(f".{path}\n" for path in paths))
        run("tar", "--create", "--xz", f"--file={former.ARCHIVE}", "--xattrs", "--xattrs-exclude=trusted.overlay.*", "--numeric-owner",
            "--no-recursion", f"--directory={tree}", f"--files-from={listing}", env={"XZ_OPT": "-9e"})  # fmt: skip
        print(f"{len(paths)} files, {os.stat(former.ARCHIVE).st_size} bytes")


def main():
    sandbox.prepare()
    site = Site(sandbox.directory())
    try:
        maker = Maker(site)
        built_in = former.layout(site.directory, "built-in", 1)
        offline(maker.host, "install", "--preinstall", "--name=built-in", f"oci:{built_in}")
        host = maker.host.boot()
        host.wait_for(lambda: maker.ann.systemctl("is-system-running", check=False), "the user's systemd to run",
                      lambda done: done.returncode in (0, 1))  # fmt: skip
        maker.install_all()
        maker.administer()
        maker.adopt()
        print(host.berth("containers", "list", "--all").stdout)
        print(host.output("ls", "-la", DEPLOYMENTS))
        host.power_off()
        for verb, name, committed in (("update", "update-killed", False), ("update", "update-committed", True),
                                      ("rollback", "rollback-killed", False), ("uninstall", "uninstall-killed", False),
                                      ("install", "install-killed", False)):  # fmt: skip
            maker.interrupt(verb, name, committed)
        maker.return_records()
        maker.pack()
    finally:
        site.close()


if __name__ == "__main__":
    if sandbox.inside():
        main()
    else:
        sys.exit(sandbox.run([sys.executable, "-B", *sys.argv]))
