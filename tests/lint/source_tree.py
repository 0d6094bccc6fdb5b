"""The files that the checks of this directory look at, and how they tell what they found."""

import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]


def files(*patterns):
    """Files that are, or are about to be, under version control."""
    command = ["git", "-C", str(TOP), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
    return [TOP / name for name in sorted(set(names)) if name and (TOP / name).is_file()]


def finish(findings):
    """Prints the findings and ends with 1 if there are any."""
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)
