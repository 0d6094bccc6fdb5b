#!/usr/bin/python3
"""Wall time and CPU time of the verbs that look at everything, on a booted host with many containers of one image; called
by tests/bench/scale. Each command runs several times, and the median counts."""

import argparse
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from rig import images, sandbox  # noqa: E402
from rig.site import Site  # noqa: E402

COMMANDS = {
    "containers list -a": ["containers", "list", "-a"],
    "containers list -a --json": ["containers", "list", "-a", "--json"],
    "images list": ["images", "list"],
    "update --all": ["update", "--all"],
    "images prune": ["images", "prune"],
}


def measure(host, words):
    """(wall, cpu) seconds of one command inside the host."""
    timed = "TIMEFORMAT='%R %U %S'; time berth \"$@\" > /dev/null"
    text = host.run("/bin/bash", "-c", timed, "berth", *words).stderr
    wall, user, system = map(float, text.splitlines()[-1].split())
    return wall, user + system


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--containers", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def run_all(arguments):
    sandbox.prepare()
    site = Site(sandbox.folder())
    try:
        host = site.host()
        image = f"oci:{images.plain().inside}"
        began = time.monotonic()
        for number in range(arguments.containers):
            host.berth("install", "-q", f"--name=c{number}", image)
        rows = {"install, each": ((time.monotonic() - began) / arguments.containers, None)}
        for name, words in COMMANDS.items():
            runs = [measure(host, words) for _ in range(arguments.runs)]
            rows[name] = tuple(statistics.median(values) for values in zip(*runs, strict=True))
        assert len(host.listed("-a")) == arguments.containers
        return rows
    finally:
        site.close()


def main():
    arguments = parse_arguments()
    if not sandbox.inside():
        sys.exit(sandbox.run([sys.executable, "-B", *sys.argv]))
    rows = run_all(arguments)
    if arguments.json:
        print(json.dumps({"containers": arguments.containers, "seconds": rows}, indent=2))
        return
    print(f"{arguments.containers} containers              wall s    cpu s")
    for name, (wall, cpu) in rows.items():
        print(f"{name:28} {wall:8.3f} {'' if cpu is None else format(cpu, '8.3f'):>8}")


if __name__ == "__main__":
    main()
