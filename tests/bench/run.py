#!/usr/bin/python3
"""Measures berth beside its peers and prints a table; called by tests/bench/run. Every tool begins with an empty store. Runs
are interleaved, so that whatever the machine does besides hits all alike; medians are compared."""

import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[0] / "e2e")]

import bench_images  # noqa: E402
import page  # noqa: E402
import tools  # noqa: E402
from measure import Results  # noqa: E402
from rig import sandbox  # noqa: E402
from rig.site import Site  # noqa: E402
from tools import Berth, Podman  # noqa: E402
from works import ALL_PULLERS, Bench  # noqa: E402


def measure_image(bench, name, image, runs):
    reference, newer = bench.push(image, name), bench.push(image, name, "next")
    for _ in range(runs):
        bench.life(name, reference, newer)


def measure_large(bench, runs):
    image = bench_images.large()
    reference, newer = bench.push(image, "large"), bench.push(image, "large", "next")
    zstd = bench.push(image, "zstd", options=["--dest-compress-format=zstd"])
    for number in range(runs):
        bench.life("large", reference, newer)
        bench.cold("pull, large in zstd", zstd, (Berth, Podman))
        if number < 2:  # they take long
            bench.cold("pull, large", reference, ALL_PULLERS[2:])
    for _ in range(2):
        bench.limit(image)
        bench.neighbour("large", reference)


def parts_of(bench, options):
    """What is measured, one after the other; with --quick what fits into five minutes."""
    runs = options.runs
    yield lambda: measure_image(bench, "small", bench_images.small(), runs)
    yield lambda: measure_image(bench, "medium", bench_images.medium(), runs)
    if not options.quick:
        yield lambda: measure_large(bench, runs)
        yield lambda: bench.many_of_one_base(bench_images.medium())
        yield lambda: bench.starts(max(runs, 10))
    yield lambda: bench.lists(50 if options.quick else 300)
    yield bench.deletes


def collect(options):
    sandbox.prepare()
    results = Results()
    site = Site(sandbox.directory())
    machine, failures = tools.machine(), []
    try:
        for part in parts_of(Bench(site, results), options):
            try:
                part()
            except AssertionError as failure:  # the rest is still worth knowing
                failures.append(str(failure))
                print(failure, file=sys.stderr)
    finally:
        site.close()
    shown = ["small", "medium"] + ([] if options.quick else ["large"])
    return {"machine": machine, "images": {name: bench_images.facts(getattr(bench_images, name)()) for name in shown},
            "runs": options.runs, "samples": results.samples, "failures": failures}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, help="of everything; 5, and 3 with --quick")
    parser.add_argument("--quick", action="store_true", help="less than five minutes: without the large image")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all samples there")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md and its plot")
    parser.add_argument("--from", dest="source", type=pathlib.Path, metavar="FILE", help="measure nothing: show what --json has written")
    options = parser.parse_args()
    options.runs = options.runs or (3 if options.quick else 5)
    if options.source:
        told = json.loads(options.source.read_text())
    elif sandbox.inside():
        told = collect(options)
    else:
        return sandbox.run([sys.executable, "-B", *sys.argv])
    if options.json:
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    print(page.table(told))
    if options.page:
        page.write(told, HERE.parents[1] / "docs")
    return 1 if told.get("failures") else 0


if __name__ == "__main__":
    sys.exit(main())
