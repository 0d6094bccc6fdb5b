#!/usr/bin/python3
"""Includes go only along the arrows of the tables in src/README.md.

A row of the first table is `| room | what it holds | what it may use |`. The third column names rooms (`all above` means every
room of the rows before) and libraries. What a used room may use in turn, may be used as well; libraries may not, except
those of the first room.

A row `| room/part | what it holds |` names a directory of a room, and `| room/ |` the files of the room itself. The rows
of a room are in order: a file may include what is in the rows before its own, and in its own."""

import re

from source_tree import TOP, files, finish

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)

# Compiled before any file of a room.
PRECOMPILED = "precompiled"

# How a library's headers begin → the words that allow it in the table, in lower case.
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
    """room → (rooms it may include, its own included, words of libraries), in the order of the table."""
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
    """`room/part`, or `room/` → its place in the order of the room."""
    places = {}
    for name, _ in rows(text):
        if re.fullmatch("[a-z]+/[a-z]*", name):
            places[name] = len(places)
    return places


def part_of(path):
    """`room/part` of a path below src, `room/` for a file of the room itself."""
    components = path.split("/")
    return components[0] + "/" + (components[1] if len(components) > 2 else "")


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
            yield f'{where}; write it as "room/file.hpp"'
        elif kind == '"' and other not in reached:
            yield f"{where}, but {room} may not use {other}"
        elif kind == '"' and other == room and places.get(part_of(header), -1) > places.get(part, -1):
            yield f"{where}, which the table has above {part}"
        elif kind == "<":
            library = library_of(header)
            if library and library not in allowed and library not in first:
                yield f"{where}, but {room} may not use {library}"


def main():
    readme = TOP / "src/README.md"
    if not readme.exists():
        finish(["src/README.md with the table of rooms is missing"])
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
    """Circles of units; a unit is a header and the source of its name."""
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
                findings.append("includes in a circle: " + " → ".join([*way[way.index(other) :], other]))
            elif other in uses and other not in state:
                visit(other, [*way, other])
        state[unit] = "done"

    for unit in sorted(uses):
        if unit not in state:
            visit(unit, [unit])
    return findings


if __name__ == "__main__":
    main()
