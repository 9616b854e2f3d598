#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each public header compiles alone, as C17 and as C++17, without a warning. Prints TAP.

    check_headers.py INCLUDE_DIR C_COMPILER [CXX_COMPILER]
"""
import concurrent.futures
import pathlib
import subprocess
import sys

from tap import report

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]


def compile_alone(compiler, language, standard, include, header):
    command = [compiler, "-x", language, f"-std={standard}", *WARNINGS, f"-I{include}", "-fsyntax-only", "-"]
    done = subprocess.run(command, input=f"#include <torc/{header}>\n#include <torc/{header}>\nint torc_check;\n",
                          capture_output=True, text=True, timeout=60)
    return done.stderr.splitlines() or (["the compiler failed"] if done.returncode else [])


def main():
    include = pathlib.Path(sys.argv[1])
    kinds = [(sys.argv[2], "c", "c17")] + [(cxx, "c++", "c++17") for cxx in sys.argv[3:4]]
    names = sorted(file.name for file in (include / "torc").glob("*.h"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [(f"{name} as {standard}", pool.submit(compile_alone, compiler, language, standard, include, name))
                for compiler, language, standard in kinds for name in names]
        return report((name, job.result()) for name, job in jobs)


if __name__ == "__main__":
    sys.exit(main())
