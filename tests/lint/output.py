#!/usr/bin/python3
"""What berth prints goes through one place, which shows what a terminal or an eye would be deceived by (cli/terminal/output.hpp).

Only that place, and what draws progress and messages on standard error, writes to a stream."""

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
