#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Count the tests of runs of `meson test`, each case of a TAP program for itself.

    count_tests.py BUILD_DIR...              "N passed, N failed"; exit code 1 if any failed
    count_tests.py --numbers BUILD_DIR...    the two numbers alone; exit code 0
    count_tests.py --failures BUILD_DIR...   each test that failed: its result, and the end of what it printed; exit code 0

A program that failed without saying which case did counts as one failure more, and so does a run that
left no log: nothing can pass by not having run.
"""
import json
import pathlib
import re
import sys

CASE = re.compile(r"^(not )?ok\b(?:.*?#\s*(skip|todo)\b)?", re.M | re.I)
GOOD = {"OK", "EXPECTEDFAIL"}
LINES_MAX = 40  # of what a test that failed printed


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


def read_run(build):
    """All tests of the last run in a build folder, None without one; runs under a --setup have a log of another name."""
    logs = sorted((build / "meson-logs").glob("testlog*.json"), key=lambda log: log.stat().st_mtime)
    if not logs:
        return None
    lines = logs[-1].read_text(encoding="utf-8", errors="replace").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def count_run(tests):
    """How many cases of a run passed and failed."""
    if tests is None:
        return 0, 1
    counts = [count_test(test) for test in tests]
    return sum(passed for passed, _ in counts), sum(failed for _, failed in counts)


def print_failures(build, tests):
    if tests is None:
        print(f"{build}: no test was run")
    for test in tests or []:
        if not count_test(test)[1]:
            continue
        print(f"{build}: {test['name']}: {test['result']}, exit code {test['returncode']}, {test['duration']:.1f} s")
        output = [line for name in ("stdout", "stderr") for line in (test.get(name) or "").splitlines()]
        bad = [line for line in output[:-LINES_MAX] if line.startswith("not ok")]
        print("\n".join(f"    {line}" for line in bad + output[-LINES_MAX:]))


def main():
    numbers, failures = ("--" + name in sys.argv[1:] for name in ("numbers", "failures"))
    builds = [pathlib.Path(name) for name in sys.argv[1:] if not name.startswith("--")]
    runs = [read_run(build) for build in builds]
    if failures:
        for build, tests in zip(builds, runs):
            print_failures(build, tests)
        return 0
    passed, failed = (sum(column) for column in zip(*map(count_run, runs)))
    print(f"{passed} {failed}" if numbers else f"{passed} passed, {failed} failed")
    return 1 if failed and not numbers else 0


if __name__ == "__main__":
    sys.exit(main())
