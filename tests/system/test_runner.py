#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The runner of tests (torc/testing_run.h), by a program with cases that pass and others that fail.

    test_runner.py BUILD_DIR ROOT

Prints TAP.
"""
import pathlib
import re
import subprocess
import sys

from serving import SECONDS, check, run_cases

PROGRAM = pathlib.Path(sys.argv[1]) / "tests/system/runner_cases"
PASSING = ["passes", "passes_with_a_client", "passes_in_moved_time", "passes_with_a_folder", "passes_where_it_can"]


def run(*arguments, code=0):
    answer = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)
    check(answer.returncode, code, f"{arguments}: {answer.stdout}{answer.stderr}")
    return answer


def results(text):
    """The cases in their order: what came of each."""
    return {name: word for word, name in re.findall(r"^(ok|not ok) \d+ - (\w+)", text, re.MULTILINE)}


def cases_pass():
    text = run("passes*").stdout
    check(text.splitlines()[0], "1..5")
    check(results(text), {name: "ok" for name in PASSING})
    assert "# this is printed\n" in text, text
    assert "ok 5 - passes_where_it_can # SKIP not on a Sunday\n" in text, text
    folder = re.search(r"folder=(\S+)", text).group(1)
    assert not pathlib.Path(folder).exists(), f"{folder} is left"


def a_case_that_is_known_to_fail_passes():
    text = run("known_to_fail").stdout
    assert "not ok 1 - known_to_fail # TODO the moon is not made yet\n" in text, text
    assert "this is not so: 1 == 2" in text, text


FAILING = {
    "fails_twice": ["it is 1, and should be 2", "it is 3, and should be 4", "runner_cases.c:"],
    "fails_by_a_signal": ["killed by signal 11", "runner_cases.c:"],
    "fails_by_exit": ["it called exit(0)"],
    "fails_by_a_timer": ["timer: in 1000 ms, never"],
    "fails_by_a_deferred": ["deferred: made at", "runner_cases.c:"],
    "fails_by_an_error_in_the_log": ["out of tea"],
    "fails_by_a_descriptor": ["not closed, /dev/null"],
    "fails_by_a_client": ["1 test clients were not freed"],
    "fails_by_a_child": ["a child process was not waited for"],
}


def sanitized():
    """Then a signal is told by the sanitizer, and what a case leaks is, too."""
    return b"__asan_init" in PROGRAM.read_bytes()


def cases_fail():
    for name, parts in FAILING.items():
        text = run(name, code=1).stdout
        check(results(text), {name: "not ok"})
        for part in parts:
            if name == "fails_by_a_signal" and sanitized():
                continue
            assert part in text, f"{name}: {part} is not in {text}"


def a_failure_harms_no_other():
    text = run("fails_by_a_signal", "passes*", "-j4", code=1).stdout
    check({name for name, word in results(text).items() if word == "ok"}, set(PASSING))


def a_case_may_not_take_too_long():
    text = run("fails_by_hanging", "passes", "--time-limit", "1", "-j", "2", code=1).stdout
    check(results(text), {"passes": "ok", "fails_by_hanging": "not ok"})
    assert "it took longer than 1 s" in text and "before it hangs" in text, text


def all_may_run_in_one_process():
    check(results(run("--no-fork", "passes*").stdout), {name: "ok" for name in PASSING})
    text = run("--no-fork", "fails_twice", "fails_by_a_timer", "passes", code=1)
    check(results(text.stdout), {"passes": "ok", "fails_twice": "not ok", "fails_by_a_timer": "not ok"})
    assert "it is 1, and should be 2" in text.stderr, text.stderr


def the_order_is_that_of_a_seed():
    orders = {seed: list(results(run(f"--random={seed}", "passes*").stdout)) for seed in range(8)}
    assert len({tuple(order) for order in orders.values()}) > 1, orders
    check(list(results(run("--random=3", "passes*").stdout)), orders[3])
    text = run("--random", "passes*").stdout
    assert re.search(r"^# in the order of --random=\d+$", text, re.MULTILINE), text


def rounds_are_repeated():
    text = run("--repeat", "3", "passes", "passes_with_a_client").stdout
    check(re.findall(r"^ok (\d+) - ", text, re.MULTILINE), [str(number) for number in range(1, 7)])
    check(text.splitlines()[-1], "1..6")
    text = run("--until-failure", "passes", "fails_twice", code=1).stdout
    check(text.count("not ok"), 1)


def cases_are_listed():
    check(run("--list", "*client").stdout.split(), ["passes_with_a_client", "fails_by_a_client"])


def mistakes_are_told():
    for arguments, part in ((["--jops", "2"], "there is no such option"), (["-j", "0"], "-j: it takes N, a number"),
                            (["--time-limit"], "--time-limit: it takes S, a number"), (["--repeat=x"], "a number")):
        answer = run(*arguments, code=2)
        assert part in answer.stderr and len(answer.stderr.splitlines()) == 1, answer.stderr
    assert "there is no such case" in run("nobody", code=1).stdout
    text = run("--help").stdout
    for option in ("--jobs N", "--random[=SEED]", "--until-failure", "--time-limit S", "--no-fork"):
        assert option in text, text


if __name__ == "__main__":
    sys.exit(run_cases([cases_pass, a_case_that_is_known_to_fail_passes, cases_fail, a_failure_harms_no_other,
                        a_case_may_not_take_too_long, all_may_run_in_one_process, the_order_is_that_of_a_seed,
                        rounds_are_repeated, cases_are_listed, mistakes_are_told]))
