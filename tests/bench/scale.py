#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures the wall time and CPU time of verbs that read all containers and images, on a booted host with many containers of one
image, and those of podman with as many; called by tests/bench/scale. Prints medians of several runs."""

import argparse
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from rig import cache, images, sandbox  # noqa: E402
from rig.shell import run  # noqa: E402
from rig.site import Site  # noqa: E402

EACH = "install, each"
COMMANDS = {  # name → (arguments for berth, the nearest ones for podman)
    "containers list -a": (["containers", "list", "-a"], ["ps", "-a"]),
    "containers list -a --json": (["containers", "list", "-a", "--json"], ["ps", "-a", "--format=json"]),
    "images list": (["images", "list"], ["images"]),
    "update --all": (["update", "--all"], None),
    "images prune": (["images", "prune"], ["image", "prune", "-f"]),
    "df": (["df"], ["system", "df"]),
}


def measure(execute, *words):
    """(wall, cpu) seconds of one command. @param execute runs a command where it is measured"""
    timed = "TIMEFORMAT='%R %U %S'; time \"$0\" \"$@\" > /dev/null"
    wall, user, system = map(float, execute("/bin/bash", "-c", timed, *words).stderr.splitlines()[-1].split())
    return wall, user + system


def medians(execute, words, runs):
    return tuple(statistics.median(values) for values in zip(*(measure(execute, *words) for _ in range(runs)), strict=True))


def each(containers, create):
    """(wall seconds for each container, None)"""
    began = time.monotonic()
    for number in range(containers):
        create(f"c{number}")
    return (time.monotonic() - began) / containers, None


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--containers", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def rows_of_berth(arguments):
    site = Site(sandbox.directory())
    try:
        host = site.host()
        image = f"oci:{images.plain().inside}"
        rows = {EACH: each(arguments.containers, lambda name: host.berth("install", "-q", f"--name={name}", image))}
        for name, (words, _) in COMMANDS.items():
            rows[name] = medians(host.run, ["berth", *words], arguments.runs)
        assert len(host.listed("-a")) == arguments.containers
        return rows
    finally:
        site.close()


def rows_of_podman(arguments):
    """`podman create` creates the same as an install, except for the unit."""
    store = sandbox.directory() / "podman"
    podman = ["podman", "--root", store / "storage", "--runroot", store / "run", "--tmpdir", store / "tmp"]
    try:
        image = run(*podman, "pull", "-q", f"oci:{images.plain().layout}").stdout.strip()
        rows = {EACH: each(arguments.containers, lambda name: run(*podman, "create", "-q", f"--name={name}", image))}
        for name, (_, words) in COMMANDS.items():
            if words:
                rows[name] = medians(run, [*podman, *words], arguments.runs)
        assert len(run(*podman, "ps", "-aq").stdout.splitlines()) == arguments.containers
        return rows
    finally:
        run("umount", "--recursive", "--quiet", store / "storage/overlay", check=False)
        cache.remove(store)


def shown(seconds):
    return " " * 8 if seconds is None else f"{seconds:8.3f}"


def main():
    arguments = parse_arguments()
    if not sandbox.inside():
        sys.exit(sandbox.run([sys.executable, "-B", *sys.argv]))
    sandbox.prepare()
    berth, podman = rows_of_berth(arguments), rows_of_podman(arguments)
    if arguments.json:
        print(json.dumps({"containers": arguments.containers, "seconds": berth, "podman": podman}, indent=2))
        return
    print(f"{arguments.containers} containers              wall s    cpu s  podman wall s    cpu s  ratio of walls")
    for name, (wall, cpu) in berth.items():
        other, other_cpu = podman.get(name, (None, None))
        ratio = "" if other is None else f"{other / wall:.1f}"
        print(f"{name:28} {wall:8.3f} {shown(cpu)}       {shown(other)} {shown(other_cpu)}  {ratio:>14}")


if __name__ == "__main__":
    main()
