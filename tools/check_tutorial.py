#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each tutorial page shows its programs as they are in examples/.

A page has, before a fenced block, a line `<!-- program: examples/x.c -->`. The block must be
that file without its licence line. `--fix` writes it so.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- program: (\S+) -->\n\n?```c\n)(.*?)(```\n)", re.S)


def program(path):
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(lines[1:] if "SPDX" in lines[0] else lines)


def main():
    fix = "--fix" in sys.argv[1:]
    shown, wrong = set(), []
    for page in sorted((ROOT / "docs/tutorial").glob("*.md")):
        text = page.read_text(encoding="utf-8")

        def replace(match):
            shown.add(match[2])
            if match[3] != program(match[2]):
                wrong.append(f"{page.relative_to(ROOT)}: the program is not {match[2]} as it is now")
            return match[1] + program(match[2]) + match[4]

        fixed = BLOCK.sub(replace, text)
        if fix and fixed != text:
            page.write_text(fixed, encoding="utf-8")
    for example in sorted((ROOT / "examples").glob("[0-9]*.c")):
        if str(example.relative_to(ROOT)) not in shown:
            wrong.append(f"{example.relative_to(ROOT)}: no page of the tutorial shows it")
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong and not fix:
        sys.exit("run tools/check_tutorial.py --fix")


main()
