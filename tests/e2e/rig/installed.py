# SPDX-License-Identifier: LGPL-2.1-or-later
"""The installed files of the build, to be laid over the tree of a host."""

import os
import pathlib

from rig import sandbox
from rig.shell import run


def build_directory():
    top = pathlib.Path(__file__).resolve().parents[3]
    return pathlib.Path(os.environ.get("BERTH_BUILD", top / "build")).resolve()


def installed():
    """The tree that BERTH_INSTALLED names, e.g. an unpacked package; or installs the build in the directory of the sandbox."""
    if "BERTH_INSTALLED" in os.environ:
        return pathlib.Path(os.environ["BERTH_INSTALLED"]).resolve()
    tree = sandbox.directory() / "installed"
    if not tree.exists():
        run("meson", "install", "--no-rebuild", "--quiet", "-C", build_directory(), env={"DESTDIR": str(tree)})
        assert (tree / "usr/bin/berth").exists(), "meson install did not install /usr/bin/berth; set the build up with --prefix=/usr"
    return tree
