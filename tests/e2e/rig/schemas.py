# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks the JSON that berth prints against the schema of its verb."""

import functools
import json
import pathlib

import jsonschema

DIRECTORY = pathlib.Path(__file__).resolve().parents[3] / "schemas"


@functools.cache
def validators():
    """Verb, e.g. "images list", → validator."""
    found = {}
    for path in DIRECTORY.glob("berth-*.schema.json"):
        name = path.name.removeprefix("berth-").removesuffix(".schema.json")
        # No verb has a hyphen in its name.
        found[name.replace("-", " ")] = jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))
    found["atomic ps"] = found["atomic containers list"]
    return found


def verb_of(argv):
    """The verb of a command line of berth with --json; None for any other command line."""
    program = next((i for i, word in enumerate(argv) if pathlib.Path(word).name in ("berth", "atomic")), None)
    if program is None or "--json" not in argv[program:]:
        return None
    words = [word for word in argv[program + 1 :] if not word.startswith("-")]
    if pathlib.Path(argv[program]).name == "atomic":
        words.insert(0, "atomic")
    first_words = {verb.split()[0] for verb in validators()} | {"exec"}
    start = next((i for i, word in enumerate(words) if word in first_words), 0)  # before it, values of global options
    words = words[start:]
    if words[:1] == ["exec"] or (words[:1] == ["run"] and "--display" not in argv):
        return None  # --json is an option of the command in the container
    known = (" ".join(words[:count]) for count in (3, 2, 1))
    return next((verb for verb in known if verb in validators()), " ".join(words[:2]))


def check(argv, output):
    """@raise AssertionError when `output` of the command line `argv` does not conform to the schema of its verb"""
    verb = verb_of(argv) if output.strip() else None
    if verb is None:
        return
    line = " ".join(argv)
    assert verb in validators(), f"{line}\n  prints JSON, and there is no schemas/berth-{verb.replace(' ', '-')}.schema.json"
    for text in output.splitlines() if verb == "logs" else [output]:
        for error in validators()[verb].iter_errors(json.loads(text)):
            raise AssertionError(f"{line}\n  does not conform to the schema of berth {verb}: {error.json_path}: {error.message}\n{text}")
