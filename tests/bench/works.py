# SPDX-License-Identifier: LGPL-2.1-or-later
"""The measurements. Each method does one interleaved round and adds its samples to the results."""

import itertools
import json
import pathlib
import shutil
import sys

import bench_images
import measure
from rig import cache, images
from rig.shell import run, wait_for
from tools import Berth, Podman, SkopeoAndOstree, Umoci, bench_program

_numbers = itertools.count(1)


def _store(tool, emptied=True):
    return measure.Directory(f"{tool.__name__.lower()}-{next(_numbers)}", emptied)


class Bench:
    def __init__(self, site, results):
        self.site, self.results = site, results
        self._kept = []

    def _tool(self, kind, store, settings=()):
        return kind(self.site.network, store, settings)

    def _add(self, work, tool, argv, **more):
        sample = measure.command(argv, tool.store, tool.environment)
        self.results.add(work, tool.name, {**sample, **more})

    def push(self, image, name, tag="latest", options=()):
        layout = image.layout.rsplit(":", 1)[0]
        return self.site.registry.push(f"{layout}:{tag}", f"{name}:{tag}", *options)

    def cold(self, work, reference, kinds):
        """A pull into an empty store."""
        for kind in kinds:
            with _store(kind) as store:
                tool = self._tool(kind, store)
                self._add(work, tool, tool.pull(reference))

    def life(self, name, reference, newer):
        """A pull, the same pull again, and a pull of a newer image. `deletes` removes the images."""
        for kind in (Berth, Podman):
            with _store(kind, emptied=False) as store:
                tool = self._tool(kind, store)
                self._kept.append((name, tool, [reference, newer]))
                self._add(f"pull, {name}", tool, tool.pull(reference))
                self.results.add(f"disk, {name}", tool.name, {"bytes": measure.disk_bytes(tool.data)})
                self._add(f"pull a present image, {name}", tool, tool.pull(reference))
                if kind is Berth:
                    self.installs(name, tool, reference)
                self._add(f"pull an update, {name}", tool, tool.pull(newer))

    def deletes(self):
        """Called last, because ext4 does not reuse an inode for minutes after it was freed, and creating files is slow while many of
        them have to be skipped."""
        for name, tool, references in self._kept:
            removed = measure.commands(tool.remove(references), tool.store, tool.environment)
            self.results.add(f"delete, {name}", tool.name, removed)

    def installs(self, name, berth, reference):
        """A checkout by berth and by `ostree checkout -H`, then two installs and uninstalls."""
        commit = berth.commit(reference)
        directory = berth.data / "bench"
        directory.mkdir()
        checkout = run(bench_program("checkout"), berth.repository, commit, directory)
        self.results.add(f"checkout, {name}", "berth", {"wall": float(checkout.stdout)})
        shutil.rmtree(directory / "tree")
        argv = ["ostree", f"--repo={berth.repository}", "checkout", "-H", commit, directory / "tree"]
        sample = measure.command(argv, berth.store)
        self.results.add(f"checkout, {name}", "ostree checkout -H", sample)
        self.results.add(f"install, {name}", "ostree checkout -H", sample)
        shutil.rmtree(directory)
        for which in ("install", "second install"):
            self._add(f"{which}, {name}", berth, berth.install(which.replace(" ", "-"), reference))
        for which in ("install", "second install"):
            self._add(f"uninstall, {name}", berth, berth("uninstall", which.replace(" ", "-")))

    def many_of_one_base(self, image):
        """The disk space of five images whose layers all differ in one file."""
        references = [self.push(image, "variants", f"variant{number}") for number in range(bench_images.VARIANTS)]
        for kind in (Berth, Podman):
            with _store(kind) as store:
                tool = self._tool(kind, store)
                for reference in references:
                    run(*tool.pull(reference), env=tool.environment, timeout=900)
                self.results.add("disk, five of one base", tool.name, {"bytes": measure.disk_bytes(tool.data)})

    def neighbour(self, name, reference):
        """The durations of fsync in another process during a pull."""
        for kind, label, settings in ((Berth, "berth", ()), (Berth, "berth, gentle", ("[pull]", 'durability = "gentle"')),
                                      (Podman, "podman", ())):  # fmt: skip
            with _store(kind) as store:
                tool = self._tool(kind, store, settings)
                with measure.Neighbour(store) as neighbour:
                    sample = measure.command(tool.pull(reference), store, tool.environment)
                self.results.add(f"fsync beside a pull, {name}", label, {**sample, **neighbour.summary()})

    def lists(self, count):
        """Many names of one image, and many containers of it."""
        reference = self.push(bench_images.small(), "small")
        for kind in (Berth, Podman):
            with _store(kind) as store:
                tool = self._tool(kind, store)
                run(*tool.pull(reference), env=tool.environment)
                create = (lambda n: tool.install(f"c{n}", reference)) if kind is Berth else (lambda n: tool("create", f"--name=c{n}", reference, "sh"))
                tag = tool("images", "tag", reference) if kind is Berth else tool("tag", reference)
                for number in range(count):
                    run(*tag, f"localhost/many:{number}", env=tool.environment)
                    run(*create(number), env=tool.environment)
                containers = tool("containers", "list", "-a") if kind is Berth else tool("ps", "-a")
                listed = tool("images", "list") if kind is Berth else tool("images")
                for _ in range(5):
                    self._add("list containers", tool, containers)
                    self._add("list images", tool, listed)

    def limit(self, image):
        """The minimal work of a pull of the image."""
        with measure.Directory(f"limit-{next(_numbers)}") as directory:
            text = run(bench_program("limit"), directory / "files", *bench_images.blobs(image), timeout=900).stdout
            self.results.add("limit, large", "limit", json.loads(text))

    def starts(self, count):
        """From `systemctl start` to the payload's first instruction, on a booted host; podman on this machine."""
        image, first = started_image()
        host = self.site.host()
        host.berth("install", "--name=first", f"oci:{image.inside}")
        bundle = "/var/lib/containers/berth/first.0"
        config = json.loads(host.mounted_path(f"{bundle}/config.json").read_text())
        config["root"]["path"] = f"{bundle}/rootfs"
        config["linux"].pop("cgroupsPath", None)
        host.mounted_path("/srv/plain").mkdir(parents=True)
        shutil.copy2(first, host.mounted_path("/srv/first"))
        host.mounted_path("/srv/plain/config.json").write_text(json.dumps(config))
        host.mounted_path("/etc/systemd/system/plain.service").write_text(
            "[Service]\nExecStart=/usr/sbin/runc run --bundle /srv/plain plain\nExecStopPost=-/usr/sbin/runc delete --force plain\n"
        )
        host.run("systemctl", "daemon-reload")
        reference = self.site.pushed(image, "first")
        with _store(Podman) as store:
            podman = self._tool(Podman, store)
            run(*podman.pull(reference))
            run(*podman("create", "--name=first", "--network=none", reference))
            podman_works = _can_start(podman)
            for _ in range(count):
                for unit, label in (("first", "berth"), ("plain", "plain unit with runc")):
                    self.results.add("start", label, {"wall": _unit_start(host, unit)})
                if podman_works:
                    self.results.add("start", "podman", {"wall": _podman_start(podman, first)})
            run(*podman("rm", "--force", "--all"))
        self._resident(host)

    def _resident(self, host):
        """The number of processes of the service beside the payload."""
        host.run("systemctl", "start", "first")
        inside = host.output("sh", "-c", "cat /proc/*/cgroup 2>/dev/null | grep -c '/first.service' || true")
        payload = host.output("sh", "-c", "cat /proc/*/cgroup 2>/dev/null | grep -c '/first.service/payload' || true")
        self.results.add("resident beside the payload", "berth", {"processes": int(inside) - int(payload)})


