#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every source of C++, every script and every file of the build names its licence (spdx.org) in its first lines."""

import re

from source_tree import TOP, files, finish

LINE = "SPDX-License-Identifier: LGPL-2.1-or-later"
DATA = (TOP / "tests/fuzz/corpus", TOP / "tests/golden")
SUFFIXES = (".cpp", ".hpp", ".py", ".sh", ".bash", ".fish", ".in", ".spec", ".ini", ".supp")
NAMES = ("meson.build", "meson_options.txt", "_berth")
SHEBANG = re.compile(rb"#!/.*(python3|bash|/sh)\b")
FIRST_LINES = 3  # after a line for the interpreter, and one for a completion system


def sources():
    return [
        path for path in files()
        if not any(path.is_relative_to(directory) for directory in DATA)
        and (path.suffix in SUFFIXES or path.name in NAMES or SHEBANG.match(path.read_bytes().split(b"\n", 1)[0]))
    ]  # fmt: skip


def main():
    findings = []
    for path in sources():
        first = path.read_text(encoding="utf-8", errors="replace").splitlines()[:FIRST_LINES]
        if not any(line.endswith(LINE) for line in first):
            findings.append(f"{path.relative_to(TOP)}: the first lines lack `{LINE}`")
    finish(findings)


if __name__ == "__main__":
    main()
