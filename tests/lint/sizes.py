#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits of sizes: files 600 lines, functions 60, and the median of functions 10. No name is empty of meaning."""

import json
import re
import statistics
import subprocess

from source_tree import TOP, files, finish

FILE_LINES = 600
FUNCTION_LINES = 60
MEDIAN_LINES = 10
VAGUE = re.compile(r"(^|_)(utils?|helpers?|managers?|common)(_|$)", re.IGNORECASE)
# Terms of other specifications: the credential helpers of containers-auth.json(5).
TERMS = re.compile(r"credential_helper|^(helper_for|run_helper|install_helper)$", re.IGNORECASE)
TAGGED_KINDS = ("function", "class", "struct", "namespace", "enum")


def tags(paths):
    command = ["ctags", "--output-format=json", "--fields=+ne", "--c++-kinds=fcsgn", "--python-kinds=fcm", "-f", "-",
               *map(str, paths)]  # fmt: skip
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def snake_case(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)


def is_vague(name):
    return VAGUE.search(snake_case(name)) and not TERMS.search(snake_case(name))


def main():
    checked = files("src/*.cpp", "src/*.hpp", "tests/*.cpp", "tests/*.hpp", "tests/*.py", "test", "demo", "*.sh")
    findings = []
    for path in checked:
        length = len(path.read_text(encoding="utf-8").splitlines())
        if length > FILE_LINES:
            findings.append(f"{path.relative_to(TOP)}: {length} lines, at most {FILE_LINES}")
        if is_vague(path.stem):
            findings.append(f"{path.relative_to(TOP)}: a vague name")
    lengths = []
    for tag in tags([path for path in checked if path.suffix in (".cpp", ".hpp", ".py")]):
        place = f"{tag['path'].removeprefix(str(TOP) + '/')}:{tag['line']}: {tag['name']}"
        if tag["kind"] in TAGGED_KINDS and is_vague(tag["name"]):
            findings.append(f"{place}: a vague name")
        if tag["kind"] in ("function", "member") and "end" in tag:
            length = tag["end"] - tag["line"] + 1
            if "/src/" in tag["path"]:
                lengths.append(length)
            if length > FUNCTION_LINES and "/unit/" not in tag["path"]:
                findings.append(f"{place}: {length} lines, at most {FUNCTION_LINES}")
    if lengths and statistics.median(lengths) > MEDIAN_LINES:
        findings.append(f"src: the median length of functions is {statistics.median(lengths)} lines, at most {MEDIAN_LINES}")
    finish(findings)


if __name__ == "__main__":
    main()
