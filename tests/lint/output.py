#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Only cli/terminal/output.cpp, which escapes control characters, and console_reporter.cpp, which draws progress and messages, write
to a standard stream."""

import re

from source_tree import TOP, files, finish

WRITERS = {"src/cli/terminal/output.cpp", "src/cli/terminal/console_reporter.cpp"}
WRITES = re.compile(r"\bfmt::print\b|\bstd::(cout|cerr|clog)\b|\b(f|v|vf|d)?printf\s*\(|\bf?puts\s*\(|\bf?putc(har)?\s*\(|\bfwrite\s*\(")


def main():
    findings = []
    for path in files("src/*.cpp", "src/*.hpp"):
        place = str(path.relative_to(TOP))
        if place in WRITERS:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            code = line.split("//")[0]
            if found := WRITES.search(code):
                findings.append(f"{place}:{number}: {found.group(0).strip()} does not go through cli/terminal/output.hpp")
    finish(findings)


if __name__ == "__main__":
    main()
