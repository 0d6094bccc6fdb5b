#!/usr/bin/python3
"""Wall time, CPU time and peak memory of pulling one image of about 250 MB and 15,000 files; called by tests/bench/pull.

Every tool starts with an empty store. Runs are interleaved, so that whatever the machine does besides hits all alike. `durable`
is the time until a syncfs after the command has returned: not every tool waits for the disk by itself."""

import argparse
import json
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from rig import cache, debian, images, sandbox  # noqa: E402
from rig.installed import installed  # noqa: E402
from rig.shell import run  # noqa: E402
from rig.site import Site  # noqa: E402

PACKAGES = ["python3", "perl", "vim", "tzdata", "ncurses-term", "linux-libc-dev"]
LAYERS = {"base": ["bin", "etc", "lib", "lib64", "sbin", "var", "opt", "srv"], "programs": ["usr/bin", "usr/sbin"],
          "libraries": ["usr/lib"], "data": ["usr/share"]}  # fmt: skip
MEASURES = ("wall", "durable", "cpu", "memory")


def bench_image():
    """Four layers of a Debian tree."""

    def make(folder):
        tree = folder / "tree"
        debian.bootstrap(tree, PACKAGES)
        build = images.Build(folder)
        for name, parts in LAYERS.items():
            archive = folder / f"{name}.tar"
            present = [part for part in parts if os.path.lexists(tree / part)]
            run("tar", "--create", f"--file={archive}", "--numeric-owner", "--xattrs", f"--directory={tree}", *present)
            run("umoci", "raw", "add-layer", "--image", build.reference, archive)
            archive.unlink()
        files = sum(len(names) for _, _, names in os.walk(tree))
        size = sum(path.lstat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
        (folder / "facts.json").write_text(json.dumps({"files": files, "bytes": size, "layers": len(LAYERS)}))
        cache.remove(tree)
        build.done()

    recipe = json.dumps([PACKAGES, LAYERS])
    return images.Image("layout", cache.made_once("image-bench", cache.digest_of(recipe), make))


def measure(argv, store, environment):
    """Runs one command and returns its measures; memory is the peak of its largest process. time(1) stands between, for
    the peak that wait4 tells begins with that of whoever forked."""
    report = sandbox.folder() / "time"
    began = time.monotonic()
    run("/usr/bin/time", "--quiet", "--format=%e %U %S %M", f"--output={report}", *argv, env=environment, timeout=600)
    run("sync", "--file-system", store)
    durable = time.monotonic() - began
    wall, user, system, kibibytes = map(float, report.read_text().split())
    return {"wall": wall, "durable": durable, "cpu": user + system, "memory": kibibytes / 1024}


def commands(reference, store, network):
    """name → (command line, environment)."""
    tree = installed()
    berth = [tree / "usr/bin/berth", "-q", "--root", store, "pull", reference]
    podman = ["podman", "--root", store / "storage", "--runroot", store / "run", "--tmpdir", store / "tmp", "pull", "-q",
              "--tls-verify=false", reference]  # fmt: skip
    skopeo = ["skopeo", "copy", "-q", "--insecure-policy", "--src-tls-verify=false", f"docker://{reference}", f"oci:{store}/layout:x"]
    data = {"BERTH_DATADIR": str(tree / "usr/share/berth")}
    return {"berth": (network.within(*berth), data), "podman": (network.within(*podman), {}), "skopeo": (network.within(*skopeo), {})}


def collect(runs):
    image = bench_image()
    site = Site(sandbox.folder())
    results = {}
    try:
        reference = site.pushed(image)
        for number in range(runs):
            for name in ("berth", "podman", "skopeo"):
                store = sandbox.folder() / f"{name}-{number}"
                store.mkdir()
                argv, environment = commands(reference, store, site.network)[name]
                results.setdefault(name, []).append(measure(argv, store, environment))
                run("umount", "--recursive", "--quiet", store / "storage/overlay", check=False)
                cache.remove(store)
    finally:
        site.close()
    return {"image": json.loads((image.folder / "facts.json").read_text()), "runs": results,
            "medians": {name: {key: statistics.median(one[key] for one in each) for key in MEASURES}
                        for name, each in results.items()}}  # fmt: skip


def print_table(told):
    facts = told["image"]
    print(f"{facts['bytes'] / 1e6:.0f} MB in {facts['files']} files and {facts['layers']} layers; medians of {len(told['runs']['berth'])}"
          " interleaved runs\n")  # fmt: skip
    print(f"{'':8} {'wall s':>8} {'durable s':>10} {'CPU s':>8} {'peak MiB':>9}   ratio to berth: wall, durable, CPU, memory")
    base = told["medians"]["berth"]
    for name, row in told["medians"].items():
        ratios = "  ".join(f"{row[key] / base[key]:5.2f}" for key in MEASURES)
        print(f"{name:8} {row['wall']:8.2f} {row['durable']:10.2f} {row['cpu']:8.2f} {row['memory']:9.1f}   {ratios}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not sandbox.inside():
        return sandbox.run([sys.executable, "-B", *sys.argv])
    sandbox.prepare()
    told = collect(options.runs)
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        print_table(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
