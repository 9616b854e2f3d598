#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a program tells of itself: on SIGRTMIN, and when something holds it up.

    test_dump.py BUILD_DIR

Prints TAP.
"""
import pathlib
import signal
import sys

from serving import App, Peer, check, head, run, run_cases

BUILD = pathlib.Path(sys.argv[1])
REPLIES = BUILD / "examples/04_deferred_reply"


def dumps(*arguments):
    with App(REPLIES, *arguments, "--log-format", "text") as program:
        with Peer(program.port) as peer:
            check(peer.ask(head("GET", "/wait"), "GET").status, 200)
            program.signal(signal.SIGRTMIN)
            # Of several workers, one has the connection.
            for words in ("reactor: turn ", "connection: fd .*peer 127.0.0.1:", "listener: fd ", "timer: in "):
                check(program.wait_for(words) is not None, True, words)


def a_program_tells_what_it_waits_for():
    dumps("--workers", "0")


def so_do_its_workers():
    dumps("--workers", "2")


def the_limit_of_stalls_is_a_number():
    for value in ("x", "-1", "3600001", ""):
        ended = run(REPLIES, "--stall-ms", value)
        check(ended.returncode, 2, value)
        check(b"--stall-ms" in ended.stderr, True, ended.stderr)


def what_is_quick_is_no_stall():
    with App(REPLIES, "--workers", "0", "--stall-ms", "3000", "--log-format", "text") as program:
        with Peer(program.port) as peer:
            check(peer.ask(head("GET", "/wait"), "GET").status, 200)
        check("[stall]" in program.said(), False)


sys.exit(
    run_cases(
        [
            a_program_tells_what_it_waits_for,
            so_do_its_workers,
            the_limit_of_stalls_is_a_number,
            what_is_quick_is_no_stall,
        ]
    )
)
