# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks the JSON that berth prints against its schemas."""

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


def check(argv, output, errors):
    """@raise AssertionError when `output` of the command line `argv` does not conform to the schema of its verb, or `errors` to that of
    --progress=json"""
    if "--progress=json" in argv:
        for text in filter(lambda line: line.startswith("{"), errors.splitlines()):
            conform(argv, "progress", text)
    verb = verb_of(argv) if output.strip() else None
    if verb is None:
        return
    assert verb in validators(), f"{' '.join(argv)}\n  prints JSON, and there is no schemas/berth-{verb.replace(' ', '-')}.schema.json"
    for text in output.splitlines() if verb == "logs" else [output]:
        conform(argv, verb, text)


def conform(argv, schema, text):
    for error in validators()[schema].iter_errors(json.loads(text)):
        raise AssertionError(f"{' '.join(argv)}\n  does not conform to the schema of {schema}: {error.json_path}: {error.message}\n{text}")
