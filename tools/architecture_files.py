#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The list of source files in ARCHITECTURE.md: a line per file, the beginning of its overview.

    architecture_files.py ROOT            write the list anew, between the marks in ARCHITECTURE.md
    architecture_files.py ROOT --check    TAP: that every file has its line, and every line its file
"""
import pathlib
import re
import sys
import textwrap

from tap import report

BEGIN = "<!-- files: written by script/docs from the overviews of the sources -->"
END = "<!-- end of files -->"
LAYERS = ["base", "reactor", "message", "transport", "protocol", "http", "web", "app", "cli", "testing"]
LINE = re.compile(r"^- `([^`]+)`", re.M)
WIDTH = 130
ENOUGH = 28  # characters of a sentence that says something


def paragraphs(comment):
    """The paragraphs of a comment, up to its first list, each as one line."""
    lines = [re.sub(r"^\s*\*?\s?", "", line).rstrip() for line in comment.strip("* \n").splitlines()]
    for paragraph in re.split(r"\n\s*\n", "\n".join(lines)):
        if re.match(r"\s*-\s", paragraph):
            return
        yield " ".join(paragraph.split("\n - ")[0].split())


def overview(file):
    """What a file says of itself, in a sentence; in more while they are but a few words. Empty: nothing."""
    for comment in re.findall(r"/\*(.*?)\*/", file.read_text(), flags=re.S):
        if "SPDX-License-Identifier" in comment:
            continue
        said = ""
        for paragraph in paragraphs(comment):
            for sentence in re.split(r"(?<=[.:])\s+(?=[A-Z`])", paragraph):
                if len(said) >= ENOUGH:
                    break
                said = f"{said} {sentence}".strip()
        return said.rstrip(".:;") + "."
    return ""


def sources(root):
    """All source files of src/, in the order of the layers."""
    for layer in LAYERS:
        files = (root / "src" / layer).rglob("*.[ch]")
        yield layer, sorted(files, key=lambda file: (len(file.relative_to(root).parts), str(file)))


def listing(root):
    for layer, files in sources(root):
        yield f"### `src/{layer}/`\n"
        for file in files:
            line = f"- `{file.relative_to(root / 'src')}`: {overview(file)}"
            yield textwrap.fill(line, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        yield ""


def rewrite(root):
    page = root / "ARCHITECTURE.md"
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text("\n".join([before + BEGIN, "", *listing(root), END + after]))


def checks(root):
    page = (root / "ARCHITECTURE.md").read_text()
    listed = LINE.findall(page.partition(BEGIN)[2].partition(END)[0])
    there = [str(file.relative_to(root / "src")) for _, files in sources(root) for file in files]
    everything = {str(file.relative_to(root / "src")) for file in (root / "src").rglob("*.[ch]")}
    silent = [name for name in there if len(overview(root / "src" / name)) < 12]
    yield "every source says what it is", silent
    yield "every source is in ARCHITECTURE.md (else run script/docs)", sorted(everything - set(listed))
    yield "every file of ARCHITECTURE.md is there (else run script/docs)", sorted(set(listed) - everything)
    yield "none is listed twice", sorted({name for name in listed if listed.count(name) > 1})


def main():
    root = pathlib.Path(sys.argv[1])
    if "--check" in sys.argv[2:]:
        return report(checks(root))
    rewrite(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
