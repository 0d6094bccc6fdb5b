#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Demonstrates install, update, rollback and uninstall on a booted host; called by ./demo, which builds berth first."""

import json
import os
import shlex
import subprocess
import sys
import time

from rig import images, sandbox
from rig.checks import leftovers
from rig.shell import CLEAN
from rig.site import Site

WIDTH = 100


class Stage:
    """Prints explanations, and runs commands in the host with their output on standard output."""

    def __init__(self, host):
        self.host = host
        self.colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def say(self, text):
        print(f"\n\033[1m# {text}\033[0m" if self.colours else f"\n# {text}", flush=True)

    def run(self, *argv, expected=0):
        words = shlex.join(argv)
        print(f"\033[32mhost$\033[0m {words}" if self.colours else f"host$ {words}", flush=True)
        settings = {"TERM": os.environ.get("TERM", "dumb")} if self.colours else {"NO_COLOR": "1", "SYSTEMD_COLORS": "0"}
        done = subprocess.run(self.host.within(*argv, env={**settings, "SYSTEMD_PAGER": "", "COLUMNS": str(WIDTH)}), env=CLEAN,
                              stdin=subprocess.DEVNULL, check=False)  # fmt: skip
        if done.returncode != expected:
            raise SystemExit(f"the command exited with status {done.returncode}, expected {expected}")


def show_system_image(stage, site):
    reference = site.pushed(images.hello_world())
    stage.say(f"An image with /exports, in a registry on loopback: {reference}")
    stage.run("berth", "install", "--name=hello", "--set=RECEIVER=World, from berth", reference)
    stage.say("It is a systemd service; it starts without an engine, a daemon or the registry")
    site.registry.stop()
    stage.run("systemctl", "start", "hello")
    stage.host.fetch("http://127.0.0.1:8081/")
    stage.run("curl", "-s", "http://127.0.0.1:8081/")
    stage.run("systemctl", "status", "--no-pager", "--lines=3", "hello")
    stage.run("berth", "containers", "list")
    stage.say("It starts at boot")
    began = time.monotonic()
    stage.host.reboot()
    print(f"(rebooted in {time.monotonic() - began:.1f} s)", flush=True)
    stage.host.fetch("http://127.0.0.1:8081/")
    stage.run("curl", "-s", "http://127.0.0.1:8081/")
    site.registry.start()


GREETING = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\nWelcome, %s!\\n' "$RECEIVER"
"""


def show_updates(stage, site):
    newer = images.derived(images.hello_world(), "hello-newer", {"www/cgi-bin/index.cgi": GREETING})
    site.pushed(newer, name="hello-world")
    stage.say("A newer image is pushed to the registry")
    stage.run("berth", "update", "--check", "hello")
    stage.run("berth", "update", "--settle=1", "hello")
    stage.run("curl", "-s", "http://127.0.0.1:8081/")
    manifest = json.loads((images.templates("hello-world") / "manifest.json").read_text())
    manifest["healthCheck"] = {"command": "wget -q -O - http://127.0.0.1:$PORT/ready", "interval": 0.5, "retries": 2}
    broken = images.derived(newer, "hello-unhealthy", {"exports/manifest.json": json.dumps(manifest)})
    site.pushed(broken, name="hello-world")
    stage.say("The next image fails its health check: berth rolls back, and the previous one serves again")
    stage.run("berth", "update", "--settle=1", "hello", expected=7)
    stage.host.fetch("http://127.0.0.1:8081/")
    stage.run("curl", "-s", "http://127.0.0.1:8081/")
    stage.say("Back to the first image")
    stage.run("berth", "rollback", "--settle=1", "hello")
    stage.host.fetch("http://127.0.0.1:8081/")
    stage.run("curl", "-s", "http://127.0.0.1:8081/")


def show_plain_image(stage, site):
    reference = site.pushed(images.plain())
    stage.say(f"Any OCI image can be installed: {reference} has no /exports; the main process of its unit is the payload")
    stage.run("berth", "install", "--now", reference)
    stage.run("systemctl", "status", "--no-pager", "--lines=3", "plain")
    stage.run("berth", "containers", "list")


def show_the_end(stage, before):
    stage.say("Stop and uninstall everything")
    stage.run("berth", "stop", "hello")
    for name in ("hello", "plain"):
        stage.run("berth", "uninstall", name)
    stage.run("berth", "containers", "list", "--all")
    stage.run("berth", "images", "list")
    left = leftovers(before, stage.host.snapshot())
    stage.say(f"Files of the host that were added, removed or changed, apart from stored images: {len(left) or 'none'}")
    for line in left:
        print(line)
    return 1 if left else 0


def main():
    if not sandbox.inside():
        return sandbox.run([sys.executable, "-B", *sys.argv])
    sandbox.prepare()
    site = Site(sandbox.directory())
    try:
        print("booting a Debian 12 host with systemd as PID 1 (the first run creates its tree, which takes half a minute)", flush=True)
        host = site.host(boot=False)
        began = time.monotonic()
        host.boot()
        stage = Stage(host)
        print(f"up after {time.monotonic() - began:.1f} s", flush=True)
        before = host.snapshot()
        show_system_image(stage, site)
        show_updates(stage, site)
        show_plain_image(stage, site)
        return show_the_end(stage, before)
    finally:
        site.close()


if __name__ == "__main__":
    sys.exit(main())
