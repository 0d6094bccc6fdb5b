# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files that the checks of this directory read, and the output of their findings."""

import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]


def files(*patterns):
    """Files that are tracked by git, or are not ignored by it. @param patterns pathspecs"""
    command = ["git", "-C", str(TOP), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
    return [TOP / name for name in sorted(set(names)) if name and (TOP / name).is_file()]


def finish(findings):
    """Prints the findings and exits with status 1 if there are any."""
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)
