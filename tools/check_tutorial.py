#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The READMEs and each page of the tutorial show their programs as they are in examples/.

    check_tutorial.py ROOT            TAP: each page, and that each numbered example has one
    check_tutorial.py ROOT --fix      write the programs into the pages

A page has, before a fenced block, a line `<!-- program: examples/x.c -->`. The block must be that
file without its licence line.
"""
import pathlib
import re
import sys

from tap import report

BLOCK = re.compile(r"(<!-- program: (\S+) -->\n\n?```c\n)(.*?)(```\n)", re.S)


def program(root, path):
    """A program as a page shows it; None: there is no such file."""
    if not (root / path).is_file():
        return None
    lines = (root / path).read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(lines[1:] if "SPDX" in lines[0] else lines)


def pages(root):
    return [root / "README.md", root / "README.zh-CN.md", *sorted((root / "docs/tutorial").glob("*.md"))]


def wrong_on(root, page):
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    if not blocks:
        yield "shows no program"
    for _, path, shown, _ in blocks:
        if program(root, path) is None:
            yield f"there is no {path}"
        elif shown != program(root, path):
            yield f"the program is not {path} as it is now: run script/docs"


def unshown(root):
    shown = {match[1] for page in pages(root) for match in BLOCK.findall(page.read_text(encoding="utf-8"))}
    for example in sorted((root / "examples").glob("[0-9]*.c")):
        if str(example.relative_to(root)) not in shown:
            yield f"{example.relative_to(root)}: no page shows it"


def checks(root):
    for page in pages(root):
        yield str(page.relative_to(root)), wrong_on(root, page)
    yield "every example has its page", unshown(root)


def fix(root):
    for page in pages(root):
        text = page.read_text(encoding="utf-8")
        fixed = BLOCK.sub(lambda match: match[1] + (program(root, match[2]) or match[3]) + match[4], text)
        if fixed != text:
            page.write_text(fixed, encoding="utf-8")


def main():
    root = pathlib.Path(sys.argv[1])
    if "--fix" not in sys.argv[2:]:
        return report(checks(root))
    fix(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
