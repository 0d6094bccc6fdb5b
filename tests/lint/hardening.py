#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardening.py BERTH: the program of the default build is hardened."""

import json
import re
import subprocess
import sys

from source_tree import files, finish


def readelf(option, program):
    return subprocess.run(["readelf", "--wide", option, program], check=True, stdout=subprocess.PIPE, text=True).stdout


def late_libraries(program):
    """The sonames in the notes of https://systemd.io/ELF_DLOPEN_METADATA/, sorted."""
    texts = re.findall(r"\[ *[0-9a-f]+\] +(\[\{.*\}\])$", readelf("--string-dump=.note.dlopen", program), re.MULTILINE)
    return sorted(soname for text in texts for entry in json.loads(text) for soname in entry["soname"])


def wanted_late_libraries():
    """The sonames of all LateLibrary objects in the sources, sorted"""
    declared = re.compile(r'^\s+(?:base::)?LateLibrary \w+\{"([^"]+)"\};$', re.MULTILINE)
    return sorted({name for path in files("src/*.[ch]pp") for name in declared.findall(path.read_text(encoding="utf-8"))})


def findings_in(program):
    header, segments = readelf("--file-header", program), readelf("--program-headers", program)
    dynamic, imported = readelf("--dynamic", program), readelf("--dyn-syms", program)
    wanted = {
        "is position-independent": "Type:                              DYN" in header and re.search(r"FLAGS_1.*\bPIE\b", dynamic),
        "has a segment that is read-only after relocation": "GNU_RELRO" in segments,
        "binds all symbols when it starts": re.search(r"FLAGS_1.*\bNOW\b", dynamic),
        "has a stack that is not executable": re.search(r"GNU_STACK.*\sRW\s", segments),
        "has no segment that is writable and executable": not re.search(r"\sRWE\s", segments),
        "has no search path for libraries": not re.search(r"\((RPATH|RUNPATH)\)", dynamic),
        "protects its stack": "__stack_chk_fail" in imported,
        "declares the libraries that it loads late": late_libraries(program) == wanted_late_libraries(),
        "checks buffer sizes (_FORTIFY_SOURCE)": re.search(r"__\w+_chk\b(?!_fail)", imported.replace("__stack_chk_fail", "")),
    }
    return [f"{program}: not true: it {claim}" for claim, held in wanted.items() if not held]


def main():
    finish(findings_in(sys.argv[1]))


if __name__ == "__main__":
    main()
