#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures berth and other tools and prints a table; called by tests/bench/run. Every tool starts with an empty store. The runs
are interleaved, so that other load of the machine affects all tools equally, and medians are compared."""

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
        if number < 2:  # they are slow
            bench.cold("pull, large", reference, ALL_PULLERS[2:])
    for _ in range(2):
        bench.limit(image)
        bench.neighbour("large", reference)


def parts_of(bench, options):
    """The measurements in their order; with --quick those that take less than five minutes."""
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
            except AssertionError as failure:  # the other measurements are still useful
                failures.append(str(failure))
                print(failure, file=sys.stderr)
    finally:
        site.close()
    shown = ["small", "medium"] + ([] if options.quick else ["large"])
    return {"machine": machine, "images": {name: bench_images.facts(getattr(bench_images, name)()) for name in shown},
            "runs": options.runs, "samples": results.samples, "failures": failures}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, help="the number of runs; default 5, or 3 with --quick")
    parser.add_argument("--quick", action="store_true", help="less than five minutes: without the large image")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all samples to FILE")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md and its plot")
    parser.add_argument("--from", dest="source", type=pathlib.Path, metavar="FILE", help="show the samples of a FILE of --json instead of measuring")
    options = parser.parse_args()
    options.runs = options.runs or (3 if options.quick else 5)
    if options.source:
        report = json.loads(options.source.read_text())
    elif sandbox.inside():
        report = collect(options)
    else:
        return sandbox.run([sys.executable, "-B", *sys.argv])
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    print(page.table(report))
    if options.page:
        page.write(report, HERE.parents[1] / "docs")
    return 1 if report.get("failures") else 0


if __name__ == "__main__":
    sys.exit(main())
