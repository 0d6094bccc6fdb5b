# SPDX-License-Identifier: LGPL-2.1-or-later
"""The images of the benchmark: layers of Debian trees, cached on this machine."""

import json
import os
import pathlib
import sysconfig
import tarfile

from rig import cache, debian, images
from rig.shell import run

MULTIARCH = sysconfig.get_config_var("MULTIARCH")  # x86_64-linux-gnu
MEDIUM = ["python3", "perl", "vim", "tzdata", "ncurses-term", "linux-libc-dev"]
LARGE = [*MEDIUM, "golang-1.19-go", "libboost1.74-dev", "rustc", "llvm-14-dev", "libclang-common-14-dev",
         f"linux-headers-{debian.architecture()}", "python3-sphinx", "git"]  # fmt: skip

# Layer → paths in it. Paths of earlier layers are excluded from later ones.
SMALL_LAYERS = {"all": ["etc", "usr/bin/bash", "usr/bin/perl", "var/lib/dpkg/info"]}
MEDIUM_LAYERS = {"base": ["bin", "etc", "lib", "lib64", "sbin", "var", "opt", "srv"], "programs": ["usr/bin", "usr/sbin"],
                 "libraries": ["usr/lib"], "data": ["usr/share"]}  # fmt: skip
LARGE_LAYERS = {"base": ["bin", "etc", "lib", "lib64", "sbin", "var", "opt", "srv"], "programs": ["usr/bin", "usr/sbin"],
                "machine": [f"usr/lib/{MULTIARCH}", "usr/lib/go-1.19"], "libraries": ["usr/lib"],
                "headers": ["usr/include", "usr/src"], "data": ["usr/share"]}  # fmt: skip
VARIANTS = 5


class Layers:
    """Archives of parts of a tree, to be added to images as layers."""

    def __init__(self, tree, directory, parts):
        self.directory, self.names = directory, list(parts)
        seen = []
        for name, paths in parts.items():
            present = [path for path in paths if os.path.lexists(tree / path)]
            run("tar", "--create", f"--file={self.archive(name)}", "--numeric-owner", "--xattrs", "--anchored",
                *[f"--exclude={path}" for path in seen], f"--directory={tree}", *present, timeout=600)  # fmt: skip
            seen += paths

    def archive(self, name):
        return self.directory / f"{name}.tar"

    def add(self, reference, names):
        for name in names:
            run("umoci", "raw", "add-layer", "--image", reference, self.archive(name), timeout=600)

    def touch(self, name, number):
        """Adds a file to a layer, which changes its digest."""
        (self.directory / "changed").mkdir(exist_ok=True)
        (self.directory / "changed" / f"variant-{number}").write_text(f"{number}\n")
        run("tar", "--append", f"--file={self.archive(name)}", f"--directory={self.directory}", f"changed/variant-{number}")


def facts_of(layers):
    files, size = 0, 0
    for name in layers.names:
        with tarfile.open(layers.archive(name)) as archive:
            for entry in archive:
                files += entry.isreg()
                size += entry.size
    return {"files": files, "bytes": size, "layers": len(layers.names)}


def _make(packages, parts, variants):
    """A function that makes the image `latest`, the image `next`, whose last layer differs, and images in which all layers differ.
    @param variants the number of the latter"""

    def make(directory):
        tree = directory / "tree"
        debian.bootstrap(tree, packages)
        build = images.Build(directory)
        layers = Layers(tree, directory, parts)
        (directory / "facts.json").write_text(json.dumps(facts_of(layers)))
        cache.remove(tree)
        layout = directory / "layout"
        empty = build.reference
        for number in range(variants):
            run("umoci", "tag", "--image", empty, f"variant{number}")
            for name in layers.names:
                layers.touch(name, number)
            layers.add(f"{layout}:variant{number}", layers.names)
        layers.add(build.reference, layers.names[:-1])
        run("umoci", "tag", "--image", build.reference, "next")
        layers.add(build.reference, layers.names[-1:])
        layers.touch(layers.names[-1], "next")
        layers.add(f"{layout}:next", layers.names[-1:])
        for name in layers.names:
            layers.archive(name).unlink()
        cache.remove(directory / "changed")
        build.done()

    return make


def small():
    """About 5 MB in one layer."""
    return _image("small", ["perl"], SMALL_LAYERS, 0)


def medium():
    """About 250 MB in 15,000 files and 4 layers."""
    return _image("medium", MEDIUM, MEDIUM_LAYERS, VARIANTS)


def large():
    """About 1.5 GB in more than 50,000 files and 6 layers."""
    return _image("large", LARGE, LARGE_LAYERS, 0)


def _image(name, packages, parts, variants):
    recipe = json.dumps([packages, parts, variants, pathlib.Path(__file__).read_text()])
    directory = cache.made_once(f"bench-{name}", cache.digest_of(recipe), _make(packages, parts, variants))
    return images.Image("layout", directory)


def facts(image):
    return json.loads((image.directory / "facts.json").read_text())


def blobs(image):
    """The paths of the layers of `latest`."""
    layout = image.directory / "layout"

    def blob(digest):
        return layout / "blobs" / digest.replace(":", "/")

    index = json.loads((layout / "index.json").read_text())
    manifest = next(entry["digest"] for entry in index["manifests"]
                    if entry["annotations"]["org.opencontainers.image.ref.name"] == images.TAG)  # fmt: skip
    return [blob(layer["digest"]) for layer in json.loads(blob(manifest).read_text())["layers"]]
