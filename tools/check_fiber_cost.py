#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a fiber costs a request, in instructions: at most 150. Prints TAP.

    check_fiber_cost.py PROGRAM VALGRIND

The program (tests/support/fiber_cost.c) runs under callgrind with two numbers of fibers; what the larger number
counts more, divided, is the cost of one.
"""
import re
import subprocess
import sys

from tap import report

INSTRUCTIONS_MAX = 150
FEW, MANY = 1000, 11000


def instructions(valgrind, program, count):
    command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", program, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def too_many(valgrind, program):
    cost = (instructions(valgrind, program, MANY) - instructions(valgrind, program, FEW)) / (MANY - FEW)
    print(f"# a fiber costs {cost:.1f} instructions")
    if not 0 < cost <= INSTRUCTIONS_MAX:
        yield f"{cost:.1f} is not from 1 to {INSTRUCTIONS_MAX}"


if __name__ == "__main__":
    sys.exit(report([(f"a fiber costs at most {INSTRUCTIONS_MAX} instructions", too_many(sys.argv[2], sys.argv[1]))]))
