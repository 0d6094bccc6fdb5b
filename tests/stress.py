#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""stress.py PATTERN: runs the unit tests (--gtest_filter=*PATTERN*) and the end-to-end tests (pytest -k PATTERN) that match 20 times
beside two busy processes, and prints how often each test failed. A word is a PATTERN for both. BERTH_BUILD names the build directory (default: build). The last
line is "N passed, M failed"."""

import collections
import multiprocessing
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

from tally import outcomes

TOP = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("BERTH_BUILD") or TOP / "build").resolve()
ROUNDS = 20
BUSY_PROCESSES = 2
NO_TESTS = 5  # exit code of pytest when no test matches
UNIT_SECONDS = 3600  # that all rounds of a program may take
UNIT_RESULT = re.compile(r"\[ +(OK|FAILED) +\] ([\w./]+).* \(\d+ ms\)$", re.MULTILINE)


def stay_busy(parent):
    """Uses a core until the parent ends, in any way."""
    while os.getppid() == parent:
        for _ in range(1_000_000):
            pass


def run_round(pattern, report):
    """Runs the tests once. @return (exit code, output) of pytest"""
    argv = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", f"--junitxml={report}", "-k", pattern, "tests/e2e"]
    with subprocess.Popen(argv, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace") as pytest:  # fmt: skip
        try:
            output, _ = pytest.communicate()
        except BaseException:
            pytest.terminate()  # it removes its sandbox
            pytest.communicate()
            raise
    return pytest.returncode, output


def run_unit_tests(pattern):
    """Runs all rounds of the unit tests. @return as run_end_to_end_tests"""
    passed, failures = 0, collections.Counter()
    for program in sorted(path for path in BUILD.glob("tests/unit/unit_*") if path.is_file() and os.access(path, os.X_OK)):
        argv = [program, f"--gtest_filter=*{pattern}*", f"--gtest_repeat={ROUNDS}", "--gtest_color=no"]
        with tempfile.TemporaryFile("w+", errors="replace") as log:
            try:
                code = subprocess.run(argv, cwd=BUILD, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=UNIT_SECONDS).returncode
            except subprocess.TimeoutExpired:
                code = "none: it did not end"
            log.seek(0)
            output = log.read()
        results = UNIT_RESULT.findall(output)
        failed = [test for result, test in results if result == "FAILED"]
        if code not in (0, 1) or (code == 1 and not failed):  # a crash ends all rounds
            failed.append(f"{program.name}, with exit code {code}")
        passed += sum(result == "OK" for result, _ in results)
        failures.update(failed)
        if failed:
            print(output)
    print(f"unit tests: {passed} passed, {failures.total()} failed", flush=True)
    return passed, failures


def run_end_to_end_tests(pattern, directory):
    """Runs all rounds and prints the output of those that fail. @return (number of passed tests, test → number of its failures)"""
    passed, failures = 0, collections.Counter()
    for number in range(1, ROUNDS + 1):
        report = directory / f"round-{number}.xml"
        code, output = run_round(pattern, report)
        if code == NO_TESTS:
            break
        results = list(outcomes(report)) if report.exists() else []
        failed = [test for test, ok in results if not ok]
        if code != 0 and not failed:
            failed = [f"pytest, with exit code {code}"]
        passed += sum(ok for _, ok in results)
        failures.update(failed)
        if failed:
            print(output)
        print(f"round {number} of {ROUNDS}: {sum(ok for _, ok in results)} passed, {len(failed)} failed", flush=True)
    return passed, failures


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    busy = [multiprocessing.Process(target=stay_busy, args=(os.getpid(),), daemon=True) for _ in range(BUSY_PROCESSES)]
    for process in busy:
        process.start()
    try:
        with tempfile.TemporaryDirectory(prefix="berth-stress-") as directory:
            passed, failures = run_unit_tests(sys.argv[1])
            more_passed, more_failures = run_end_to_end_tests(sys.argv[1], pathlib.Path(directory))
    finally:
        for process in busy:
            process.kill()
            process.join()
    passed, failures = passed + more_passed, failures + more_failures
    if not passed and not failures:
        sys.exit(f"no test matches '{sys.argv[1]}'")
    for test, count in failures.most_common():
        print(f"{count:2} of {ROUNDS}  {test}")
    print(f"{passed} passed, {failures.total()} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
