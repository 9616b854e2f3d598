#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the libraries export is what the public headers declare with TORC_API: no more, no less. Prints TAP.

    check_symbols.py INCLUDE_DIR libtorc.so libtorc.a libtorc-testing.a

The declarations of <torc/testing….h> are of libtorc-testing, which carries the library as well.
"""
import pathlib
import re
import subprocess
import sys

from tap import report

# What the linker and the sanitizers put into every library.
NOT_OURS = re.compile(r"_init|_fini|_edata|_end|__bss_start|__(?:odr_)?[atu]san.*|__sanitizer.*|__start_.*|__stop_.*")


def declared(header):
    """The names that a header declares with TORC_API."""
    text = re.sub(r"/\*.*?\*/", " ", header.read_text(), flags=re.S)
    text = re.sub(r"^[ \t]*#.*?(?<!\\)$", " ", text, flags=re.M | re.S)
    text = re.sub(r"TORC_PRINTF\([^)]*\)", " ", text)
    for declaration in re.findall(r"\bTORC_API\b([^;]*);", text):
        match = re.search(r"\b(\w+)\s*\(", declaration) or re.search(r"\b(\w+)\s*(?:\[|=|$)", declaration.strip())
        yield match[1]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def exported(library):
    """The names that a shared library exports."""
    for line in run("nm", "-D", "--defined-only", library).splitlines():
        name = line.split()[-1].split("@")[0]
        if not NOT_OURS.fullmatch(name):
            yield name


def visible(library):
    """The names in a static library that are neither hidden nor local."""
    for line in run("readelf", "-sW", library).splitlines():
        columns = line.split()
        if len(columns) < 8 or columns[4] not in ("GLOBAL", "WEAK") or columns[5] != "DEFAULT":
            continue
        if columns[6] != "UND" and not NOT_OURS.fullmatch(columns[7]):
            yield columns[7]


def differences(there, promised):
    there, promised = set(there), set(promised)
    yield from (f"declared, not there: {name}" for name in sorted(promised - there))
    yield from (f"there, not declared: {name}" for name in sorted(there - promised))


def checks(include, shared, static, testing):
    library, doubles = [], []
    for header in sorted((include / "torc").glob("*.h")):
        (doubles if header.name.startswith("testing") else library).extend(declared(header))
    yield "libtorc.so", differences(exported(shared), library)
    yield "libtorc.a", differences(visible(static), library)
    yield "libtorc-testing.a", differences(visible(testing), library + doubles)
    strange = [name for name in library + doubles if not name.startswith("torc_")]
    yield "every name begins with torc_", strange


if __name__ == "__main__":
    sys.exit(report(checks(pathlib.Path(sys.argv[1]), *sys.argv[2:5])))
