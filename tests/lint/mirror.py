#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every source has a test of its name in tests/unit, or a line in tests/covered.txt that names the tests that cover it."""

from source_tree import TOP, files, finish


def main():
    units = {str(path.relative_to(TOP / "src").with_suffix("")) for path in files("src/*.cpp")} - {"cli/main"}
    tested = {str(path.relative_to(TOP / "tests/unit")).removesuffix("_test.cpp") for path in files("tests/unit/*_test.cpp")}
    findings, covered = [], set()
    for number, line in enumerate((TOP / "tests/covered.txt").read_text(encoding="utf-8").splitlines(), 1):
        unit, *tests = line.split() or ["#"]
        place = f"tests/covered.txt:{number}"
        if unit.startswith("#"):
            continue
        covered.add(unit)
        if unit not in units:
            findings.append(f"{place}: there is no src/{unit}.cpp")
        if unit in tested:
            findings.append(f"{place}: {unit} has a test of its name")
        if not tests:
            findings.append(f"{place}: no test is named")
        findings += [f"{place}: there is no tests/{test}" for test in tests if not (TOP / "tests" / test).is_file()]
    findings += [f"src/{unit}.cpp: neither a test of its name nor a line in tests/covered.txt" for unit in sorted(units - tested - covered)]
    finish(findings)


if __name__ == "__main__":
    main()
