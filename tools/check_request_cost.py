#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a request costs on each hot path, in instructions: at most what stands in COSTS_MAX. Prints TAP.

    check_request_cost.py PROGRAM VALGRIND

The program (tests/support/request_cost.c) runs under callgrind with two numbers of requests; what the larger number
counts more, divided, is the cost of one. The bounds leave a tenth to compilers and their options: a change that goes
beyond one has to say what it is for (docs/design/performance.md has the table).
"""
import re
import subprocess
import sys

from tap import report

COSTS_MAX = {"plaintext": 5350, "json": 6500, "file": 7600, "pipelined": 4000, "connections": 7800, "logged": 8500, "logged_json": 9700, "routed": 7250,
             "filtered": 13000}
FEW, MANY = 160, 1760


def instructions(valgrind, program, path, count):
    command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", program, path, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def too_many(valgrind, program, path, cost_max):
    runs = [instructions(valgrind, program, path, count) for count in (FEW, MANY)]
    cost = (runs[1] - runs[0]) / (MANY - FEW)
    print(f"# {path}: {cost:.0f} instructions")
    if not 1000 < cost <= cost_max:
        yield f"{cost:.0f} is not from 1000 to {cost_max}"


if __name__ == "__main__":
    sys.exit(report([(f"{path}: a request costs at most {cost_max} instructions", too_many(sys.argv[2], sys.argv[1], path, cost_max))
                     for path, cost_max in COSTS_MAX.items()]))
