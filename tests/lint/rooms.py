#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks the includes of src against the tables in src/README.md.

A row of the first table is `| component | contents | dependencies |`. The dependencies are components (`all above` means those of
the previous rows) and libraries. A component may also use what its dependencies may use, and the libraries of the first component.

A row `| component/part | contents |` names a directory below a component, and `| component/ |` the files directly in its directory.
The rows of a component are ordered: a file may include files of its own row and of the rows before it."""

import re

from source_tree import TOP, files, finish

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)

# Precompiled headers, which belong to no component.
PRECOMPILED = "precompiled"

# Prefix of the headers of a library → its name in the table, in lower case.
LIBRARIES = {
    "curl/": "curl",
    "archive.h": "archive",
    "archive_entry.h": "archive",
    "ostree.h": "ostree",
    "glib": "ostree",
    "gio/": "ostree",
    "systemd/": "systemd",
    "nlohmann/": "json",
    "fmt/": "fmt",
    "openssl/": "openssl",
    "toml++/": "toml",
    "CLI/": "cli11",
    "isa-l": "isa-l",
    "igzip_lib.h": "isa-l",
    "zstd.h": "zstd",
    "zlib.h": "zlib",
    "yaml-cpp/": "yaml",
    "gpgme": "gpgme",
}


def rows(text):
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) >= 2:
            yield cells[0].strip("`"), cells


def read_rooms(text):
    """component → (the component and those it may include, its dependencies as text), in the order of the table"""
    rooms = {}
    for name, cells in rows(text):
        if len(cells) < 3 or not re.fullmatch("[a-z]+", name) or not (TOP / "src" / name).is_dir():
            continue
        allowed = cells[-1].lower()
        words = set(re.findall(r"[a-z0-9+-]+", allowed))
        direct = set(rooms) if "all above" in allowed else words & set(rooms)
        reached = {name}.union(*(rooms[room][0] for room in direct)) if direct else {name}
        rooms[name] = (reached, allowed)
    return rooms


def read_parts(text):
    """`component/part`, or `component/` → its position in the table"""
    places = {}
    for name, _ in rows(text):
        if re.fullmatch("[a-z]+/[a-z/]*", name):
            places[name] = len(places)
    return places


def part_of(path):
    """`component/part` of a path below src; `component/` for a file directly in its directory"""
    room, *parts, _ = path.split("/")
    return room + "/" + "/".join(parts)


def library_of(header):
    return next((word for prefix, word in LIBRARIES.items() if header.startswith(prefix)), None)


def check_file(path, rooms, places):
    name = str(path.relative_to(TOP / "src"))
    room, part = name.split("/")[0], part_of(name)
    reached, allowed = rooms[room]
    first = next(iter(rooms.values()))[1]
    for kind, header in INCLUDE.findall(path.read_text(encoding="utf-8")):
        where = f"src/{name}: includes {header}"
        other = header.split("/")[0]
        if kind == '"' and "/" not in header:
            yield f'{where}; write it as "component/file.hpp"'
        elif kind == '"' and other not in reached:
            yield f"{where}, but {room} may not use {other}"
        elif kind == '"' and other == room and places.get(part_of(header), -1) > places.get(part, -1):
            yield f"{where}, which the table has after {part}"
        elif kind == "<":
            library = library_of(header)
            if library and library not in allowed and library not in first:
                yield f"{where}, but {room} may not use {library}"


def main():
    readme = TOP / "src/README.md"
    if not readme.exists():
        finish(["src/README.md, which has the table of components, does not exist"])
    text = readme.read_text(encoding="utf-8")
    rooms, places = read_rooms(text), read_parts(text)
    findings = []
    paths = [path for path in files("src/*.cpp", "src/*.hpp") if path.relative_to(TOP / "src").parts[0] != PRECOMPILED]
    with_parts = {name.split("/")[0] for name in places}
    for path in paths:
        name = str(path.relative_to(TOP / "src"))
        room, part = name.split("/")[0], part_of(name)
        if room not in rooms:
            findings.append(f"src/{room}: no row of the table in src/README.md")
        elif part not in places and (room in with_parts or not part.endswith("/")):
            findings.append(f"src/{name}: no row {part} in src/README.md")
        else:
            findings += check_file(path, rooms, places)
    finish(findings + includes_in_circles(paths))


def includes_in_circles(paths):
    """Circular includes of units; a unit is a header and its source"""
    uses = {}
    for path in paths:
        unit = str(path.relative_to(TOP / "src").with_suffix(""))
        quoted = (header for kind, header in INCLUDE.findall(path.read_text(encoding="utf-8")) if kind == '"')
        uses.setdefault(unit, set()).update(header.rsplit(".", 1)[0] for header in quoted)
    findings, state = [], {}

    def visit(unit, way):
        state[unit] = "open"
        for other in sorted(uses[unit] - {unit}):
            if state.get(other) == "open":
                findings.append("circular includes: " + " → ".join([*way[way.index(other) :], other]))
            elif other in uses and other not in state:
                visit(other, [*way, other])
        state[unit] = "done"

    for unit in sorted(uses):
        if unit not in state:
            visit(unit, [unit])
    return findings


if __name__ == "__main__":
    main()
