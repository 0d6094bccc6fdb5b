#!/usr/bin/python3
"""Includes go only along the arrows of the table in src/README.md.

A row of the table is `| room | what it holds | what it may use |`. The third column names rooms (`all above` means every
room of the rows before) and libraries. What a used room may use in turn, may be used as well; libraries may not, except
those of the first room."""

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


def read_table(text):
    """room → (rooms it may include, its own included, words of libraries), in the order of the table."""
    rooms = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        name = cells[0].strip("`")
        if not line.startswith("|") or len(cells) < 3 or not re.fullmatch("[a-z]+", name) or not (TOP / "src" / name).is_dir():
            continue
        allowed = cells[-1].lower()
        words = set(re.findall(r"[a-z0-9+-]+", allowed))
        direct = set(rooms) if "all above" in allowed else words & set(rooms)
        reached = {name}.union(*(rooms[room][0] for room in direct)) if direct else {name}
        rooms[name] = (reached, allowed)
    return rooms


def library_of(header):
    return next((word for prefix, word in LIBRARIES.items() if header.startswith(prefix)), None)


def check_file(path, room, rooms):
    reached, allowed = rooms[room]
    first = next(iter(rooms.values()))[1]
    for kind, header in INCLUDE.findall(path.read_text(encoding="utf-8")):
        where = f"{path.relative_to(TOP)}: includes {header}"
        if kind == '"':
            other = header.split("/")[0]
            if "/" not in header:
                yield f'{where}; write it as "room/file.hpp"'
            elif other not in reached:
                yield f"{where}, but {room} may not use {other}"
        else:
            library = library_of(header)
            if library and library not in allowed and library not in first:
                yield f"{where}, but {room} may not use {library}"


def main():
    readme = TOP / "src/README.md"
    if not readme.exists():
        finish(["src/README.md with the table of rooms is missing"])
    rooms = read_table(readme.read_text(encoding="utf-8"))
    findings = [f"src/{path.name}: no row of the table in src/README.md" for path in (TOP / "src").iterdir()
                if path.is_dir() and path.name not in (PRECOMPILED, *rooms)]  # fmt: skip
    for path in files("src/*.cpp", "src/*.hpp"):
        room = path.relative_to(TOP / "src").parts[0]
        if room in rooms:
            findings += check_file(path, room, rooms)
    finish(findings)


if __name__ == "__main__":
    main()
