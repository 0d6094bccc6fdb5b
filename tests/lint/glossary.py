#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The texts of the project use the terms of the field. TERMS has the words that are not used, and their replacements."""

import re

from source_tree import TOP, files, finish

TERMS = {
    r"\bfold" r"ers?\b": "directory",
    r"\bolder to" r"ols?\b": "`atomic`",
    r"\buser sp" r"ace\b": "user mode, or rootless",
    r"\bpow" r"ers\b(?!\";)": "privileges",  # a whole literal is a key of files that exist
    r"\bwho" r"ever\b": "the user, the caller, or who it is",
    r"\b(h" r"e|h" r"im|h" r"is)\b": "the user, or they",
    r"\bof ou" r"rs\b": "of berth, or the component's name",
    r"\bnot we" r"ll\b": "failed its health check",
    r"\bha(s|ve) to s" r"ay\b": "the message, the output",
    r"\bha(s|ve) not th" r"e\b": "does not have, does not match",
    r"\bhas no" r"t[.;,]": "does not have one, or the whole clause",
    r"\bto" r"ld\b|\bte" r"lls\b": "reported, reports, or distinguished",
    r"(?<!declarative )\bsent" r"ences?\b": "message, or reason",
    r"\bthere (is|was) no" r"ne\b": "does not exist, is not set, or is empty",
    r"\bone a li" r"ne\b": "one per line",
}
READ = ("src/*.[ch]pp", "tests/*.[ch]pp", "tests/*.py", "tests/*.sh", "*.md", "man/*.scd", "*meson.build", "debian/*", "packaging/*",
        "schemas/*.json", "units/*", "exports-templates/*", "completions/*", ".clang-*", "demo", "test")  # fmt: skip


def main():
    findings = []
    for path in files(*READ):
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            for term, instead in TERMS.items():
                if found := re.search(term, line, re.IGNORECASE):
                    findings.append(f"{path.relative_to(TOP)}:{number}: \"{found.group(0)}\"; write {instead}")
    finish(findings)


if __name__ == "__main__":
    main()
