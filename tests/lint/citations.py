#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Comments and documents cite only published texts: files of this tree, manual pages, RFCs and named specifications."""

import re

from source_tree import TOP, files, finish

# A path from the top of the tree, or a source named as includes name it.
FROM_TOP = re.compile(r"(?<![\w./$}-])((?:docs|src|tests|man|schemas|subprojects|exports-templates|packaging|completions)/[\w./-]*\w)")
SOURCE = re.compile(r"(?<![\w./-])((?:base|image|host|render|store|source|ops|cli|serve|trust)/[\w./]+\.[ch]pp)\b")
OWN_PAGE = re.compile(r"\b(berth(?:-\w+|\.conf)?)\((\d)\)")
SECTION = re.compile(r"\bsections? \d+(?:\.\d+)*|§ ?\d")
NAMED = re.compile(r"\bRFC ?\d+|\bPOSIX\b|\bFIPS\b|\bISO\b|[Ss]pecification|\bspec\b|\w\(\d\)|\bISA\b|\bUAPI\b")
EXAMPLE = re.compile(r"size(_test)?\.[ch]pp|berth-size(\.8\.scd)?")  # the verb that CONTRIBUTING.md adds as an example
PATTERNS = ("%", "*", "{", "<", "$")  # what follows stands for many names
UNPUBLISHED = re.compile(r"\bcontract\b")
READ = ("src/*.[ch]pp", "tests/*.[ch]pp", "tests/*.py", "tests/*.sh", "*.md", "man/*.scd", "*meson.build")


def comment_of(path, line):
    """The prose of a line: the whole line of a document, the comment in a line of C++, Python, shell or meson"""
    if path.suffix in (".md", ".scd"):
        return line
    start = line.find("//" if path.suffix in (".cpp", ".hpp") else "#")
    return line[start:] if start >= 0 else ""


def exists(name, with_example):
    """@param with_example whether a file of the example exists, too, if its directory has files of its kind"""
    places = [TOP / name, TOP / "src" / name, TOP / "tests/unit" / name]
    if with_example and EXAMPLE.fullmatch(places[0].name):
        return any(any(place.parent.glob(f"*{place.suffix}")) for place in places)
    return any(place.exists() for place in places)


def problems(text, before, with_example):
    """@param before the previous line, where a citation may begin"""
    for pattern in (FROM_TOP, SOURCE):
        for found in pattern.finditer(text):
            name = found.group(1).rstrip(".")
            if not exists(name, with_example) and text[found.end() : found.end() + 1] not in PATTERNS:
                yield f"{name} does not exist"
    for page, section in OWN_PAGE.findall(text):
        if not exists(f"man/{page}.{section}.scd", with_example):
            yield f"there is no manual page {page}({section})"
    for found in SECTION.finditer(text):
        if not NAMED.search(before + " " + text[: found.start()]) and not NAMED.search(text[found.end():]):
            yield f"{found.group(0)} of no named document"
    if UNPUBLISHED.search(text):
        yield "a contract is cited; name the file that holds it, e.g. docs/system-containers.md"


def main():
    findings = []
    for path in files(*READ):
        before = ""
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            text = comment_of(path, line)
            with_example = path.name == "CONTRIBUTING.md"
            findings += [f"{path.relative_to(TOP)}:{number}: {problem}" for problem in problems(text, before, with_example)]
            before = text
    finish(findings)


if __name__ == "__main__":
    main()
