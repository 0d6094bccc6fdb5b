#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""src/cli/terminal/exit_code.*, the comments of base::ErrorKind and berth(8) have the same exit codes."""

import re

from source_tree import TOP, finish


def read(path):
    return (TOP / path).read_text(encoding="utf-8")


def codes_of_program():
    """kind → exit code, of the switch"""
    return dict(re.findall(r"ErrorKind::(\w+):\s*return (\d+);", read("src/cli/terminal/exit_code.cpp")))


def codes_of_comments():
    return dict(re.findall(r"^\s*(\w+),\s*///< (\d+):", read("src/base/error.hpp"), re.MULTILINE))


def codes_of_manual():
    """The exit codes in the section EXIT STATUS"""
    section = re.search(r"^# EXIT STATUS\n(.*?)(?=^# |\Z)", read("man/berth.8.scd"), re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^[|:\[\s]*\*?(\d+)\*?\b", section.group(1), re.MULTILINE)) if section else set()


def main():
    findings = []
    program, comments, manual = codes_of_program(), codes_of_comments(), codes_of_manual()
    if not program:
        findings.append("src/cli/terminal/exit_code.cpp: no exit codes found")
    if program != comments:
        findings.append(f"src/cli/terminal/exit_code.cpp has {program}, src/base/error.hpp {comments}")
    known = set(program.values()) | set(re.findall(r"int exit_\w+ = (\d+);", read("src/cli/terminal/exit_code.hpp")))
    if known != manual:
        findings.append(f"src/cli/terminal/exit_code.* have {sorted(known, key=int)}, "
                        f"man/berth.8.scd {sorted(manual, key=int)}")  # fmt: skip
    finish(findings)


if __name__ == "__main__":
    main()
