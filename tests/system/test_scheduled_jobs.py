#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The program of the tutorial's page on scheduled jobs: its cron job runs at the next full minute.

    test_scheduled_jobs.py BUILD_DIR

Prints TAP.
"""
import json
import pathlib
import sys
import time

from serving import App, Peer, check, head, run, run_cases

PROGRAM = pathlib.Path(sys.argv[1]) / "examples/11_scheduled_jobs"


def ask(program):
    with Peer(program.port) as peer:
        return json.loads(peer.ask(head("GET", "/"), "GET").body)


def a_cron_job_runs_at_the_full_minute():
    with App(PROGRAM, "--zone", "UTC") as program:
        first = ask(program)
        check(first["next_report_at"] % 60, 0)
        check(0 < first["next_report_at"] - time.time() <= 60, True)
        deadline = time.monotonic() + 75
        while time.monotonic() < deadline and ask(program)["reports"] == 0:
            time.sleep(0.2)
        last = ask(program)
        check(last["reports"], 1)
        check(last["reported_at"], first["next_report_at"])
        check(last["samples"] > first["samples"], True)


def mistakes_are_told():
    for arguments, code, words in (
        (("--report-at", "0 0 30 feb *"), 2, b"never comes"),
        (("--report-at", "61 * * * *"), 2, b"minute at byte 0 is to be 0-59"),
        (("--listen", "tcp:0", "--zone", "Europe/Atlantis"), 1, b"Europe/Atlantis"),
    ):
        ended = run(PROGRAM, *arguments)
        check(ended.returncode, code, arguments)
        check(words in ended.stderr, True, ended.stderr)


sys.exit(run_cases([mistakes_are_told, a_cron_job_runs_at_the_full_minute]))
