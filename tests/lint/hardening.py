#!/usr/bin/python3
"""The program of the default build has what makes a mistake in it harder to use: hardening.py build/src/berth"""

import re
import subprocess
import sys

from source_tree import finish


def readelf(option, program):
    return subprocess.run(["readelf", "--wide", option, program], check=True, stdout=subprocess.PIPE, text=True).stdout


def findings_in(program):
    header, segments = readelf("--file-header", program), readelf("--program-headers", program)
    dynamic, imported = readelf("--dynamic", program), readelf("--dyn-syms", program)
    wanted = {
        "is position-independent": "Type:                              DYN" in header and re.search(r"FLAGS_1.*\bPIE\b", dynamic),
        "has a part that is read-only after relocation": "GNU_RELRO" in segments,
        "binds all symbols at its start": re.search(r"FLAGS_1.*\bNOW\b", dynamic),
        "has a stack that cannot be executed": re.search(r"GNU_STACK.*\sRW\s", segments),
        "has no segment to write and execute": not re.search(r"\sRWE\s", segments),
        "names no directories to look for libraries": not re.search(r"\((RPATH|RUNPATH)\)", dynamic),
        "protects its stack": "__stack_chk_fail" in imported,
        "checks the sizes of buffers (_FORTIFY_SOURCE)": re.search(r"__\w+_chk\b(?!_fail)", imported.replace("__stack_chk_fail", "")),
    }
    return [f"{program} is not so: {what}" for what, held in wanted.items() if not held]


def main():
    finish(findings_in(sys.argv[1]))


if __name__ == "__main__":
    main()
