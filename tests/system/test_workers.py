#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A program and its workers: who serves, who replaces whom, and what is lost when one dies: nothing but what it held.

    test_workers.py BUILD_DIR ROOT

`worker_site` tells who answers, and does on demand what no worker should. Prints TAP.
"""
import contextlib
import json
import os
import pathlib
import re
import resource
import signal
import socket
import sys
import tempfile
import threading
import time

from serving import SECONDS, App, Peer, check, get, head, run, run_cases, wait_until

BUILD = pathlib.Path(sys.argv[1])
SITE = BUILD / "tests/system/worker_site"


class Workers(App):
    """worker_site with some workers, and a folder whose files it reads when a worker starts."""

    def __init__(self, count, *arguments, **options):
        self.folder = tempfile.TemporaryDirectory()
        self.count = count
        self.write("version", "1")
        super().__init__(SITE, "--folder", self.folder.name, "--workers", count, *arguments, **options)

    def __exit__(self, *failure):
        super().__exit__(*failure)
        self.folder.cleanup()

    def write(self, name, text):
        path = pathlib.Path(self.folder.name) / name
        path.with_suffix(".new").write_text(text)
        path.with_suffix(".new").rename(path)

    def remove(self, name):
        (pathlib.Path(self.folder.name) / name).unlink()

    def events(self, text=None):
        """What it logged, in order; those of one kind."""
        lines = [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]
        return [line for line in lines if text is None or line["text"] == text]

    def wait_for_events(self, text, count=1):
        return wait_until(lambda: len(self.events(text)) >= count and self.events(text), f"{count} times: {text}")

    def pids(self):
        """The processes that are there, but for those that have ended and were not waited for yet."""
        return sorted(child for child in children(self.process.pid) if is_alive(child))

    def wait_for_pids(self, is_so, what):
        return wait_until(lambda: is_so(self.pids()) and self.pids(), what)

    def ask(self, path="/pid"):
        answer = get(self.port, path)
        check(answer.status, 200, path)
        return answer.body.decode().strip()

    def answering(self, count=None):
        """Ask until so many processes have answered; who they are."""
        seen = set()
        wait_until(lambda: seen.add(int(self.ask())) or len(seen) >= (count or self.count), "all workers to answer")
        return seen


def children(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def file_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def one_of_each(site, stack):
    """A connection to each worker, by its process id."""
    peers = {}

    def connect():
        peer = stack.enter_context(Peer(site.port))
        peers.setdefault(int(peer.get("/pid").body), peer)
        return len(peers) == site.count

    wait_until(connect, "a connection to each worker")
    return peers


@contextlib.contextmanager
def set_in_environment(variables):
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


def begin(peer):
    """A request that is in progress until a byte of its body comes."""
    peer.send(head("PUT", "/slow", "Content-Length: 1", "Expect: 100-continue"))
    check(peer.response().status, 100)


class Load:
    """Threads that ask again and again; what went wrong, and how often it went well."""

    def __init__(self, port, threads=4, keep=True, path="/pid"):
        self.port, self.keep, self.path = port, keep, path
        self.is_over = threading.Event()
        self.answers, self.failures = [], []
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def run(self):
        while not self.is_over.is_set():
            try:
                with Peer(self.port) as peer:
                    self.ask_on(peer)
            except (OSError, AssertionError) as failure:
                self.failures.append(repr(failure))

    def ask_on(self, peer):
        while not self.is_over.is_set():
            answer = peer.get(self.path)
            assert answer.status == 200, answer.status
            self.answers.append(answer.body)
            if not self.keep or answer.first("Connection") == "close":
                return

    def wait_for_answers(self, count):
        goal = len(self.answers) + count
        wait_until(lambda: len(self.answers) >= goal, f"{count} more answers, of {len(self.answers)}")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join(SECONDS)


# ---- serving ----


def every_worker_answers():
    with Workers(3) as site:
        check(site.answering(), set(site.pids()))
        check(len(site.pids()), 3)


def the_number_is_that_of_the_processors():
    with Workers("auto") as site:
        count = site.events("listening")[0]["workers"]
        assert 1 <= count <= len(os.sched_getaffinity(0)), count
        check(len(site.pids()), count)
    one = {min(os.sched_getaffinity(0))}
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, one)
    try:
        with Workers("auto") as site:
            check(len(site.pids()), 1)
    finally:
        os.sched_setaffinity(0, before)


def none_serve_in_the_process_itself():
    with Workers(0) as site:
        check(site.pids(), [])
        check(int(site.ask()), site.process.pid)


def a_unix_socket_has_several():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/socket"
        with Workers(3, listen="unix:" + path) as site:
            seen = set()

            def all_have_answered():
                peers = [Peer(path=path) for _ in range(20)]  # at once: one worker alone would take them in turn
                for peer in peers:
                    peer.send(head("GET", "/pid"))
                for peer in peers:
                    seen.add(int(peer.response().body))
                    peer.socket.close()
                return len(seen) == 3

            wait_until(all_have_answered, "all workers to answer")
            check(seen, set(site.pids()))
        assert not os.path.exists(path), "the socket's file is left"


def several_endpoints_have_their_ports():
    with Workers(2, "--listen", "127.0.0.1:0") as site:
        events = site.wait_for_events("listening", 2)
        ports = [int(re.search(r":(\d+)/", event["url"])[1]) for event in events]
        assert ports[0] != ports[1], ports
        for port in ports:
            seen = set()
            wait_until(lambda: seen.add(get(port, "/pid").body) or len(seen) == 2, "both workers to answer")


def a_port_in_use_is_told_before_anything_is_started():
    with Workers(2) as site:
        for count in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                ended = run(SITE, "--folder", folder, "--workers", count, "--listen", f"127.0.0.1:{site.port}")
            check((ended.returncode, ended.stderr.count(b"\n")), (1, 1), ended.stderr)
            assert b"in use" in ended.stderr and b"--listen" in ended.stderr, ended.stderr
        check(len(site.answering()), 2)


def ten_thousand_idle_connections():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(10000, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    idle = []
    try:
        with Workers(2, files_max=hard) as site:
            for _ in range(count):
                idle.append(socket.create_connection(("127.0.0.1", site.port), SECONDS))
            wait_until(lambda: sum(map(file_count, site.pids())) >= count, "all to be accepted")
            check(len(site.answering()), 2)
            last = idle[-1]
            last.sendall(head("GET", "/pid"))
            assert last.recv(100).startswith(b"HTTP/1.1 200 "), "an idle one is not answered"
            site.signal()
            check(site.exit_code(), 0)
    finally:
        for peer in idle:
            peer.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---- dying ----


def one_that_is_killed_is_replaced():
    with Workers(3) as site:
        before = site.answering()
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        died = site.wait_for_events("a worker died")[0]
        check((died["pid"], died["why"]), (victim, "signal 9: Killed"))
        site.wait_for_pids(lambda pids: len(pids) == 3, "a replacement")
        after = site.answering()
        check((len(after), before - after), (3, {victim}))


def only_what_the_dead_held_is_lost():
    """Whoever asked another worker, or waited to be accepted, is answered."""
    with Workers(3) as site, contextlib.ExitStack() as stack:
        slow = one_of_each(site, stack)
        for peer in slow.values():
            peer.send(head("GET", "/slow?ms=500"))
        victim = min(slow)
        load = Load(site.port, keep=False)
        with load:
            load.wait_for_answers(50)
            os.kill(victim, signal.SIGKILL)
            load.wait_for_answers(500)
            site.wait_for_pids(lambda pids: len(pids) == 3 and victim not in pids, "a replacement")
            load.wait_for_answers(500)
        for pid, peer in slow.items():
            if pid == victim:
                with contextlib.suppress(ConnectionResetError):
                    check(peer.rest(), b"")
            else:
                check(peer.response().status, 200)
        # Each of the four has one connection at a time, which the dead one may have held.
        assert len(load.failures) <= len(load.threads), load.failures


def a_sibling_takes_the_queue():
    """While there is no replacement, because none comes up, whoever connects is answered by the others."""
    with Workers(2) as site:
        victim = min(site.answering())
        site.write("crash", "at the start")
        os.kill(victim, signal.SIGKILL)
        site.wait_for_events("a worker will be started", 3)  # at once, in 100 ms, in 200 ms
        with Load(site.port, keep=False) as load:
            load.wait_for_answers(500)
        check(load.failures, [])
        check(len(set(load.answers)), 1, "who answered")
        site.remove("crash")
        site.wait_for_pids(lambda pids: len(pids) == 2, "a replacement")
        check(len(site.answering()), 2)
        waits = [event["in_ms"] for event in site.events("a worker will be started")]
        check(waits[:3], [0, 100, 200])


def who_took_a_queue_may_die_too():
    with Workers(3) as site:
        pids = sorted(site.answering())
        site.write("crash", "at the start")
        for pid in pids[:2]:
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: pid in [event["pid"] for event in site.events("a worker died")], "its death to be seen")
        site.wait_for_events("a worker will be started", 6)
        with Load(site.port, keep=False) as load:
            load.wait_for_answers(500)
        check((load.failures, set(load.answers)), ([], {str(pids[2]).encode()}))
        site.remove("crash")
        site.answering()


def one_that_crashes_by_itself_is_replaced():
    with Workers(2) as site:
        with Peer(site.port) as peer:
            peer.send(head("GET", "/crash"))
            with contextlib.suppress(ConnectionResetError):
                check(peer.rest(), b"")
        died = site.wait_for_events("a worker died")[0]
        assert died["why"].startswith("signal 6: Aborted"), died
        check(len(site.answering()), 2)


def all_may_die_and_nothing_spins():
    with Workers(2) as site:
        site.write("crash", "at the start")
        for pid in site.pids():
            os.kill(pid, signal.SIGKILL)
        site.wait_for_events("a worker will be started", 8)
        before, began = site.cpu_seconds(), time.monotonic()
        site.wait_for_events("a worker will be started", 10)
        used, passed = site.cpu_seconds() - before, time.monotonic() - began
        assert used <= 0.1 + passed / 4, f"{used} s of {passed} s"
        with Peer(site.port) as waiting:  # in the queue until somebody serves again
            waiting.send(head("GET", "/pid"))
            site.remove("crash")
            check(waiting.response().status, 200)


def one_told_to_end_by_hand_is_replaced():
    with Workers(2) as site:
        before = site.answering()
        leaving = min(before)
        with contextlib.ExitStack() as stack:
            busy = one_of_each(site, stack)[leaving]
            busy.send(head("GET", "/slow?ms=500"))
            with Load(site.port) as load:
                load.wait_for_answers(50)
                os.kill(leaving, signal.SIGTERM)
                os.kill(leaving, signal.SIGTERM)
                site.wait_for_pids(lambda pids: len(set(pids) - {leaving}) == 2, "a replacement")
                load.wait_for_answers(200)
            check(load.failures, [])
            answer = busy.response()
            check((answer.status, answer.first("Connection")), (200, "close"))
        wait_until(lambda: not is_alive(leaving), "it to end")
        check(site.events("a worker died"), [])
        check(len(site.answering()), 2)


def a_terminal_does_not_end_workers():
    with Workers(2) as site:
        before = site.answering()
        for pid in before:
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
                os.kill(pid, number)
        check(site.answering(), before)


def workers_that_cannot_be_forked_come_later():
    """Without descriptors for their links, for example."""
    with Workers(2) as site:
        before = site.answering()
        soft, hard = resource.prlimit(site.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(site.process.pid, resource.RLIMIT_NOFILE, (1, hard))  # which poll() does not like, either
        site.signal(signal.SIGHUP)
        failed = site.wait_for_events("the reload failed; the former workers go on")[0]
        check(failed["why"], "too many open files")
        check(site.answering(), before)
        os.kill(min(before), signal.SIGKILL)
        site.wait_for_events("a worker cannot be started", 2)
        with Load(site.port, keep=False) as load:
            load.wait_for_answers(100)
        check(load.failures, [])
        resource.prlimit(site.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        check(len(site.answering()), 2)
        site.signal(signal.SIGHUP)
        site.wait_for_events("reloaded")


# A program begins with a child that has ended and was not waited for, and one that will end.
BEFORE = """
import os, sys
child = os.fork() or os._exit(0)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "1")
os.execv(sys.argv[1], sys.argv[1:])
"""


def orphans_of_a_container_are_waited_for():
    """As process 1 of a namespace, where it may be made; the orphan is there before."""
    inside = ["unshare", "--map-root-user", "--pid", "--fork", "--kill-child"]
    if run(*inside, "true").returncode:
        print("# no namespace of processes can be made here")
        return
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "version").write_text("1")
        site = App(*inside, sys.executable, "-c", BEFORE, SITE, "--folder", folder, "--workers", 2)
        with site:
            first = children(site.process.pid)[0]
            check(len([child for child in children(first) if is_alive(child)]), 3, "two workers and an orphan")
            check(len(children(first)), 3, "what had ended before was waited for")
            wait_until(lambda: len(children(first)) == 2, "the orphan to be waited for")
            check(get(site.port, "/pid").status, 200)
            os.kill(first, signal.SIGTERM)
            check(site.exit_code(), 0)


# ---- starting ----


def a_refused_start_is_one_line():
    with tempfile.TemporaryDirectory() as folder:
        for count in (0, 1, 3):
            ended = run(SITE, "--folder", folder + "/nowhere", "--workers", count, "--listen", "127.0.0.1:0")
            check((ended.returncode, ended.stdout), (1, b""), ended.stderr)
            check(ended.stderr.decode(), f"worker_site: --folder {folder}/nowhere: there is no file `version` in it\n")


def a_crash_at_the_first_start_ends_the_program():
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "version").write_text("1")
        (pathlib.Path(folder) / "crash").write_text("")
        for count in (1, 3):
            ended = run(SITE, "--folder", folder, "--workers", count, "--listen", "127.0.0.1:0", "--crash-report", "none")
            check((ended.returncode, ended.stderr.count(b"\n")), (1, 1), ended.stderr)
            assert re.search(rb"worker \d ended before it was ready: signal 6", ended.stderr), ended.stderr


# ---- reloading ----


def a_reload_loses_nothing():
    with Workers(3) as site:
        old = site.answering()
        check(site.ask("/version"), "1")
        with Load(site.port) as keeping, Load(site.port, keep=False) as connecting:
            for number in range(2, 5):
                keeping.wait_for_answers(100)
                site.write("version", str(number))
                site.signal(signal.SIGHUP)
                site.wait_for_events("reloaded", number - 1)
                connecting.wait_for_answers(100)
        check((keeping.failures, connecting.failures), ([], []))
        site.wait_for_pids(lambda pids: len(pids) == 3, "the former workers to end")
        check(site.answering() & old, set())
        check(site.ask("/version"), "4")
        check(site.events("a worker died"), [])


def idle_connections_outlive_a_reload_for_a_while():
    with Workers(1) as site, Peer(site.port) as idle:
        check(idle.get("/version").body, b"1")
        site.write("version", "2")
        site.signal(signal.SIGHUP)
        site.wait_for_events("reloaded")
        answer = idle.get("/version")
        check((answer.body, answer.first("Connection")), (b"1", "close"))
        check(site.ask("/version"), "2")


def a_failing_reload_changes_nothing():
    with Workers(2) as site:
        before = site.answering()
        site.remove("version")
        with Load(site.port) as load:
            load.wait_for_answers(20)
            site.signal(signal.SIGHUP)
            failed = site.wait_for_events("the reload failed; the former workers go on")[0]
            load.wait_for_answers(100)
        assert "there is no file `version`" in failed["why"], failed
        check(load.failures, [])
        site.wait_for_pids(lambda pids: set(pids) == before, "the new workers to end")
        check(site.answering(), before)
        site.write("version", "2")
        site.signal(signal.SIGHUP)
        site.wait_for_events("reloaded")
        check(site.ask("/version"), "2")


def reloads_that_come_at_once_are_made():
    with Workers(2) as site:
        for number in range(2, 12):
            site.write("version", str(number))
            site.signal(signal.SIGHUP)
        wait_until(lambda: site.ask("/version") == "11", "the last version")
        site.wait_for_pids(lambda pids: len(pids) == 2, "the former workers to end")


def a_worker_that_dies_during_a_reload_is_replaced():
    with Workers(2) as site:
        before = site.answering()
        site.write("slow", "1000")
        site.write("version", "2")
        site.signal(signal.SIGHUP)
        site.wait_for_pids(lambda pids: len(pids) == 4, "the new workers")
        os.kill(min(before), signal.SIGKILL)
        site.wait_for_events("a worker died")
        check(site.ask("/version"), "1", "the other serves")
        site.wait_for_events("reloaded")
        site.wait_for_pids(lambda pids: len(pids) == 2 and not set(pids) & before, "the former to end")
        check(site.ask("/version"), "2")


def a_new_worker_killed_during_a_reload_calls_it_off():
    with Workers(2) as site:
        before = site.answering()
        site.write("slow", "3000")
        site.signal(signal.SIGHUP)
        new = set(site.wait_for_pids(lambda pids: len(pids) == 4, "the new workers")) - before
        os.kill(min(new), signal.SIGKILL)
        site.wait_for_events("the reload failed; the former workers go on")
        site.wait_for_pids(lambda pids: set(pids) == before, "the other new worker to end")
        check(site.answering(), before)


# ---- ending ----


def what_was_done_is_told_at_the_end():
    for count in (0, 2):
        with Workers(count) as site:
            for _ in range(20):
                site.ask()
            if count:
                site.signal(signal.SIGHUP)  # what the former workers did counts, too
                site.wait_for_events("reloaded")
            with Peer(site.port) as peer:
                for _ in range(5):
                    peer.get("/pid")
            site.signal()
            check(site.exit_code(), 0)
            stopped = site.events("stopped")[0]
            check((stopped["requests"], stopped["connections"]), (25, 21), f"{count} workers")


def each_ending_signal_drains():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        with Workers(2) as site, Peer(site.port) as busy, contextlib.ExitStack() as stack:
            begin(busy)
            idle = one_of_each(site, stack)
            site.signal(number)
            for peer in idle.values():
                assert peer.is_ended()
            answer = busy.send(b"x").response()
            check((answer.status, answer.first("Connection")), (200, "close"), number.name)
            check(site.exit_code(), 0, number.name)


def new_connections_are_refused_while_draining():
    with Workers(2) as site, Peer(site.port) as busy:
        begin(busy)
        site.signal()

        def is_refused():
            with contextlib.suppress(ConnectionResetError):
                try:
                    Peer(site.port).socket.close()
                except ConnectionRefusedError:
                    return True
            return False

        wait_until(is_refused, "new connections to be refused")
        check(busy.send(b"x").response().status, 200)
        check(site.exit_code(), 0)


def the_drain_has_a_deadline():
    with Workers(2, "--limit", "drain-ms=200") as site, Peer(site.port) as busy:
        begin(busy)
        site.signal()
        check(busy.response().status, 503)
        check(site.exit_code(), 0)


def a_second_signal_stops_at_once():
    with Workers(2) as site, Peer(site.port) as busy:
        begin(busy)
        site.signal()
        site.wait_for_events("stopping")
        site.signal(signal.SIGINT)
        began = time.monotonic()
        check(site.exit_code(), 0)
        assert time.monotonic() - began < 15, "it did not stop at once"
        check(len(site.events("stopping at once")), 1)


def a_worker_that_hangs_is_killed():
    with Workers(2, "--limit", "drain-ms=100") as site, Peer(site.port) as peer:
        peer.send(head("GET", "/hang"))
        site.wait_for_events("hanging")
        site.signal()
        check(site.exit_code(), 0)
        assert any("killed" in event["why"] for event in site.events("a worker did not end in order")), site.said()


def the_watchdog_is_not_fed_while_a_worker_hangs():
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(folder + "/notify")
        told.settimeout(SECONDS)

        def wait_for_life():
            while b"WATCHDOG=1" not in told.recv(1000):
                pass

        environment = {"NOTIFY_SOCKET": folder + "/notify", "WATCHDOG_USEC": "200000"}
        with set_in_environment(environment), Workers(2, "--limit", "drain-ms=100") as site:
            for _ in range(5):
                wait_for_life()
            with Peer(site.port) as peer:
                peer.send(head("GET", "/hang"))
                site.wait_for_events("hanging")
                told.settimeout(3)  # many times what is between two
                with contextlib.suppress(TimeoutError):
                    while True:
                        wait_for_life()
                told.settimeout(SECONDS)
                before, began = site.cpu_seconds(), time.monotonic()
                os.kill(site.events("hanging")[0]["pid"], signal.SIGKILL)
                wait_for_life()  # a replacement serves
                used, passed = site.cpu_seconds() - before, time.monotonic() - began
                assert used <= 0.1 + passed / 4, f"{used} s of {passed} s"


def workers_end_with_their_parent():
    with Workers(2) as site, Peer(site.port) as busy:
        pids = site.pids()
        begin(busy)
        site.process.kill()
        site.process.wait(SECONDS)
        check(busy.send(b"x").response().status, 200)
        wait_until(lambda: not any(is_alive(pid) for pid in pids), "the workers to end")
        site.process.returncode = 0  # as was meant


def the_group_may_be_told_to_end():
    """As by a service manager, which tells all processes at once: they drain, and nobody is replaced."""
    with Workers(3) as site, Peer(site.port) as busy:
        begin(busy)
        pids = [site.process.pid, *site.pids()]
        site.signal(signal.SIGSTOP)  # whoever ends stays there until all have been told
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        site.signal(signal.SIGCONT)
        site.wait_for_events("stopping")
        check(busy.send(b"x").response().status, 200)
        check(site.exit_code(), 0)
        check(site.events("a worker died"), [])


def one_that_ended_before_it_was_heard_was_told_to_end():
    with Workers(2) as site:
        leaving = site.pids()[0]
        site.signal(signal.SIGSTOP)
        os.kill(leaving, signal.SIGTERM)
        wait_until(lambda: not is_alive(leaving), "the worker to end")
        site.signal(signal.SIGCONT)
        site.wait_for_events("a worker was told to end")
        site.wait_for_pids(lambda pids: len(pids) == 2 and leaving not in pids, "another one")
        check(site.events("a worker died"), [])


def signals_without_a_meaning_are_ignored():
    with Workers(2) as site:
        before = site.answering()
        site.signal(signal.SIGUSR2)
        site.wait_for_events("a signal without a meaning was ignored")
        site.signal(signal.SIGUSR1)
        check(site.answering(), before)
    with Workers(0) as site:
        site.signal(signal.SIGUSR2)
        site.wait_for_events("a signal without a meaning was ignored")
        site.signal(signal.SIGHUP)
        site.wait_for_events("logs were reopened; to reload it needs workers")
        check(int(site.ask()), site.process.pid)


CASES = [
    every_worker_answers,
    the_number_is_that_of_the_processors,
    none_serve_in_the_process_itself,
    a_unix_socket_has_several,
    several_endpoints_have_their_ports,
    a_port_in_use_is_told_before_anything_is_started,
    ten_thousand_idle_connections,
    one_that_is_killed_is_replaced,
    only_what_the_dead_held_is_lost,
    a_sibling_takes_the_queue,
    who_took_a_queue_may_die_too,
    one_that_crashes_by_itself_is_replaced,
    all_may_die_and_nothing_spins,
    one_told_to_end_by_hand_is_replaced,
    a_terminal_does_not_end_workers,
    workers_that_cannot_be_forked_come_later,
    orphans_of_a_container_are_waited_for,
    a_refused_start_is_one_line,
    a_crash_at_the_first_start_ends_the_program,
    a_reload_loses_nothing,
    idle_connections_outlive_a_reload_for_a_while,
    a_failing_reload_changes_nothing,
    reloads_that_come_at_once_are_made,
    a_worker_that_dies_during_a_reload_is_replaced,
    a_new_worker_killed_during_a_reload_calls_it_off,
    what_was_done_is_told_at_the_end,
    each_ending_signal_drains,
    new_connections_are_refused_while_draining,
    the_drain_has_a_deadline,
    a_second_signal_stops_at_once,
    a_worker_that_hangs_is_killed,
    the_watchdog_is_not_fed_while_a_worker_hangs,
    workers_end_with_their_parent,
    the_group_may_be_told_to_end,
    one_that_ended_before_it_was_heard_was_told_to_end,
    signals_without_a_meaning_are_ignored,
]


sys.exit(run_cases(CASES))
