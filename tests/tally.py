#!/usr/bin/python3
"""tally.py REPORT EXIT-CODE: prints "PASSED FAILED" of a JUnit report.

A program that ended badly without a failed test in its report, or without a report, counts as one failure."""

import pathlib
import sys
import xml.etree.ElementTree


def count(report):
    """(passed, failed) test cases of a report; skipped ones are failures, for no test may skip itself."""
    passed = failed = 0
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        if any(case.find(mark) is not None for mark in ("failure", "error", "skipped")):
            failed += 1
        else:
            passed += 1
    return passed, failed


def main():
    report, exit_code = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    passed, failed = count(report) if report.exists() else (0, 0)
    if exit_code != 0 and failed == 0:
        failed = 1
    print(passed, failed)


if __name__ == "__main__":
    main()
