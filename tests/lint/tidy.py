#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tidy.py BUILD-DIRECTORY REPORT: runs clang-tidy on every source file of src, with the compile commands of a clang build.

A file without findings is checked again only after it, one of its headers in src, its command line or .clang-tidy has changed."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

from source_tree import TOP, finish

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def with_headers(path, seen):
    """Adds a file and all headers of src that it includes, directly or indirectly, to `seen`."""
    if path in seen or not path.exists():
        return
    seen.add(path)
    for header in INCLUDE.findall(path.read_text(encoding="utf-8")):
        with_headers(TOP / "src" / header, seen)


def fingerprint(path, command):
    seen = set()
    with_headers(path, seen)
    state = hashlib.sha256((TOP / ".clang-tidy").read_bytes() + command.encode())
    for each in sorted(seen):
        state.update(each.read_bytes())
    return state.hexdigest()


def check(build, path, command):
    """The output of clang-tidy for a file; empty without findings"""
    clean = build / "tidy" / fingerprint(path, command)
    if clean.exists():
        return ""
    done = subprocess.run(["clang-tidy", "--quiet", "-p", str(build), str(path)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)  # fmt: skip
    if done.returncode == 0:
        clean.touch()
        return ""
    return done.stdout or done.stderr


def main():
    build, report = TOP / sys.argv[1], pathlib.Path(sys.argv[2])
    (build / "tidy").mkdir(exist_ok=True)
    entries = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        path = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        if path.is_relative_to(TOP / "src"):
            entries[path] = entry["command"]
    suite = xml.etree.ElementTree.Element("testsuite", name="clang-tidy")
    findings = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda item: check(build, *item), sorted(entries.items()))
        for path, output in zip(sorted(entries), results):
            case = xml.etree.ElementTree.SubElement(suite, "testcase", name=str(path.relative_to(TOP)))
            if output:
                findings.append(output)
                xml.etree.ElementTree.SubElement(case, "failure").text = output
    xml.etree.ElementTree.ElementTree(suite).write(report)
    finish(findings)


if __name__ == "__main__":
    main()
