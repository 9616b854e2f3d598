#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What is made from the options of the torc command has all of them, and is taken by what reads it. Prints TAP.

    check_manual.py TORC ROOT DOCS_BUILD_DIR

The pages of the manual are there unless scdoc is not; mandoc, man, zsh and fish are asked where they are installed.
"""
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

import option_table
from tap import report

PATIENCE_S = 20


def run(*command, text=None):
    return subprocess.run([str(part) for part in command], input=text, capture_output=True, text=True, timeout=PATIENCE_S)


def missing(words, text, what):
    return [f"{word} is not in {what}" for word in words if word not in text]


# ---- help ----


def help_problems(torc, command):
    """Each group is read on a screen of 24 lines of 80 columns, and the whole has all."""
    whole = run(torc, command.name, "--help").stdout
    yield from missing([f"--{option.name}" for option in command.options], whole, "--help")
    yield from (f"too wide: {line}" for line in whole.splitlines() if len(line) > 79)
    for _, topic, options in command.groups:
        text = run(torc, command.name, f"--help={topic}").stdout
        yield from missing([f"--{option.name}" for option in options], text, f"--help={topic}")
        if len(text.splitlines()) > 24:
            yield f"--help={topic} has {len(text.splitlines())} lines"
    for part in run(torc, command.name, "--help=limits" if command.limits else "--help").stdout.split("\n\n"):
        if len(part.splitlines()) > 22:
            yield f"{part.splitlines()[0]} has {len(part.splitlines())} lines"
        yield from (f"too wide: {line}" for line in part.splitlines() if len(line) > 79)


# ---- manual ----


def plain(page):
    return re.sub(r"\\f[BIR]|\\&", "", page.read_text()).replace(r"\-", "-")


def manual_problems(command, docs):
    page = docs / f"torc-{command.name}.1"
    if not page.exists():
        if shutil.which("scdoc"):
            yield f"there is no {page.name}"
        return
    text = plain(page)
    yield from missing([f"--{option.name}" for option in command.options], text, page.name)
    yield from missing([f"\n{limit['name']} ({limit['default']})" for limit in command.limits], text, page.name)


def page_problems(docs):
    for page in sorted(docs.glob("*.1")):
        for command in (["mandoc", "-Tlint", "-Wwarning", page], ["man", "--warnings", "-l", page]):
            if shutil.which(command[0]):
                done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True, timeout=PATIENCE_S, env=dict(os.environ, MANPAGER="cat", LC_ALL="C.UTF-8"))
                yield from done.stderr.splitlines()
                if command[0] == "mandoc":
                    yield from done.stdout.splitlines()


# ---- completions ----


def expectations(command):
    """Beginnings of a command line, and what must be among their completions."""
    yield "torc ", [command.name, "help"]
    yield f"torc help {command.name} ", command.topics
    for option in command.options:
        yield f"torc {command.name} --{option.name[:-1]}", [f"--{option.name}"]
        if option.kind == "limit":
            yield f"torc {command.name} --{option.name} head", ["header-ms="]
        elif option.words:
            yield f"torc {command.name} --{option.name} ", list(option.words)
        elif option.kind == "user":
            yield f"torc {command.name} --{option.name} roo", ["root"]
    if any(option.name == "path" for option in command.options):
        yield f"torc {command.name} --path {ROOT}/LICEN", [f"{ROOT}/LICENSE"]


BASH = r"""
. "$1"
COMP_WORDS=($2)
[[ $2 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_torc
printf '%s\n' "${COMPREPLY[@]}"
"""


def bash_problems(command, docs):
    for line, words in expectations(command):
        done = run("bash", "-c", BASH, "bash", docs / "torc", line)
        yield from missing(words, done.stdout.splitlines(), f"what bash makes of `{line}`")
        yield from done.stderr.splitlines()
    forms = (f"torc {command.name} --limit=head", f"torc {command.name} --limit = head") if command.limits else ()
    for line in forms:
        done = run("bash", "-c", BASH, "bash", docs / "torc", line.replace("=", " = "))
        yield from missing(["header-ms="], done.stdout.splitlines(), f"what bash makes of `{line}`")


def fish_problems(command, docs):
    with tempfile.TemporaryDirectory() as home:
        for line, words in expectations(command):
            if "/" in line:
                continue  # fish shortens paths
            done = subprocess.run(["fish", "--no-config", "-c", f"source {docs / 'torc.fish'}; complete -C '{line}'"], text=True,
                                  capture_output=True, timeout=PATIENCE_S, env=dict(os.environ, HOME=home))
            found = [text.split("\t")[0] for text in done.stdout.splitlines()]
            yield from missing(words, found, f"what fish makes of `{line}`")
            yield from done.stderr.splitlines()


class Terminal:
    """A zsh at a terminal, to which keys are sent: only there it completes."""

    def __init__(self, folder, docs):
        shutil.copy(docs / "_torc", folder)
        (pathlib.Path(folder) / ".zshrc").write_text(
            f"fpath=({folder} $fpath)\nautoload -U compinit; compinit -u -D\nPS1='> '\nunsetopt beep\nunset zle_bracketed_paste\n"
            "setopt list_packed\nLISTMAX=1000\nzstyle ':completion:*' verbose no\n")
        environment = dict(os.environ, ZDOTDIR=folder, HOME=folder, TERM="dumb", COLUMNS="200", LINES="200")
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe("zsh", ["zsh", "-i"], environment)
        self.read_until(r"> $")

    def read_until(self, pattern):
        text, until = "", time.monotonic() + PATIENCE_S
        while not re.search(pattern, text) and time.monotonic() < until:
            if select.select([self.fd], [], [], 0.1)[0]:
                text += os.read(self.fd, 65536).decode(errors="replace")
        return text

    def completed(self, line):
        """What the line is after a tab, and what was listed; `^U` clears it, and the mark shows that all has been done."""
        os.write(self.fd, line.encode() + b"\t\t")
        os.write(self.fd, b"\x15print -r MARK''S\n")
        return self.read_until(r"(?s)MARKS\r\n.*> $")

    def close(self):
        """It is hung up, and ends."""
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def zsh_problems(command, docs):
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(folder, docs)
        try:
            for line, words in expectations(command):
                shown = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]|\r|\x08", "", terminal.completed(line))
                yield from missing(words, shown, f"what zsh makes of `{line}`: {shown!r}"[:600])
        finally:
            terminal.close()


def checks(torc, docs):
    for command in option_table.read(torc):
        yield f"torc {command.name} --help", help_problems(torc, command)
        yield f"torc-{command.name}(1)", manual_problems(command, docs)
        yield f"torc {command.name} in bash", bash_problems(command, docs)
        for shell, problems in (("zsh", zsh_problems), ("fish", fish_problems)):
            if shutil.which(shell):
                yield f"torc {command.name} in {shell}", problems(command, docs)
    yield "the pages are clean", page_problems(docs)


ROOT = pathlib.Path(sys.argv[2])

if __name__ == "__main__":
    sys.exit(report(checks(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[3]))))
