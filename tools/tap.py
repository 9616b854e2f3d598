# SPDX-License-Identifier: MIT
"""Report checks as TAP: each is a name and what was wrong, a list of lines; empty is good.

What was wrong may be found by a call: then an exception fails that check alone, and the others go on.
"""
import traceback


def found(problems):
    try:
        return list(problems() if callable(problems) else problems)
    except Exception:  # pylint: disable=broad-exception-caught
        return [traceback.format_exc()]


def report(checks):
    """Print the checks as they come. Answers the exit code."""
    count = failed = 0
    for name, what in checks:
        problems = found(what)
        count += 1
        failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {count} - {name}", flush=True)
        for problem in problems:
            for line in str(problem).splitlines():
                print(f"# {line}", flush=True)
    print(f"1..{count}", flush=True)
    return 1 if failed else 0
