# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trees and programs from Debian's packages, from the archive that apt uses on this machine."""

import functools
import os
import pathlib
import re

from rig import cache
from rig.shell import run

DEFAULT_SUITE = "bookworm"
DEFAULT_MIRROR = "http://deb.debian.org/debian"


@functools.cache
def architecture():
    """Debian's name of this machine's processor, which is Go's and OCI's as well: amd64, arm64."""
    return run("dpkg", "--print-architecture").stdout.strip()


def suite():
    """The Debian release that the hosts run: what BERTH_SUITE names."""
    return os.environ.get("BERTH_SUITE") or DEFAULT_SUITE


# The packages of the host: systemd as PID 1, both runtimes, and the libraries of berth.
HOST_PACKAGES = """
systemd systemd-sysv dbus runc crun libostree-1-1 libisal2 libzstd1 libsystemd0 ca-certificates iproute2 procps curl attr
libcap2-bin jq uidmap libpam-systemd dbus-user-session
""".split()

# Libraries whose packages have the version in their names.
SUITE_PACKAGES = {
    "bookworm": "libcurl4 libarchive13 libfmt9 libssl3 libtomlplusplus3 libyaml-cpp0.7".split(),
    "trixie": "libcurl4t64 libarchive13t64 libfmt10 libssl3t64 libtomlplusplus3t64 libyaml-cpp0.8".split(),
}

# No test needs these units. Each takes time at every boot, or changes files.
MASKED_UNITS = """
systemd-firstboot.service systemd-networkd-wait-online.service systemd-networkd.service systemd-resolved.service
systemd-timesyncd.service systemd-logind.service systemd-random-seed.service systemd-pstore.service
systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-machine-id-commit.service
getty.target console-getty.service getty@tty1.service
apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
systemd-tmpfiles-clean.timer systemd-modules-load.service
""".split()

MACHINE_ID = "5d1c8a2e0b7f4a6c9e3d2f1b0a9c8d7e"

APT_SETTINGS = [
    "Acquire::http::Proxy",
    "Acquire::https::Proxy",
    "Acquire::Check-Valid-Until",
    "Acquire::Check-Date",
]


def apt_sources(release):
    """The files of this machine that configure the Debian archive of a release."""
    apt = pathlib.Path("/etc/apt")
    found = [apt / "sources.list", *sorted(apt.glob("sources.list.d/*.list")), *sorted(apt.glob("sources.list.d/*.sources"))]
    pattern = re.compile(rf"^(Suites:|deb\s.*?)\s(\S+\s)*?{release}(-\S+)?(\s|$)", re.MULTILINE)
    return [path for path in found if path.is_file() and pattern.search(path.read_text())]


def mirror():
    """Where this machine takes Debian's packages from, whatever its own release is."""
    listed = run("apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages", check=False)
    for line in listed.stdout.splitlines():
        if line.startswith("Debian|Debian|"):
            return line.split("|")[2]
    return DEFAULT_MIRROR


def apt_options():
    """The settings of this machine that access to its archive may depend on. mmdebstrap does not read apt.conf."""
    options = []
    for name in APT_SETTINGS:
        line = run("apt-config", "dump", name).stdout.strip()
        if line and not line.endswith('"";'):
            options.append(f"--aptopt={line}")
    return options


# Files that the host does not need.
DOCUMENTATION = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"]


def bootstrap(tree, packages, without=(), release=None, foreign=None):
    """Creates a minimal Debian tree with these packages.

    @param without patterns of files to leave out
    @param foreign a second architecture, for packages that are named NAME:ARCHITECTURE"""
    release = release or suite()
    run(
        "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(packages)}",
        *([f"--architectures={architecture()},{foreign}"] if foreign else []),
        *apt_options(), *[f"--dpkgopt=path-exclude={pattern}" for pattern in without],
        release, tree, *(apt_sources(release) or [mirror()]), timeout=1800,
    )  # fmt: skip


def host_tree():
    """The tree of the host, without berth. It must not be changed."""

    def make(directory):
        tree = directory / "tree"
        bootstrap(tree, HOST_PACKAGES + SUITE_PACKAGES[suite()], without=DOCUMENTATION)
        (tree / "etc/machine-id").write_text(MACHINE_ID + "\n")
        (tree / "etc/hostname").write_text("berth-host\n")
        (tree / "etc/hosts").write_text("127.0.0.1 localhost berth-host\n::1 localhost\n")
        cache.remove(tree / "etc/resolv.conf")
        (tree / "etc/resolv.conf").write_text("")
        (tree / "var/log/journal").mkdir(exist_ok=True)
        (tree / "srv/images").mkdir(parents=True, exist_ok=True)
        run("systemctl", f"--root={tree}", "mask", *MASKED_UNITS)
        run("systemctl", f"--root={tree}", "set-default", "multi-user.target")
        for leftover in tree.glob("etc/apt/sources.list*"):
            cache.remove(leftover)

    recipe = pathlib.Path(__file__).read_text(encoding="utf-8")
    return cache.made_once(f"host.{suite()}", cache.digest_of(recipe), make) / "tree"


def unpacked(*packages):
    """A tree with the files of single packages, which are not installed on this machine."""

    def make(directory):
        downloads = directory / "debs"
        downloads.mkdir()
        run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *packages, cwd=downloads)
        for deb in sorted(downloads.glob("*.deb")):
            run("dpkg-deb", "-x", deb, directory / "tree")
        cache.remove(downloads)

    kind = "debs-" + "+".join(packages)
    return cache.made_once(kind, "of-this-machine", make) / "tree"


def static_busybox():
    """The program, which Debian 13 has moved below /usr."""
    tree = unpacked("busybox-static")
    return next(path for path in (tree / "usr/bin/busybox", tree / "bin/busybox") if path.exists())
