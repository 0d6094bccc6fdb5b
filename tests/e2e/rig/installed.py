"""The files of the build as `meson install` lays them out, to be put over the host's tree."""

import os
import pathlib

from rig import sandbox
from rig.shell import run


def build_directory():
    top = pathlib.Path(__file__).resolve().parents[3]
    return pathlib.Path(os.environ.get("BERTH_BUILD", top / "build")).resolve()


def installed():
    """The tree BERTH_INSTALLED names, e.g. an unpacked package; else installs the build below the sandbox's directory."""
    if "BERTH_INSTALLED" in os.environ:
        return pathlib.Path(os.environ["BERTH_INSTALLED"]).resolve()
    tree = sandbox.directory() / "installed"
    if not tree.exists():
        run("meson", "install", "--no-rebuild", "--quiet", "-C", build_directory(), env={"DESTDIR": str(tree)})
        assert (tree / "usr/bin/berth").exists(), "meson install has put no /usr/bin/berth; set up with --prefix=/usr"
    return tree
