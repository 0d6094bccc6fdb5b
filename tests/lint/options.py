#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""options.py BERTH: every verb has a manual page, and the page and `berth VERB --help` have the same options."""

import re
import subprocess
import sys

from source_tree import TOP, finish

OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z])(?![\w-])")


def help_of(berth, *words):
    return subprocess.run([berth, *words, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout


def section(text, title):
    """The lines of the help below a heading"""
    found = re.search(rf"^{title}:\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


def options_of_help(text):
    found = set()
    for line in section(text, "Options").splitlines():
        if match := re.match(r"\s{1,6}(-\S.*?)(\s{2,}|$)", line):
            found |= set(OPTION.findall(match.group(1)))
    return found


def verbs(berth, *words):
    """All verbs without subcommands, as tuples of words"""
    below = re.findall(r"^\s{1,4}([a-z][a-z-]*)\s", section(help_of(berth, *words), "Subcommands"), re.MULTILINE)
    if not below:
        return [words]
    return [verb for word in below for verb in verbs(berth, *words, word)]


def options_of_page(path):
    """The options in the section OPTIONS"""
    text = path.read_text(encoding="utf-8")
    found = re.search(r"^# OPTIONS\n(.*?)(?=^# |\Z)", text, re.MULTILINE | re.DOTALL)
    entries = re.findall(r"^\*?(-[^\n]*)", found.group(1), re.MULTILINE) if found else []
    return {option for entry in entries for option in OPTION.findall(entry.replace("\\", "").replace("*", " "))}


def page_of(words):
    """The page of a verb. The page of a verb of two words has the name of both or of the first."""
    candidates = [TOP / "man" / f"berth-{'-'.join(words[:count])}.8.scd" for count in range(len(words), 0, -1)]
    return next((path for path in candidates if path.exists()), candidates[-1])


def main():
    berth = sys.argv[1]
    findings = []
    pages = {}
    for words in verbs(berth):
        pages.setdefault(page_of(words), set()).update(options_of_help(help_of(berth, *words)))
    pages[TOP / "man/berth.8.scd"] = options_of_help(help_of(berth))
    for page, options in pages.items():
        name = page.relative_to(TOP)
        if not page.exists():
            findings.append(f"{name} is missing")
            continue
        written = options_of_page(page)
        options -= {"-h", "--help"}
        written -= {"-h", "--help"}
        findings += [f"{name}: does not describe {option}" for option in sorted(options - written)]
        findings += [f"{name}: describes {option}, which does not exist" for option in sorted(written - options)]
    for page in (TOP / "man").glob("berth-*.8.scd"):
        if page not in pages:
            findings.append(f"{page.relative_to(TOP)}: there is no such verb")
    finish(findings)


if __name__ == "__main__":
    main()
