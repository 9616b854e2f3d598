#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The READMEs in all languages say the same: the same commands and programs, links, tables and parts. Prints TAP.

    check_readmes.py ROOT

What is text, comments of commands too, is each language's own.
"""
import pathlib
import re
import sys

from tap import report

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def blocks(text):
    """What can be run or compiled, without comments and the blanks before them."""
    for language, block in FENCE.findall(text):
        yield language, re.sub(r"[ \t]+#(?!include).*$", "", block, flags=re.M) if language == "sh" else block


def links(text):
    return [link for link in re.findall(r"\]\(([^)]+)\)", FENCE.sub("", text)) if not link.startswith("README")]


def names(text):
    """What is written as code within the text."""
    return sorted(set(re.findall(r"`([^`\n]+)`", FENCE.sub("", text))))


def shape(text):
    """The level of each heading, and the number of columns of each row of a table."""
    for line in FENCE.sub("", text).splitlines():
        if line.startswith("#"):
            yield len(line.split(" ", 1)[0]) * "#"
        elif line.startswith("|"):
            yield f"{line.count('|')} columns"


def differences(part, one, other):
    ours, theirs = list(part(one)), list(part(other))
    for place in range(max(len(ours), len(theirs))):
        pair = [items[place] if place < len(items) else "nothing" for items in (ours, theirs)]
        if pair[0] != pair[1]:
            yield f"README.md has {pair[0]!r}, the other {pair[1]!r}"
            return


def dead(root, text):
    return [f"{link} is not there" for link in links(text) if ":" not in link and not (root / link.split("#")[0]).exists()]


def checks(root):
    english = (root / "README.md").read_text(encoding="utf-8")
    for page in sorted(root.glob("README.*.md")):
        text = page.read_text(encoding="utf-8")
        for part in (blocks, links, names, shape):
            yield f"{page.name}: {part.__name__}", differences(part, english, text)
        yield f"{page.name}: both know the other", [] if f"]({page.name})" in english and "](README.md)" in text else ["a link is missing"]
    yield "links lead somewhere", dead(root, english)


if __name__ == "__main__":
    sys.exit(report(checks(pathlib.Path(sys.argv[1]))))
