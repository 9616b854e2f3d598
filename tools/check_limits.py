#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""docs/design/limits.md names every limit, its option and its default as they are in the sources. Prints TAP."""
import math
import pathlib
import re
import sys

from tap import report


def defaults(root):
    """Each limit's default, from the table in src/protocol/limits.c; None: there is no limit."""
    text = (root / "src/protocol/limits.c").read_text()
    for member, value in re.findall(r"X\((\w+), (.+?)\)\s*(?:\\|\n)", text):
        if value == "default":
            continue
        factors = re.findall(r"\b\d+\b", value)
        yield member, None if value.startswith("TORC_UNLIMITED") else math.prod(map(int, factors))


def check(root):
    page = (root / "docs/design/limits.md").read_text()
    rows = {row[0]: row[1:] for row in re.findall(r"^\| `(\w+)` \| `([a-z-]+)` \| (\w+)", page, re.M)}
    known = dict(defaults(root))
    options = dict(re.findall(r'LIMIT\((\w+), "([a-z-]+)"', (root / "src/app/limit_options.c").read_text()))
    header = (root / "include/torc/limits.h").read_text()
    members = set(re.findall(r"^\s+uint(?:32|64)_t (\w+);", header, re.M))
    yield "every limit is in limits.c", sorted(members ^ set(known))
    yield "every limit is in limits.md", sorted(members ^ set(rows))
    yield "every limit has an option", sorted(members ^ set(options))
    shared = sorted(members & set(rows) & set(known) & set(options))
    yield "the options are as in limits.md", [name for name in shared if rows[name][0] != options[name]]
    yield "the defaults are as in limits.md", [
        f"{name}: {known[name]}" for name in shared if rows[name][1] != str(known[name] or "none")]


if __name__ == "__main__":
    sys.exit(report(check(pathlib.Path(sys.argv[1]))))
