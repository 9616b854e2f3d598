# SPDX-License-Identifier: MIT
"""Report checks as TAP: each is a name and what was wrong, a list of lines; empty is good."""


def report(checks):
    """Print the checks as they come. Answers the exit code."""
    count = failed = 0
    for name, problems in checks:
        problems = list(problems)
        count += 1
        failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {count} - {name}", flush=True)
        for problem in problems:
            for line in str(problem).splitlines():
                print(f"# {line}", flush=True)
    print(f"1..{count}", flush=True)
    return 1 if failed else 0
