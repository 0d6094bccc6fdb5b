#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The packages and the news are of the version in the file `version`."""

import re

from source_tree import TOP, finish

PLACES = {"debian/changelog": r"^berth \(([^)]+)\)", "packaging/berth.spec": r"^Version:\s+(\S+)", "NEWS.md": r"^## (\S+)"}


def main():
    version = (TOP / "version").read_text(encoding="utf-8").strip()
    findings = []
    for path, pattern in PLACES.items():
        found = re.search(pattern, (TOP / path).read_text(encoding="utf-8"), re.MULTILINE)
        if found is None or found.group(1) != version:
            findings.append(f"{path}: the first version is {found and found.group(1)}, and that of the file `version` is {version}")
    finish(findings)


if __name__ == "__main__":
    main()
