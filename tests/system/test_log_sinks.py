#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Where a program's log goes: syslog and the journal (doubles of them, at sockets of the test's), files, several at
once; that none of them stops the server; what is never logged; levels changed by signals; reports of crashes.

    test_log_sinks.py BUILD_DIR ROOT

Prints TAP.
"""
import pathlib
import re
import signal
import socket
import sys
import tempfile

from serving import App, check, get, run, run_cases, wait_until

BUILD = pathlib.Path(sys.argv[1])
PROGRAM = BUILD / "tests/system/crash_site"
# A sanitizer handles signals itself, and an aborted program is no failure of a test.
IS_SANITIZED = b"__asan_init" in PROGRAM.read_bytes() or b"__tsan_init" in PROGRAM.read_bytes()


class Daemon:
    """A socket for datagrams, as syslog and the journal have it."""

    def __init__(self, family=socket.AF_UNIX):
        self.folder = tempfile.TemporaryDirectory()
        self.path = self.folder.name + "/socket"
        self.family = family
        self.socket = None
        self.start()

    def start(self):
        self.socket = socket.socket(self.family, socket.SOCK_DGRAM)
        self.socket.settimeout(30)
        self.socket.bind(self.path if self.family == socket.AF_UNIX else ("127.0.0.1", 0))

    def stop(self):
        self.socket.close()
        if self.family == socket.AF_UNIX:
            pathlib.Path(self.path).unlink()

    def next_with(self, text):
        """The first message that has the text in it."""
        while True:
            message = self.socket.recv(65536)
            if text in message:
                return message.decode()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.socket.close()
        self.folder.cleanup()


class Site(App):
    """The program; its log may go elsewhere than to its standard error, so it is asked until it answers."""

    def __init__(self, *arguments, **options):
        super().__init__(PROGRAM, "--workers", "0", *arguments, **options)

    def start(self):
        super(App, self).start()
        found = self.wait_for(r'url"?[=:]"?http://[^:]*:(\d+)/')
        assert found, f"it does not start: {self.said()}"
        self.port = int(found[1])


# ---- syslog and the journal ----


def events_go_to_syslog():
    with Daemon() as daemon, Site("--log", "stderr", "--log",
                                  f"syslog:server=unix:{daemon.path},facility=local3,tag=shop,hostname=h") as site:
        check(get(site.port, "/login").status, 200)
        message = daemon.next_with(b"somebody came")
        found = re.fullmatch(r"<158>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z h shop (\d+) login \[torc@32473 (.*)\] somebody came",
                             message)
        assert found, message
        check(int(found[1]), site.process.pid)
        check(found[2], 'password="[redacted\\]" Cookie="[redacted\\]" database="postgres://[redacted\\]@db/shop" took="0.0015"')


def events_go_to_syslog_by_udp():
    with Daemon(socket.AF_INET) as daemon:
        port = daemon.socket.getsockname()[1]
        with Site("--log", "stderr", "--log", f"syslog:server=127.0.0.1:{port},form=bsd") as site:
            check(get(site.port, "/login").status, 200)
            message = daemon.next_with(b"somebody came")
            assert re.match(r"<14>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d crash_site\[\d+\]: \[login\] somebody came ", message), message


def a_name_is_found_for_syslog():
    with Daemon(socket.AF_INET) as daemon:
        port = daemon.socket.getsockname()[1]
        with Site("--log", "stderr", "--log", f"syslog:server=localhost:{port}") as site:
            check(get(site.port, "/").status, 200)


def events_go_to_the_journal():
    with Daemon() as daemon, Site("--log", "stderr", "--log", f"journald:socket={daemon.path}") as site:
        check(get(site.port, "/login").status, 200)
        fields = dict(line.split("=", 1) for line in daemon.next_with(b"somebody came").splitlines())
        check(fields["PRIORITY"], "6")
        check(fields["SYSLOG_IDENTIFIER"], "crash_site")
        check(fields["TORC_NAMESPACE"], "login")
        check(fields["DATABASE"], "postgres://[redacted]@db/shop")
        assert fields["MESSAGE"].startswith("somebody came password=[redacted] "), fields


def a_daemon_that_goes_is_told_of_once_and_found_again():
    with Daemon() as daemon, Site("--log", "stderr:format=text", "--log", f"syslog:server=unix:{daemon.path}") as site:
        check(get(site.port, "/login").status, 200)
        daemon.stop()
        for _ in range(5):
            check(get(site.port, "/login").status, 200)
        assert site.wait_for("a log cannot be written; events are lost sink=syslog"), site.said()
        check(site.said().count("cannot be written"), 1)
        daemon.start()

        def works_again():
            get(site.port, "/login")
            return re.search(r"a log is written again sink=syslog lost=(\d+)", site.said())

        assert int(wait_until(works_again, "syslog to be found again")[1]) >= 5
        daemon.next_with(b"a log is written again")


def a_daemon_that_reads_nothing_stops_nobody():
    with Daemon() as daemon, Site("--log", "stderr:format=text", "--log", f"journald:socket={daemon.path}") as site:
        for _ in range(600):
            check(get(site.port, "/login").status, 200)
        assert site.wait_for("a log takes nothing now; events are lost sink=journald"), site.said()
        check(get(site.port, "/").status, 200)


def a_filter_of_system_calls_lets_events_pass():
    if IS_SANITIZED:
        return
    with Daemon() as syslog, Daemon() as journal, Site("--seccomp", "--log", "stderr:format=text", "--log",
                                                       f"syslog:server=unix:{syslog.path}", "--log",
                                                       f"journald:socket={journal.path}") as site:
        check(get(site.port, "/login").status, 200)
        syslog.next_with(b"somebody came")
        journal.next_with(b"somebody came")
        syslog.stop()
        syslog.start()
        check(get(site.port, "/login").status, 200)
        syslog.next_with(b"somebody came")
    number, report = crash("/read?1234", "--seccomp")
    check(number, signal.SIGSEGV)
    assert "the last events of its log:" in report and "end of the report" in report, report


# ---- several, and their levels ----


def each_has_its_format_and_level():
    with tempfile.TemporaryDirectory() as folder:
        errors, details = pathlib.Path(folder) / "errors", pathlib.Path(folder) / "details"
        with Site("--log", "stderr:format=logfmt", "--log", f"file:{errors},level=error", "--log",
                  f"file:{details},format=json-seq,level=warn;login=debug", "--log-time", "local") as site:
            check(get(site.port, "/login").status, 200)
            wait_until(lambda: "a detail" in details.read_text(), "the detail")
            check(errors.read_text(), "")
            text = details.read_text()
            assert text.startswith("\x1e{") and "listening" not in text, text
            said = site.said()
            assert re.search(r'time=\S+ level=info namespace=login text="somebody came" password=\[redacted\]', said), said
            assert "a detail" not in said


def signals_change_levels():
    for workers in ("0", "2"):
        with App(PROGRAM, "--workers", workers) as site:
            check(get(site.port, "/login").status, 200)
            site.signal(signal.SIGRTMIN + 22)

            def is_verbose():
                get(site.port, "/login")
                return "a detail" in site.said()

            wait_until(is_verbose, "what is for debugging")
            site.signal(signal.SIGRTMIN + 23)
            wait_until(lambda: site.said().count('"levels":"info"') >= 1 + int(workers), "the usual levels")
            count = site.said().count("a detail")
            check(get(site.port, "/login").status, 200)
            check(site.said().count("a detail"), count)


# ---- crashes ----


def crash(path, *arguments):
    """What a program that crashed has said, and by which signal it ended."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report"
        site = Site("--crash-report", report, *arguments)
        site.start()
        try:
            wait_until(lambda: site.port, "the port")
            get(site.port, "/login")
            try:
                get(site.port, path)
            except (AssertionError, OSError, ValueError, IndexError):
                pass
            return -site.exit_code(), report.read_text()
        finally:
            if site.process.poll() is None:
                site.process.kill()
                site.process.wait()
            site.output.close()


