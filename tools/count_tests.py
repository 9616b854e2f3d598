#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Count the tests of runs of `meson test`, each case of a TAP program for itself.

    count_tests.py BUILD_DIR...              "N passed, N failed"; exit code 1 if any failed
    count_tests.py --numbers BUILD_DIR...    the two numbers alone; exit code 0

A program that failed without saying which case did counts as one failure more, and so does a run that
left no log: nothing can pass by not having run.
"""
import json
import pathlib
import re
import sys

CASE = re.compile(r"^(not )?ok\b(?:.*?#\s*(skip|todo)\b)?", re.M | re.I)
GOOD = {"OK", "EXPECTEDFAIL"}


def count_test(test):
    """How many cases of one test program passed and failed; what was skipped is neither."""
    passed = failed = 0
    cases = CASE.findall(test.get("stdout") or "")
    for bad, directive in cases:
        if not directive:
            failed += bool(bad)
            passed += not bad
    if test["result"] == "SKIP":
        return passed, failed
    if test["result"] in GOOD:
        return passed + (not cases), failed
    return passed, failed or 1


def count_run(build):
    """The same for all tests of the last run in a build folder; runs under a --setup have a log of another name."""
    logs = sorted((build / "meson-logs").glob("testlog*.json"), key=lambda log: log.stat().st_mtime)
    if not logs:
        return 0, 1
    lines = logs[-1].read_text(encoding="utf-8", errors="replace").splitlines()
    counts = [count_test(json.loads(line)) for line in lines if line.strip()]
    return sum(passed for passed, _ in counts), sum(failed for _, failed in counts)


def main():
    numbers = "--numbers" in sys.argv[1:]
    counts = [count_run(pathlib.Path(name)) for name in sys.argv[1:] if not name.startswith("--")]
    passed, failed = (sum(column) for column in zip(*counts))
    print(f"{passed} {failed}" if numbers else f"{passed} passed, {failed} failed")
    return 1 if failed and not numbers else 0


if __name__ == "__main__":
    sys.exit(main())
