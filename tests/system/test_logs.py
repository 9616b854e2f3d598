#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Logs: no line is lost or torn while files are rotated and opened anew under load, with and without workers; full
disks, pipes that nobody reads, and what lines say of requests that went wrong.

    test_logs.py BUILD_DIR ROOT

Prints TAP.
"""
import collections
import json
import os
import pathlib
import re
import resource
import signal
import sys
import tempfile
import threading
import time

from serving import SECONDS, App, Peer, check, get, head, run, run_cases, wait_until

BUILD = pathlib.Path(sys.argv[1])
TORC = BUILD / "torc"
LINE = re.compile(r'127\.0\.0\.1 - - \[[^]]+\] "GET /(\d+)-\d+ HTTP/1\.1" 404 \d+ "-" "-"')
REQUESTS, PEERS = 1200, 4


class Site(App):
    """torc web over an empty folder, whose logs are in another."""

    def __init__(self, *arguments, **options):
        self.folder = tempfile.TemporaryDirectory()
        self.logs = pathlib.Path(self.folder.name) / "logs"
        self.logs.mkdir()
        (pathlib.Path(self.folder.name) / "www").mkdir()
        super().__init__(TORC, "web", "--path", pathlib.Path(self.folder.name) / "www", *arguments, **options)

    def __exit__(self, *failure):
        try:
            super().__exit__(*failure)
        finally:
            self.folder.cleanup()

    @property
    def access(self):
        return self.logs / "access.log"

    def write(self, name, data):
        (pathlib.Path(self.folder.name) / "www" / name).write_bytes(data)

    def lines(self):
        """All lines of all files; each file ends with a whole one."""
        lines = []
        for path in sorted(self.logs.iterdir()):
            text = path.read_text()
            assert not text or text.endswith("\n"), f"{path} ends within a line: {text[-200:]!r}"
            lines += text.splitlines()
        return lines


class Logged(Site):
    def __init__(self, *arguments, **options):
        super().__init__(**options)
        self.command += ["--access-log", str(self.access), *[str(part) for part in arguments]]


def load(port, first, requests=REQUESTS, peers=PEERS):
    """Ask for /N-PEER, each number once by each peer, some at a time; returns what was asked for."""

    def ask(peer):
        with Peer(port) as connection:
            for begin in range(0, requests, 20):
                numbers = range(first + begin, first + min(begin + 20, requests))
                connection.send(b"".join(head("GET", f"/{number}-{peer}") for number in numbers))
                for _ in numbers:
                    check(connection.response().status, 404)

    threads = [threading.Thread(target=ask, args=(peer,)) for peer in range(peers)]
    for thread in threads:
        thread.start()
    return threads


def check_all_there(lines, count, peers=PEERS):
    """Each number by each peer is in exactly one line, and there is nothing else."""
    numbers = collections.Counter()
    for line in lines:
        found = LINE.fullmatch(line)
        assert found, f"a torn line: {line!r}"
        numbers[int(found[1])] += 1
    missing = [number for number in range(count) if numbers[number] != peers]
    assert not missing, f"{len(missing)} are not there {peers} times: {missing[:10]}"
    check(len(lines), count * peers, "lines")


def under_load(site, act):
    """Do something again and again while requests are answered; how many times."""
    threads, times = load(site.port, 0), 0
    while any(thread.is_alive() for thread in threads):
        act(times)
        times += 1
        time.sleep(0.02)
    for thread in threads:
        thread.join(SECONDS)
    return times


def moving(site):
    def move(times):
        site.access.rename(site.logs / f"moved.{times}")
        site.signal(signal.SIGUSR1)
        wait_until(site.access.exists, "the new file")

    return move


# ---- nothing is lost ----


def all_lines_are_there_at_the_end():
    with Logged("--workers", "0") as site:
        for thread in load(site.port, 0):
            thread.join(SECONDS)
        site.stop()
        check_all_there(site.lines(), REQUESTS)


def workers_write_to_one_file_whole_lines():
    with Logged("--workers", "3") as site:
        for thread in load(site.port, 0):
            thread.join(SECONDS)
        site.stop()
        check_all_there(site.lines(), REQUESTS)


def no_line_is_lost_while_files_are_moved_and_opened_anew():
    with Logged("--workers", "0") as site:
        times = under_load(site, moving(site))
        site.stop()
        assert times > 2, times
        check_all_there(site.lines(), REQUESTS)


def no_line_is_lost_while_files_of_workers_are_moved_and_opened_anew():
    with Logged("--workers", "3") as site:
        times = under_load(site, moving(site))
        site.stop()
        assert times > 2, times
        check_all_there(site.lines(), REQUESTS)


def no_line_is_lost_while_one_process_rotates():
    with Logged("--workers", "0", "--log-rotate-size", "32K", "--log-keep", "1000") as site:
        for thread in load(site.port, 0):
            thread.join(SECONDS)
        site.stop()
        assert len(list(site.logs.iterdir())) > 4, list(site.logs.iterdir())
        check_all_there(site.lines(), REQUESTS)


def no_line_is_lost_while_the_parent_rotates():
    with Logged("--workers", "2", "--log-rotate-size", "4K", "--log-keep", "1000") as site:
        for thread in load(site.port, 0):
            thread.join(SECONDS)
        wait_until(lambda: (site.logs / "access.log.1").exists(), "a rotation")
        for thread in load(site.port, REQUESTS):
            thread.join(SECONDS)
        site.stop()
        check_all_there(site.lines(), 2 * REQUESTS)


def the_oldest_files_go():
    with Logged("--workers", "0", "--log-rotate-size", "16K", "--log-keep", "2") as site:
        for thread in load(site.port, 0):
            thread.join(SECONDS)
        site.stop()
        check(sorted(path.name for path in site.logs.iterdir()), ["access.log", "access.log.1", "access.log.2"])


def the_log_of_the_program_is_opened_anew():
    site = Site("--workers", "0")
    path = site.logs / "torc.log"
    site.command += ["--log-file", str(path)]
    site.wait_for = lambda pattern: wait_until(lambda: re.search(pattern, path.exists() and path.read_text() or ""), pattern)
    with site:
        path.rename(site.logs / "old.log")
        site.signal(signal.SIGUSR1)
        wait_until(path.exists, "the new file")
        site.stop()
        assert '"text":"stopping"' in path.read_text()
        assert '"text":"listening"' in (site.logs / "old.log").read_text()


# ---- what cannot be written ----


def lines_of_a_full_disk(site):
    lines = site.access.read_text().splitlines(keepends=True)
    assert all(line.endswith("\n") and LINE.fullmatch(line[:-1]) for line in lines)
    return lines


def a_full_disk_leaves_whole_lines():
    site = Logged("--workers", "0")
    site.limit_files = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50000, 50000))
    with site:
        for thread in load(site.port, 0, 1000):
            thread.join(SECONDS)
        assert site.wait_for("a log cannot be written"), site.said()
        assert 300 < len(lines_of_a_full_disk(site)) < 700
        site.signal()
        check(site.exit_code(), 0)
        assert len(lines_of_a_full_disk(site)) < 700
        assert "lines of a log are lost" in site.said(), site.said()


def dev_full_is_reported_and_stops_nobody():
    site = Site("--workers", "0", "--access-log", "/dev/full")
    with site:
        for number in range(10):
            check(get(site.port, f"/{number}-0").status, 404)
        assert site.wait_for("no space is left"), site.said()
        check(get(site.port, "/1-0").status, 404)


def a_pipe_without_reader_stops_nobody():
    site = Site("--workers", "0")
    pipe = site.logs / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    site.command += ["--access-log", str(pipe)]
    with site:
        check(get(site.port, "/1-0").status, 404)
        wait_until(lambda: can_read(reader), "a line")
        os.close(reader)
        check(get(site.port, "/2-0").status, 404)
        assert site.wait_for("a log cannot be written"), site.said()
        check(get(site.port, "/3-0").status, 404)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        assert site.wait_for("a log is written again"), site.said()
        text = wait_until(lambda: can_read(reader), "the lines that were kept")
        check([line.split('"')[1] for line in text.splitlines()], ["GET /2-0 HTTP/1.1", "GET /3-0 HTTP/1.1"])
        os.close(reader)


def can_read(fd):
    try:
        return os.read(fd, 65536).decode()
    except BlockingIOError:
        return ""


def a_pipe_that_nobody_reads_is_a_mistake():
    with tempfile.TemporaryDirectory() as folder:
        os.mkfifo(folder + "/pipe")
        done = run(TORC, "web", "--path", folder, "--listen", "127.0.0.1:0", "--access-log", folder + "/pipe")
        check(done.returncode, 1)
        assert b"--access-log" in done.stderr and b"nobody reads this pipe" in done.stderr, done.stderr


def the_standard_output_is_written_to():
    site = Site("--workers", "0", "--access-log", "-", "--access-log-format", "json")
    with site:
        check(get(site.port, "/1-0").status, 404)
        found = site.wait_for(r'(?m)^\{"time":"[^"]*","client".*\}$')
        check(json.loads(found[0])["target"], "/1-0")


# ---- what lines say ----


def json_lines(site, count):
    def look():
        lines = site.access.read_text().splitlines()
        return len(lines) >= count and [json.loads(line) for line in lines]

    return wait_until(look, f"{count} lines")


def what_was_really_sent_is_logged():
    size = 32 << 20
    with Logged("--workers", "0", "--access-log-format", "json") as site:
        site.write("large", bytes(size))
        with Peer(site.port, receive_bytes=4096) as peer:
            peer.send(head("GET", "/large"))
            peer.take(20000)
            peer.reset()
        with Peer(site.port) as peer:
            peer.send(head("GET", "/large", "Connection: close"))
            while peer.more():
                peer.bytes = b""
        lost, whole = json_lines(site, 2)
        check((lost["status"], lost["error"]), (200, "LOST"))
        assert 16000 <= lost["body_bytes"] < size // 2, lost
        assert lost["body_bytes"] < lost["sent_bytes"] < lost["body_bytes"] + 1000, lost
        check((whole["body_bytes"], whole["error"]), (size, None))
        assert size < whole["sent_bytes"] < size + 1000, whole


def requests_that_were_refused_are_logged():
    with Logged("--workers", "0", "--access-log-format", "json", "--limit", "header-ms=300") as site:
        with Peer(site.port) as peer:
            check(peer.ask(b"GET /bad\x01 HTTP/1.1\r\n\r\n").status, 400)
        with Peer(site.port) as peer:
            check(peer.send(b"GET /slow HTTP/1.1\r\nHo").response().status, 408)
        with Peer(site.port) as peer:
            check(peer.send_each_byte(b"NONSENSE\r\n\r\n").response().status, 400)
        lines = json_lines(site, 3)
        check([(line["status"], line["target"], line["error"]) for line in lines],
              [(400, "GET /bad\x01 HTTP/1.1", "REFUSED"), (408, "GET /slow HTTP/1.1", "REFUSED"), (400, "NONSENSE", "REFUSED")])
        check({line["client"] for line in lines}, {"127.0.0.1"})


def proxies_that_are_trusted_tell_the_client():
    with Logged("--workers", "0", "--access-log-format", "%h %{c}a", "--trusted-proxy", "127.0.0.0/8") as site:
        get(site.port, "/", "X-Forwarded-For: 203.0.113.9, 192.0.2.1, 127.0.0.9")
        get(site.port, "/", "Forwarded: for=203.0.113.9")
        wait_until(lambda: len(site.lines()) == 2, "two lines")
        check(site.lines(), ["192.0.2.1 127.0.0.1", "127.0.0.1 127.0.0.1"])


def mistakes_name_the_option_and_the_fix():
    for arguments, said in (
        (["--access-log-format", "%h %z", "--access-log", "-"], "--access-log-format %h %z: at 4: `%z` is no variable"),
        (["--access-log-format", "json"], "add --access-log FILE"),
        (["--log-rotate-size", "10", "--access-log", "x"], "--log-rotate-size 10: write a size of 4K or more"),
        (["--log-rotate-size", "1M"], "add --log-file FILE or --access-log FILE"),
        (["--log-rotate-every", "5s", "--access-log", "x"], "--log-rotate-every 5s: write a time of a minute or more"),
        (["--log-keep", "3", "--access-log", "x"], "--log-keep: add --log-rotate-size"),
        (["--log-keep", "0"], "--log-keep 0: write a number of files"),
        (["--trusted-proxy", "10.0.0.1/8"], "--trusted-proxy 10.0.0.1/8: bits are set beyond the length"),
        (["--trusted-proxy", "example"], "--trusted-proxy example: write an address or a range"),
    ):
        done = run(TORC, "web", "--listen", "127.0.0.1:0", *arguments)
        check(done.returncode, 2, str(arguments))
        assert said in done.stderr.decode(), (said, done.stderr)


CASES = [
    all_lines_are_there_at_the_end,
    workers_write_to_one_file_whole_lines,
    no_line_is_lost_while_files_are_moved_and_opened_anew,
    no_line_is_lost_while_files_of_workers_are_moved_and_opened_anew,
    no_line_is_lost_while_one_process_rotates,
    no_line_is_lost_while_the_parent_rotates,
    the_oldest_files_go,
    the_log_of_the_program_is_opened_anew,
    a_full_disk_leaves_whole_lines,
    dev_full_is_reported_and_stops_nobody,
    a_pipe_without_reader_stops_nobody,
    a_pipe_that_nobody_reads_is_a_mistake,
    the_standard_output_is_written_to,
    what_was_really_sent_is_logged,
    requests_that_were_refused_are_logged,
    proxies_that_are_trusted_tell_the_client,
    mistakes_name_the_option_and_the_fix,
]

sys.exit(run_cases(CASES))