def a_crash_is_told_with_the_last_events():
    if IS_SANITIZED:
        return
    number, report = crash("/read?12345678")
    check(number, signal.SIGSEGV)
    assert re.search(r"^crash_site: process \d+ crashes: SIGSEGV at address 0x0+8$", report, re.M), report
    assert re.search(r"the last events of its log:\n(.*\n)*.*\[login\] somebody came password=\[redacted\]", report), report
    assert "a detail" not in report and "hunter2" not in report, report
    assert re.search(r"it was here:\n(.*\n)+crash_site: end of the report\n", report), report


def what_is_only_kept_is_told_too():
    if IS_SANITIZED:
        return
    number, report = crash("/abort", "--log-ring", "100,debug")
    check(number, signal.SIGABRT)
    assert "SIGABRT" in report and "[login] a detail" in report, report


def a_stack_that_overflows_is_named():
    if IS_SANITIZED:
        return
    number, report = crash("/deep", "--log-ring", "0")
    check(number, signal.SIGSEGV)
    assert re.search(r"the stack of a fiber has overflowed: its \d+ bytes are too few", report), report
    assert "the last events" not in report, report


def a_worker_that_crashes_is_told_of_and_replaced():
    if IS_SANITIZED:
        return
    with App(PROGRAM, "--workers", "1") as site:
        try:
            get(site.port, "/deep")
        except (AssertionError, OSError, ValueError, IndexError):
            pass
        assert site.wait_for("the stack of a fiber has overflowed"), site.said()
        assert site.wait_for("end of the report"), site.said()

        def serves():
            try:
                return get(site.port, "/").status == 200
            except (AssertionError, OSError, ValueError, IndexError):
                return False

        wait_until(serves, "another worker")


