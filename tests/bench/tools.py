# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command lines of the measured tools."""

import os
import re
import shutil

from rig.installed import build_directory, installed
from rig.shell import CLEAN, run


class Berth:
    name = "berth"

    def __init__(self, network, store, settings=()):
        self.network, self.store = network, store
        self.environment = {"BERTH_DATADIR": str(installed() / "usr/share/berth")}
        (store / "etc/berth").mkdir(parents=True)
        (store / "etc/berth/berth.conf").write_text("".join(f"{line}\n" for line in settings))
        (store / "usr/bin").mkdir(parents=True)
        shutil.copy2(shutil.which("runc", path=CLEAN["PATH"]), store / "usr/bin/runc")

    def __call__(self, *words):
        return self.network.within(installed() / "usr/bin/berth", "-q", "--root", self.store, *words)

    def pull(self, reference):
        return self("pull", reference)

    def remove(self, references):
        return [self("images", "delete", *references), self("images", "prune")]

    def install(self, name, reference):
        return self("install", f"--name={name}", reference)

    @property
    def data(self):
        return self.store / "var/lib/containers/berth"

    @property
    def repository(self):
        return self.data / ".storage/ostree"

    def commit(self, reference):
        encoded = re.sub(r"[^A-Za-z0-9.-]", lambda letter: f"_{ord(letter[0]):02X}", reference)
        return run("ostree", f"--repo={self.repository}", "rev-parse", f"ociimage/{encoded}").stdout.strip()


class Podman:
    name = "podman"
    environment = {}

    def __init__(self, network, store, settings=()):
        self.network, self.store = network, store

    def __call__(self, *words, before=()):
        return self.network.within(*before, "podman", "--root", self.store / "storage", "--runroot", self.store / "run",
                                   "--tmpdir", self.store / "tmp", "--runtime=runc", "--cgroup-manager=cgroupfs", *words)  # fmt: skip

    def pull(self, reference):
        return self("pull", "-q", "--tls-verify=false", reference)

    def remove(self, references):
        return [self("rmi", *references)]

    @property
    def data(self):
        return self.store / "storage"


class SkopeoAndOstree:
    """`skopeo copy` to a layout, and `ostree commit` of each layer, with fsync."""

    name = "skopeo + ostree"
    environment = {}

    def __init__(self, network, store, settings=()):
        self.network, self.store = network, store

    def pull(self, reference):
        program = """
import json, pathlib, subprocess, sys
store, reference = pathlib.Path(sys.argv[1]), sys.argv[2]
layout, repository = store / "layout", store / "repo"
subprocess.run(["skopeo", "copy", "-q", "--insecure-policy", "--src-tls-verify=false", f"docker://{reference}", f"oci:{layout}:x"],
               check=True)
subprocess.run(["ostree", "init", f"--repo={repository}", "--mode=bare"], check=True)
def blob(digest):
    return layout / "blobs" / digest.replace(":", "/")
index = json.loads((layout / "index.json").read_text())
for number, layer in enumerate(json.loads(blob(index["manifests"][0]["digest"]).read_text())["layers"]):
    with subprocess.Popen(["gzip", "-dc", blob(layer["digest"])], stdout=subprocess.PIPE) as unpacked:
        subprocess.run(["ostree", "commit", f"--repo={repository}", f"--branch=layer{number}", "--tree=tar=/dev/stdin",
                        "--tar-autocreate-parents"], stdin=unpacked.stdout, stdout=subprocess.DEVNULL, check=True)
"""
        return self.network.within("/usr/bin/python3", "-c", program, self.store, reference)


class Umoci:
    """`skopeo copy` to a layout and `umoci unpack`."""

    name = "skopeo + umoci"
    environment = {}

    def __init__(self, network, store, settings=()):
        self.network, self.store = network, store

    def pull(self, reference):
        script = ('skopeo copy -q --insecure-policy --src-tls-verify=false "docker://$2" "oci:$1/layout:x" && '
                  'umoci unpack --image "$1/layout:x" "$1/bundle"')  # fmt: skip
        return self.network.within("/bin/sh", "-c", script, "sh", self.store, reference)


def bench_program(name):
    return build_directory() / "tests/bench" / name


def machine():
    """The properties of the machine that the results depend on."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    disk = run("stat", "--file-system", "--format=%T", "/var/cache").stdout.strip()
    versions = {tool: run("dpkg-query", "-W", "-f", "${Version}", tool).stdout for tool in ("podman", "skopeo", "umoci", "ostree", "runc")}
    return {"processor": model, "cores": os.cpu_count(), "memory": f"{memory} MiB", "file system": disk,
            "kernel": os.uname().release, "load": round(os.getloadavg()[0], 1), **versions}  # fmt: skip
