#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""schemas.py BERTH: every verb with `--json` has a schema in schemas/, which its manual page names; the schemas are valid and complete,
and the golden files in tests/golden/json conform to them."""

import json
import sys

import jsonschema
from options import help_of, options_of_help, page_of, verbs
from source_tree import TOP, finish

SCHEMAS = TOP / "schemas"
GOLDEN = TOP / "tests/golden/json"
INSTALLED = "/usr/share/berth/schemas"
SAME = {"atomic-ps": "atomic-containers-list"}  # verb → the verb whose schema it uses
PROGRESS = "progress"  # that of --progress=json, which all verbs have


def parts_of(schema, place="#"):
    """(path, schema) of a schema and of all schemas inside it"""
    yield place, schema
    for keyword in ("properties", "$defs"):
        for name, part in schema.get(keyword, {}).items():
            yield from parts_of(part, f"{place}/{keyword}/{name}")
    for keyword in ("oneOf", "anyOf"):
        for number, part in enumerate(schema.get(keyword, [])):
            yield from parts_of(part, f"{place}/{keyword}/{number}")
    if isinstance(schema.get("items"), dict):
        yield from parts_of(schema["items"], f"{place}/items")


def findings_of_schema(name, schema):
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        yield f"{error.json_path}: {error.message}"
        return
    if schema.get("$schema") != jsonschema.Draft202012Validator.META_SCHEMA["$id"]:
        yield "$schema is not draft 2020-12"
    if schema.get("$id") != f"urn:berth:schema:{name}":
        yield f"$id is not urn:berth:schema:{name}"
    if not schema.get("title"):
        yield "there is no title"
    for place, part in parts_of(schema):
        if "properties" in part and part.get("additionalProperties") is not False:
            yield f"{place}: additionalProperties is not false"
        if unknown := set(part.get("required", [])) - set(part.get("properties", {})):
            yield f"{place}: requires {', '.join(sorted(unknown))}, which it does not describe"
        for member, description in part.get("properties", {}).items():
            if not ("description" in description or "const" in description):
                yield f"{place}/properties/{member}: there is no description"
        if (target := part.get("$ref")) and target.removeprefix("#/$defs/") not in schema.get("$defs", {}):
            yield f"{place}: there is no {target}"


def schema_of_golden(stem, names):
    """The schema of a golden file, e.g. images-list for images-list-empty: the longest name that the stem begins with"""
    return max((name for name in names if stem == name or stem.startswith(f"{name}-")), key=len, default=None)


def findings_of_goldens(schemas):
    covered = set()
    for path in sorted(GOLDEN.glob("*.json")):
        place = path.relative_to(TOP)
        name = schema_of_golden(path.stem, schemas)
        if name is None:
            yield f"{place}: has no schema"
            continue
        covered.add(name)
        document = json.loads(path.read_text(encoding="utf-8"))
        for error in jsonschema.Draft202012Validator(schemas[name]).iter_errors(document):
            yield f"{place}: {error.json_path}: {error.message}"
    for name in sorted(schemas.keys() - covered):
        yield f"tests/golden/json/{name}.json is missing"


def findings_of_definitions(schemas):
    """Definitions that several schemas need are equal in all of them, since no schema refers to another file."""
    plans = {json.dumps([schemas[name]["$defs"][part] for part in ("plan", "hostFile")]) for name in ("install", "run")}
    if len(plans) != 1:
        yield "schemas/berth-run.schema.json: the plan differs from that of berth-install.schema.json"


def findings_of_verbs(berth, schemas):
    unused = set(schemas) - {PROGRESS}
    if f"{INSTALLED}/berth-{PROGRESS}.schema.json" not in (TOP / "man/berth.8.scd").read_text(encoding="utf-8"):
        yield f"man/berth.8.scd: does not name {INSTALLED}/berth-{PROGRESS}.schema.json"
    for words in verbs(berth):
        if "--json" not in options_of_help(help_of(berth, *words)):
            continue
        name = SAME.get("-".join(words), "-".join(words))
        unused.discard(name)
        page = page_of(words)
        text = page.read_text(encoding="utf-8") if page.exists() else ""
        group = "-".join([*words[:-1], "VERB"])  # in a page of several verbs
        if name not in schemas:
            yield f"schemas/berth-{name}.schema.json is missing"
        elif not any(f"{INSTALLED}/berth-{known}.schema.json" in text for known in (name, group)):
            yield f"{page.relative_to(TOP)}: does not name {INSTALLED}/berth-{name}.schema.json"
    for name in sorted(unused):
        yield f"schemas/berth-{name}.schema.json: no verb prints it"


def main():
    schemas = {}
    for path in sorted(SCHEMAS.glob("*.json")):
        schemas[path.name.removeprefix("berth-").removesuffix(".schema.json")] = json.loads(path.read_text(encoding="utf-8"))
    findings = []
    for name, schema in schemas.items():
        findings += [f"schemas/berth-{name}.schema.json: {finding}" for finding in findings_of_schema(name, schema)]
    findings += findings_of_goldens(schemas)
    findings += findings_of_definitions(schemas)
    findings += findings_of_verbs(sys.argv[1], schemas)
    finish(findings)


if __name__ == "__main__":
    main()
