#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Write a page of the manual: its text is in docs/man, its options are in the command.

    write_manual.py TORC VERSION PAGE.scd OUTPUT

A line `@OPTIONS web@` of the page stands for the options of `torc web`, by groups, and `@LIMITS web@` for its limits.
scdoc makes the page of it.
"""
import os
import pathlib
import re
import subprocess
import sys

import option_table


def escape(text):
    """Text that scdoc takes as it is."""
    return re.sub(r"([\\_*<>#~\[\]])", r"\\\1", text)


def prose(text):
    """A help as a sentence; what stands between backquotes is bold."""
    text = text[:1].upper() + text[1:]
    text += "" if text.endswith((".", "!", "?")) else "."
    parts = text.split("`")
    return "".join(f"*{escape(part)}*" if place % 2 else escape(part) for place, part in enumerate(parts))


def argument(option):
    """The forms of a value: words are bold, names are underlined."""
    inside = option.shown.strip("[]")
    forms = [f"*{escape(form)}*" if re.match(r"[a-z0-9]", form) else f"_{escape(form)}_" for form in inside.split("|")]
    text = "|".join(forms)
    return rf"\[{text}\]" if option.may_lack_value else text


def written(option):
    names = ([f"*-{option.letter}*"] if option.letter else []) + [f"*--{option.name}*"]
    yield ", ".join(names) + (f" {argument(option)}" if option.argument else "")
    paragraphs = [option.help, *option.manual.splitlines()]
    if option.is_repeatable:
        paragraphs[-1] = paragraphs[-1].rstrip(".") + ". May be given several times."
    # scdoc takes an empty line with the indent for a new paragraph of the same item.
    for place, paragraph in enumerate(paragraphs):
        if place:
            yield "\t"
        yield "\t" + prose(paragraph)


def options(command):
    for title, _, group in command.groups:
        yield f"## {title}"
        yield ""
        for option in group:
            yield from written(option)
            yield ""


def limits(command):
    last = None
    for limit in command.limits:
        if limit["group"] != last:
            last = limit["group"]
            yield f"## {last}"
            yield ""
        yield f"*{escape(limit['name'])}* ({limit['default']})"
        yield "\t" + prose(limit["help"])
        yield ""


def fill(page, commands, version):
    writers = {"OPTIONS": options, "LIMITS": limits}
    for line in page.splitlines():
        found = re.fullmatch(r"@(OPTIONS|LIMITS) (\w+)@", line)
        if found:
            yield from writers[found[1]](commands[found[2]])
        else:
            yield line.replace("@VERSION@", version)


def tidied(text):
    """scdoc begins paragraphs where none can be, and writes hyphens where a minus is meant: mandoc remarks upon both."""
    text = text.replace(".P\n.RE\n", ".RE\n.P\n")
    text = re.sub(r"\\fB(.*?)\\fR", lambda bold: bold[0].replace("-", "\\-"), text)
    lines = text.splitlines() + [".SH"]
    kept = []
    for line, following in zip(lines, lines[1:]):
        before = kept[-1] if kept else ""
        if line != ".P" or not (re.match(r"\.(SH|SS|RS|RE|P)\b", following) or re.match(r"\.(SH|SS|P)\b", before)):
            kept.append(line)
    return "\n".join(kept) + "\n"


def main():
    torc, version, page, output = sys.argv[1:]
    commands = {command.name: command for command in option_table.read(torc)}
    text = "\n".join(fill(pathlib.Path(page).read_text(encoding="utf-8"), commands, version))
    # The date on the page is the one of the release, or of its source, never that of the build.
    environment = dict(os.environ)
    environment.setdefault("SOURCE_DATE_EPOCH", str(int(pathlib.Path(page).stat().st_mtime)))
    made = subprocess.run(["scdoc"], input=re.sub(r"\n{3,}", "\n\n", text) + "\n", capture_output=True, text=True,
                          env=environment, timeout=60)
    if made.returncode:
        sys.exit(f"write_manual.py: scdoc: {made.stderr}")
    pathlib.Path(output).write_text(tidied(made.stdout), encoding="utf-8")


if __name__ == "__main__":
    main()