def no_report_is_made_where_none_is_wanted():
    number, report = (0, "")
    site = Site("--crash-report", "none")
    with tempfile.TemporaryDirectory():
        site.start()
        wait_until(lambda: site.port, "the port")
        site.signal(signal.SIGABRT)
        site.exit_code()
        assert "crashes" not in site.said(), site.said()
        site.output.close()
    check((number, report), (0, ""))


# ---- mistakes ----


def mistakes_name_the_option_and_the_fix():
    for code, arguments, said in (
        (2, ["--log", "syslog:severity=info"], "--log syslog:severity=info: known are server, facility, tag, hostname, form, level"),
        (2, ["--log-ring", "x"], "--log-ring x: write a number to 65536, and levels if you like: 1000,debug"),
        (2, ["--log-ring", "10,loud"], "--log-ring 10,loud: write a number"),
        (2, ["--log-time", "gmt"], "--log-time gmt: not one of utc, local"),
        (2, ["--log-format", "xml"], "--log-format xml: not one of auto, text, json, logfmt, json-seq"),
        (2, ["--log", "journald", "--log-rotate-size", "1M"], "add --log-file FILE or --access-log FILE"),
        (2, ["--access-log", "-", "--access-log-format", "%h %{Authorization}i"],
         "`%{Authorization}i` names credentials, which are not logged"),
        (2, ["--access-log", "-", "--access-log-format", "%h %{set-cookie}o"],
         "`%{set-cookie}o` names credentials, which are not logged"),
        (1, ["--log", "syslog:server=unix:/nowhere/log"], "the socket /nowhere/log: nobody listens there; is the daemon started?"),
        (1, ["--log", "/nowhere/log"], "--log /nowhere/log: there is no such thing"),
        (1, ["--crash-report", "/nowhere/log"], "--crash-report /nowhere/log: there is no such thing"),
    ):
        done = run(PROGRAM, "--listen", "127.0.0.1:0", *arguments)
        check(done.returncode, code, str(arguments))
        assert said in done.stderr.decode(), (said, done.stderr)


def users_in_urls_are_not_in_access_logs():
    with Site("--access-log", "-", "--access-log-format", "%r|%{Referer}i|%{target}r") as site:
        check(get(site.port, "/?u=http://shop:hunter2@db/x", "Referer: https://me:hunter2@example.com/").status, 200)
        assert site.wait_for(r"GET /\?u=http://\[redacted\]@db/x HTTP/1.1\|https://\[redacted\]@example.com/\|"
                             r"/\?u=http://\[redacted\]@db/x"), site.said()


CASES = [
    events_go_to_syslog,
    events_go_to_syslog_by_udp,
    a_name_is_found_for_syslog,
    events_go_to_the_journal,
    a_daemon_that_goes_is_told_of_once_and_found_again,
    a_daemon_that_reads_nothing_stops_nobody,
    a_filter_of_system_calls_lets_events_pass,
    each_has_its_format_and_level,
    signals_change_levels,
    a_crash_is_told_with_the_last_events,
    what_is_only_kept_is_told_too,
    a_stack_that_overflows_is_named,
    a_worker_that_crashes_is_told_of_and_replaced,
    no_report_is_made_where_none_is_wanted,
    mistakes_name_the_option_and_the_fix,
    users_in_urls_are_not_in_access_logs,
]

sys.exit(run_cases(CASES))
