#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The texts of the project use the terms of the field. TERMS has the words that are not used, and their replacements."""

import re

from source_tree import TOP, files, finish

TERMS = {
    r"\bfold" r"ers?\b": "directory",
    r"\bolder to" r"ols?\b": "`atomic`",
    r"\buser sp" r"ace\b": "user mode, or rootless",
    r"\bpow" r"ers\b": "privileges",
    r"\bwho" r"ever\b": "the user, the caller, or who it is",
    r"\b(h" r"e|h" r"im|h" r"is)\b": "the user, or they",
    r"\bof ou" r"rs\b": "of berth, or the component's name",
    r"\bnot we" r"ll\b": "failed its health check",
    r"\bha(s|ve) to s" r"ay\b": "the message, the output",
    r"\bha(s|ve) not th" r"e\b": "does not have, does not match",
}
SKIPPED = {"LICENSE", "COPYING"}
READ = ("src/*.[ch]pp", "tests/*.[ch]pp", "tests/*.py", "tests/*.sh", "*.md", "man/*.scd", "*meson.build", "debian/*", "packaging/*", "demo", "test")


def main():
    findings = []
    for path in sorted({path for pattern in READ for path in files(pattern)}):
        if path.name in SKIPPED:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            for term, instead in TERMS.items():
                if found := re.search(term, line, re.IGNORECASE):
                    findings.append(f"{path.relative_to(TOP)}:{number}: \"{found.group(0)}\"; write {instead}")
    finish(findings)


if __name__ == "__main__":
    main()
