#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tree has no unfinished work, no test that skips itself, and no name of this machine."""

import pathlib
import re

from source_tree import TOP, files, finish

UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|not (yet )?implemen" r"ted|unimplemen" r"ted", re.IGNORECASE)
SKIPPING = re.compile(r"GTEST_S" r"KIP|\bDISABLE" r"D_|pytest\.(skip|xfail)|mark\.(skip|xfail)|importors" r"kip")
SKIPPED_FILES = {"LICENSE", "COPYING"}


def archive_hosts():
    """The hosts in the configuration of apt, except public ones; the tree must not name them."""
    hosts = set()
    for path in pathlib.Path("/etc/apt").rglob("*"):
        if path.is_file():
            hosts |= set(re.findall(r"https?://([^/\s:]+)", path.read_text(errors="replace")))
    return {host for host in hosts if "." in host and not host.endswith(("debian.org", "github.com"))}


def main():
    # The parent directory of the source tree, unless its name is common.
    around = str(TOP.parent)
    places = [re.escape(host) for host in archive_hosts()]
    if len(around) > 3 and around not in ("/root", "/home", "/tmp", "/src", "/usr/src", "/var/tmp"):
        places.append(re.escape(around) + r"(?=[/\s\"'])")
    machine = re.compile("|".join(places)) if places else None
    findings = []
    for path in files():
        if path.name in SKIPPED_FILES:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            place = f"{path.relative_to(TOP)}:{number}"
            if found := UNFINISHED.search(line):
                findings.append(f"{place}: {found.group(0)}")
            if found := SKIPPING.search(line):
                findings.append(f"{place}: a test that may skip itself: {found.group(0)}")
            if machine and (found := machine.search(line)):
                findings.append(f"{place}: a name of this machine: {found.group(0)}")
    finish(findings)


if __name__ == "__main__":
    main()