STARTED = """#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
int main(int count, char **words) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  printf("first %lld\\n", now.tv_sec * 1000000000LL + now.tv_nsec);
  fflush(stdout);
  if (count > 1) { /* the measured command begins here, after the namespaces were entered */
    execvp(words[1], words + 1);
    return 127;
  }
  signal(SIGTERM, _exit); /* the kernel ignores signals of PID 1 without a handler */
  pause();
  return 0;
}
"""


def started_image():
    """(image, program): the program prints the time of its first instruction, and then executes its arguments, if any."""

    def make(directory):
        (directory / "first.c").write_text(STARTED)
        run("cc", "-static", "-O2", "-o", directory / "first", directory / "first.c")
        build = images.Build(directory)
        build.directories("proc", "sys", "dev", "tmp", "run", "etc")
        build.copy(directory / "first", "first", 0o755)
        build.layer()
        build.config("--config.cmd", "/first")
        build.done()

    image = images.Image("layout", cache.made_once("bench-first", cache.digest_of(STARTED), make))
    return image, pathlib.Path(image.layout.rsplit(":", 1)[0]).parent / "first"


def _times(text):
    """The times in ns that the program of started_image() has printed."""
    return [int(line.split()[1]) for line in text.splitlines() if line.startswith("first ")]


def _unit_start(host, unit):
    """The seconds from `systemctl start` to the first instruction of the payload. Host and machine have the same clock."""
    host.run("systemctl", "reset-failed")  # resets the start limit
    run("sync")
    (began,) = _times(host.run("/srv/first", "systemctl", "start", unit).stdout)
    times = host.wait_for(lambda: [at for at in _times(host.journal(unit)) if at > began], f"the time in the journal of {unit}", pause=0.02)
    host.run("systemctl", "stop", unit, check=False)
    return (times[-1] - began) / 1e9


def _can_start(podman):
    """Whether podman can start a container: not every version can on a machine with cgroups of both versions."""
    done = run(*podman("start", "first"), check=False)
    run(*podman("stop", "-t", "0", "first"), check=False)
    if done.returncode != 0:
        print(f"podman cannot start a container on this machine: {done.stderr.strip()}", file=sys.stderr)
    return done.returncode == 0


def _podman_start(podman, first):
    """The seconds from `podman start` to the first instruction of the payload."""
    run("sync")
    began = _times(run(*podman("start", "first", before=[first])).stdout)[0]
    times = wait_for(lambda: [at for at in _times(run(*podman("logs", "first")).stdout) if at > began], "the time in the log of podman", pause=0.02)
    run(*podman("stop", "-t", "0", "first"))
    return (times[-1] - began) / 1e9


ALL_PULLERS = (Berth, Podman, SkopeoAndOstree, Umoci)
