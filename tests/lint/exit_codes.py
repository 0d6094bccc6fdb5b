#!/usr/bin/python3
"""The exit codes in src/cli/terminal/exit_code.cpp are those of base::ErrorKind's comments and of berth(8), and none is missing."""

import re

from source_tree import TOP, finish


def read(path):
    return (TOP / path).read_text(encoding="utf-8")


def codes_of_program():
    """kind → exit code, as the switch has it."""
    return dict(re.findall(r"ErrorKind::(\w+):\s*return (\d+);", read("src/cli/terminal/exit_code.cpp")))


def codes_of_comments():
    return dict(re.findall(r"^\s*(\w+),\s*///< (\d+):", read("src/base/error.hpp"), re.MULTILINE))


def codes_of_manual():
    """The numbers that begin an entry of the section EXIT STATUS."""
    section = re.search(r"^# EXIT STATUS\n(.*?)(?=^# |\Z)", read("man/berth.8.scd"), re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^[|:\[\s]*\*?(\d+)\*?\b", section.group(1), re.MULTILINE)) if section else set()


def main():
    findings = []
    program, comments, manual = codes_of_program(), codes_of_comments(), codes_of_manual()
    if not program:
        findings.append("src/cli/terminal/exit_code.cpp: no exit codes found")
    if program != comments:
        findings.append(f"src/cli/terminal/exit_code.cpp says {program}, src/base/error.hpp {comments}")
    if set(program.values()) | {"0"} != manual:
        findings.append(f"src/cli/terminal/exit_code.cpp knows 0 and {sorted(program.values(), key=int)}, "
                        f"man/berth.8.scd {sorted(manual, key=int)}")  # fmt: skip
    finish(findings)


if __name__ == "__main__":
    main()
