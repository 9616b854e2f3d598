#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Peers that are slow, that vanish, that are too many; and the life of a serving process: its endpoints, signals, options.

    test_peers.py BUILD_DIR ROOT

Prints TAP.
"""
import contextlib
import os
import pathlib
import select
import signal
import socket
import stat
import sys
import tempfile
import time

from serving import SECONDS, App, Peer, ReferenceSite, ask, check, get, head, run, run_cases, wait_until

BUILD = pathlib.Path(sys.argv[1])
SITE = ReferenceSite(BUILD)

MIB = 1 << 20
# A sanitizer keeps freed memory for a while, so that its use is seen.
IS_SANITIZED = b"__asan_" in (BUILD / "reference_site").read_bytes()
GROWTH_MAX = (600 if IS_SANITIZED else 8) * MIB


def example_site(*arguments, workers=0, **options):
    """In one process, whose limits and descriptors are looked at here; test_workers.py has the others."""
    pages = pathlib.Path(sys.argv[2]) / "examples/site/pages"
    return App(BUILD / "example_site", "--pages", pages, "--workers", workers, *arguments, **options)


def is_healthy(port):
    with Peer(port) as peer:
        check(peer.get("/hello").body, b"hello")
        check(peer.get("/await?ms=1").status, 200)


def is_reset(peer):
    """Whether the connection ends by a reset, however much comes before."""
    try:
        peer.rest()
        return False
    except ConnectionResetError:
        return True


# ---- slow peers ----


def a_head_that_trickles_is_408():
    """The deadline is of the whole head: each further byte does not move it."""
    with Peer(SITE.port + 1) as peer:
        peer.send(b"GET / HTTP/1.1\r\nA: ")
        peer.socket.settimeout(0.02)
        until = time.monotonic() + 20
        while time.monotonic() < until and not peer.bytes:
            peer.send(b"b")
            try:
                peer.more()
            except TimeoutError:
                pass
        check(peer.response().status, 408)


def a_body_that_trickles_is_408():
    with example_site("--limit", "body-rate-min=1000", "--limit", "rate-grace-ms=300") as site, Peer(site.port) as peer:
        peer.send(head("POST", "/upload", "Content-Length: 1000000"))
        peer.socket.settimeout(0.02)
        until = time.monotonic() + 20
        while time.monotonic() < until and not peer.bytes:
            peer.send(b"b")
            try:
                peer.more()
            except TimeoutError:
                pass
        check(peer.response().status, 408)


def who_takes_nothing_holds_little():
    """A large response waits for its peer, and not in memory."""
    before = SITE.resident_bytes()
    peers = [Peer(SITE.port).send(head("GET", f"/big?n={10**9}")) for _ in range(20)]
    for peer in peers:
        peer.take(1000)
    is_healthy(SITE.port)
    grown = SITE.resident_bytes() - before
    assert grown < GROWTH_MAX + 16 * MIB, f"{grown} bytes for 20 peers"
    for peer in peers:
        peer.reset()
    is_healthy(SITE.port)


def who_takes_nothing_is_reset():
    with App(BUILD / "examples/05_streaming_body", "--workers", 0, "--limit", "output-stall-ms=300") as program:
        with Peer(program.port, receive_bytes=4096) as peer:
            peer.send(head("GET", "/numbers"))
            peer.take(15)  # it is accepted
            wait_until(lambda: program.file_count() and not connections_of(program), "the connection to be given up")
            assert is_reset(peer)


def connections_of(server):
    """Sockets of the process that are connected, by the kernel's table."""
    inodes = set()
    for fd in os.listdir(f"/proc/{server.process.pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            inodes.add(os.readlink(f"/proc/{server.process.pid}/fd/{fd}"))
    rows = [row.split() for row in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row for row in rows if f"socket:[{row[9]}]" in inodes and row[3] != "0A"]


def who_asks_and_never_reads_is_held_back():
    """Pipelined requests wait for their answers to be taken, and take no memory meanwhile."""
    before = SITE.resident_bytes()
    with Peer(SITE.port) as peer:
        one = head("GET", "/hello", "X-Long: " + "x" * 1000)
        data, sent, until = one * 1000, 0, time.monotonic() + SECONDS
        peer.socket.setblocking(False)
        while select.select([], [peer.socket], [], 0.5)[1]:
            assert time.monotonic() < until, f"{sent} bytes were taken from who reads nothing"
            sent += peer.socket.send(data[sent % len(data):])
        grown = SITE.resident_bytes() - before
        assert grown < GROWTH_MAX, f"{grown} bytes"
        peer.socket.settimeout(SECONDS)
        for _ in range(sent // len(one)):
            check(peer.response().body, b"hello")
    is_healthy(SITE.port)


def idle_peers_cost_little():
    def many():
        peers = [Peer(SITE.port) for _ in range(300)]
        for peer in peers:
            check(peer.get("/hello").status, 200)
        return peers

    first = many()
    before = SITE.resident_bytes()
    second = many()
    grown = SITE.resident_bytes() - before
    assert grown < 300 * (2048 if not IS_SANITIZED else 65536), f"{grown} bytes for 300 idle connections"
    for peer in first + second:
        peer.socket.close()


def a_slow_reader_gets_all():
    with Peer(SITE.port, receive_bytes=4096) as slow:
        slow.send(head("GET", "/big?n=3000000"))
        is_healthy(SITE.port)
        check(slow.response().body == b"x" * 3000000, True)


def who_reads_slowly_what_the_kernel_holds_is_not_reset():
    """The kernel takes a megabyte, and then nothing for longer than the limits, while the peer reads at 200 KB/s.

    Its own kernel tells of room in steps of a part of its buffer. That is kept small, so that bytes are acknowledged
    several times within the limit, also on a machine that is busy.
    """
    limits = ["--limit", "output-stall-ms=1500", "--limit", "rate-grace-ms=700"]
    with App(BUILD / "examples/05_streaming_body", "--workers", 0, *limits) as program:
        with Peer(program.port, receive_bytes=65536) as peer:
            peer.send(head("GET", "/numbers", "Connection: close"))
            until = time.monotonic() + 6
            while time.monotonic() < until:
                assert peer.socket.recv(10000), "it ended early"
                time.sleep(0.05)
            assert peer.rest().endswith(b"\r\n0\r\n\r\n"), "not all came"


def who_still_reads_is_not_idle():
    """The server has written all, the kernel holds it, and the peer takes its time: longer than idle connections are kept."""
    size = 4000000
    with Peer(SITE.port + 1) as peer:
        peer.send(head("GET", f"/big?n={size}"))
        until = time.monotonic() + 3
        while time.monotonic() < until:
            peer.bytes += peer.socket.recv(50000)
            time.sleep(0.05)
        check(len(peer.response().body), size)
        check(peer.get("/hello").body, b"hello")


# ---- peers that vanish ----


def vanish(port, data, receive=0, count=10):
    """Send so much, receive so much, and reset; many times."""
    for _ in range(count):
        peer = Peer(port)
        try:
            peer.send(data)
            if receive:
                peer.take(receive)
        finally:
            peer.reset()


STEPS = [
    ("after connecting", b"", 0),
    ("in the head", b"GET / HTTP/1.1\r\nHost: a\r\nA", 0),
    ("after the head of what waits on a fiber", head("GET", "/await?ms=60000"), 0),
    ("after the head of what waits for a timer", head("GET", "/delay?ms=50"), 0),
    ("after the head of what runs in a thread", head("GET", "/thread"), 0),
    ("in a body that is read as a whole", head("POST", "/content", "Content-Length: 100000") + b"x" * 50000, 0),
    ("in a body that is streamed", head("PUT", "/upload", "Transfer-Encoding: chunked") + b"ffff\r\nx", 0),
    ("in a body that was invited", head("PUT", "/upload", "Content-Length: 10", "Expect: 100-continue"), 25),
    ("in a body that is dropped", head("POST", "/hello", "Content-Length: 10") + b"x", 10),
    ("before the response", head("GET", "/big?n=10000000"), 0),
    ("in the response", head("GET", "/big?n=10000000"), 1000),
    ("in a file", head("GET", "/static/big.bin"), 1000),
    ("in chunks", head("GET", "/stream"), 20),
    ("between pipelined requests", head("GET", "/hello") * 50 + head("GET", "/await?ms=60000") + head("GET", "/hello"), 20),
    ("after a refusal", b"BAD\r\n\r\n", 10),
    ("behind a refusal", b"BAD\r\n\r\n" + b"x" * 100000, 0),
]


def peers_that_vanish_leave_nothing():
    for name, data, receive in STEPS:
        vanish(SITE.port, data, receive)  # what is kept for the next is kept now
    is_healthy(SITE.port)
    wait_until(lambda: not connections_of(SITE), "the first to be let go")
    files, resident = SITE.file_count(), SITE.resident_bytes()
    for name, data, receive in STEPS:
        vanish(SITE.port, data, receive, 100)
        is_healthy(SITE.port)
        wait_until(lambda: not connections_of(SITE), f"connections lost {name} to be let go")
        assert SITE.file_count() <= files, f"{name}: {SITE.file_count()} descriptors, {files} before"
    grown = SITE.resident_bytes() - resident
    assert grown < GROWTH_MAX, f"{grown} bytes more"


def many_who_vanish_at_once():
    for name, data, receive in STEPS:
        peers = [Peer(SITE.port).send(data) for _ in range(50)]
        for peer in peers[::2]:
            peer.reset()
        for peer in peers[1::2]:
            peer.socket.close()
    is_healthy(SITE.port)
    wait_until(lambda: not connections_of(SITE), "all to be let go")


# ---- too many peers ----


def more_peers_than_descriptors():
    with ReferenceSite(BUILD, files_max=40) as site:
        with Peer(site.port) as early:
            check(early.get("/hello").body, b"hello")
            peers = [Peer(site.port).send(head("GET", "/hello")) for _ in range(80)]
            before = site.cpu_seconds()
            check(early.get("/delay?ms=1000").status, 200)
            used = site.cpu_seconds() - before
            assert used < 0.5, f"{used} s of CPU in one second of waiting"
            check(early.get("/hello").body, b"hello")
        # A few are turned away so that the queue moves; all others are answered when others have gone.
        answered = 0
        for peer in peers:
            try:
                data = peer.bytes if peer.more() else b""
            except ConnectionResetError:
                data = b""
            peer.socket.close()
            assert not data or data.startswith(b"HTTP/1.1 200 "), data
            answered += bool(data)
        assert answered > 40, f"{answered} of 80 were answered"
        is_healthy(site.port)
        wait_until(lambda: site.file_count() < 20, "descriptors to be given back")


def after_a_lack_of_memory_all_is_well():
    """Whoever is in excess is refused, and when they have gone nobody is."""
    with example_site("--limit", "memory=4000000", "--limit", "keep-alive-ms=60000") as site:
        peers, answered = [], 0
        for _ in range(100):
            with contextlib.suppress(OSError):  # it was refused already
                peers.append(Peer(site.port))
                peers[-1].send(head("GET", "/later?ms=300"))
        for peer in peers:
            try:
                answered += peer.more() and peer.bytes.startswith(b"HTTP/1.1 200 ")
            except OSError:
                pass
            peer.socket.close()
        assert 10 < answered < 100, f"{answered} of 100 were answered with 200"
        wait_until(lambda: not connections_of(site), "all to be let go")
        for _ in range(10):
            check(get(site.port, "/hello").status, 200)


def connections_beyond_the_limit_are_503():
    for limit in ("connections=2", "connections-per-address=2"):
        with example_site("--limit", limit) as site:
            two = [Peer(site.port), Peer(site.port)]
            for peer in two:
                check(peer.get("/hello").status, 200)
            with Peer(site.port) as third:
                answer = third.response()
                check((answer.status, answer.first("Retry-After"), answer.first("Connection")), (503, "1", "close"), limit)
                assert third.is_ended()
            two[0].socket.close()
            wait_until(lambda: get(site.port, "/hello").status == 200, "a place to be free")
            two[1].socket.close()


def routes_beyond_the_limit_are_503():
    with example_site("--limit", "fibers=1") as site:
        with Peer(site.port) as first, Peer(site.port) as second:
            first.send(head("GET", "/later?ms=1000") + head("GET", "/hello"))
            wait_until(lambda: second.get("/hello").status == 503, "the route to be busy")
            check(second.ask(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status, 200, "what needs no fiber")
            check([first.response().status, first.response().status], [200, 200])
            check(second.get("/hello").status, 200)


def requests_of_a_connection_are_counted():
    with example_site("--limit", "requests-per-connection=3") as site, Peer(site.port) as peer:
        peer.send(head("GET", "/hello") * 5)
        answers = [peer.response() for _ in range(3)]
        check([answer.first("Connection") for answer in answers], [None, None, "close"])
        assert peer.is_ended()


# ---- the end ----


def what_is_in_progress_is_answered():
    with example_site() as site:
        idle, waiting, sending = Peer(site.port), Peer(site.port), Peer(site.port)
        check(idle.get("/hello").status, 200)
        waiting.send(head("GET", "/later?ms=700") + head("GET", "/hello"))
        sending.send(head("PUT", "/upload", "Content-Length: 10", "Expect: 100-continue"))
        check(sending.response().status, 100)
        site.signal()
        assert idle.is_ended()

        def is_refused():
            try:
                Peer(site.port).socket.close()
                return False
            except (ConnectionRefusedError, ConnectionResetError):
                return True

        wait_until(is_refused, "new connections to be refused")
        sending.send(b"0123456789")
        for peer in (sending, waiting):
            answer = peer.response()
            check((answer.status, answer.first("Connection")), (200, "close"))
            assert peer.is_ended()
        check(site.exit_code(), 0)


def a_second_signal_stops_at_once():
    with example_site() as site, Peer(site.port) as peer:
        peer.send(head("PUT", "/upload", "Content-Length: 1", "Expect: 100-continue"))
        check(peer.response().status, 100)  # it is in progress
        began = time.monotonic()
        site.signal(signal.SIGINT)
        site.wait_for('"stopping"')
        assert site.process.poll() is None, "it did not wait"
        site.signal(signal.SIGTERM)
        check(site.exit_code(), 0)
        assert time.monotonic() - began < 8, "it waited for the answer"
        try:
            assert b" 200 OK" not in peer.rest()
        except ConnectionResetError:
            pass


def draining_has_a_deadline():
    with example_site("--limit", "drain-ms=200") as site, Peer(site.port) as peer:
        peer.send(head("GET", "/later?ms=10000"))
        check(peer.send(b"").has_nothing(0.05), True)
        began = time.monotonic()
        site.signal()
        check(site.exit_code(), 0)
        assert time.monotonic() - began < 8, "the deadline did not count"


# ---- the beginning ----


def fails(code, *arguments, program="example_site"):
    """What it says, in one line, when it does not start."""
    ended = run(BUILD / program, *arguments)
    said = ended.stderr.decode()
    check((ended.returncode, ended.stdout, said.count("\n")), (code, b"", 1), f"{arguments}: {said!r}")
    return said


def a_port_in_use_is_1():
    with example_site() as site:
        for endpoint in (f"127.0.0.1:{site.port}", f"tcp:{site.port}:interface=127.0.0.1"):
            said = fails(1, "--listen", endpoint)
            assert endpoint in said and "in use" in said, said
    said = fails(1, "--listen", "unix:/nowhere/at/all.sock")
    assert "/nowhere/at/all.sock" in said, said


def bad_options_are_2():
    for arguments, named in ((["--lisen", "1"], ("--lisen", "--listen")), (["--listen"], ("--listen", "ENDPOINT")),
                             (["--listen", "127.0.0.1:99999"], ("--listen", "99999")), (["--listen=tcp:x"], ("--listen", "x")),
                             (["--listen", "nothing:1:2:3"], ("--listen",)), (["--listen", ""], ("--listen",)), (["--listen", "unix:"], ("--listen",)),
                             (["--limit", "fileds=1"], ("--limit", "fields")), (["--limit", "fields=x"], ("--limit", "fields")),
                             (["--limit", "fields"], ("--limit", "fields")), (["--limit", "header-ms=-1"], ("--limit", "header-ms")),
                             (["--log-level", "loud"], ("--log-level", "debug")), (["--log-format=xml"], ("--log-format", "json")),
                             (["--show-errors=yes"], ("--show-errors",)), (["site"], ("site", "--help")), (["-p", "1"], ("-p", "--help")),
                             (["--zzzzzzzz"], ("--zzzzzzzz", "--help"))):
        said = fails(2, *arguments)
        assert all(name in said for name in named), f"{arguments}: {said}"
    said = fails(1, "web", "--path", "/nowhere/at/all", "--listen", "127.0.0.1:0", program="torc")
    assert "--path" in said and "/nowhere/at/all" in said, said


def texts_are_shown():
    for option, said in (("--help", b"--listen"), ("--help=limits", b"header-ms"), ("-h", b"--listen"), ("-V", b"Torc "), ("--version", b"Torc ")):
        shown = run(BUILD / "example_site", option)
        check((shown.returncode, shown.stderr, said in shown.stdout), (0, b"", True), option)
    check(run(BUILD / "torc", "--version").stdout.startswith(b"torc "), True)
    check((run(BUILD / "torc").returncode, run(BUILD / "torc", "wib").returncode), (2, 2))


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def is_served(port, host):
    try:
        with Peer(port, host) as peer:
            check(peer.get("/hello").status, 200, host)
        return True
    except OSError:
        return False


def endpoints_of_tcp():
    v4, v6 = "127.0.0.1", "::1"
    rows = [("127.0.0.1:0", {v4}), ("tcp:0:interface=127.0.0.1", {v4}), ("tcp:0:127.0.0.1:backlog=5", {v4}), ("tcp:0", {v4}), ("tcp:port=0", {v4})]
    if has_ipv6():
        rows += [("[::1]:0", {v6}), ("tcp6:0:interface=\\:\\:1", {v6}), ("tcp6:0", {v6}), ("tcp6:0:v6only=0", {v4, v6}), ("0", {v4, v6}), (":0", {v4, v6})]
    for endpoint, hosts in rows:
        with example_site(listen=endpoint) as site:
            check({host for host in (v4, v6) if is_served(site.port, host)}, hosts, endpoint)


def endpoints_of_unix():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/s:1.sock"
        for mode, permissions in (("", None), (":mode=600", 0o600), (":mode=666", 0o666)):
            with example_site(listen="unix:" + path.replace(":", "\\:") + mode) as site:
                about = os.stat(path)
                assert stat.S_ISSOCK(about.st_mode)
                assert permissions is None or stat.S_IMODE(about.st_mode) == permissions, oct(about.st_mode)
                with Peer(path=path) as peer:
                    check(peer.get("/hello").status, 200)
            assert not os.path.exists(path), "the file stays"
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(path)
        with example_site(listen="unix:" + path.replace(":", "\\:")), Peer(path=path) as peer:
            check(peer.get("/hello").status, 200, "where nobody listens any more")
        pathlib.Path(path).write_text("mine")
        fails(1, "--listen", "unix:" + path.replace(":", "\\:"))
        check(pathlib.Path(path).read_text(), "mine", "a file that is no socket")
    with example_site(listen=f"unix:@torc-test-{os.getpid()}"), Peer(path=f"\0torc-test-{os.getpid()}") as peer:
        check(peer.get("/hello").status, 200, "an abstract name")


def an_inherited_descriptor():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with example_site(listen=f"fd:{listening.fileno()}", inherited=[listening.fileno()]) as site:
            port = listening.getsockname()[1]
            check(site.port, port)
            check(get(port, "/hello").status, 200)
    with socket.socket() as deaf:
        ended = run(BUILD / "example_site", "--listen", f"fd:{deaf.fileno()}", pass_fds=[deaf.fileno()])
        check((ended.returncode, ended.stderr.count(b"\n")), (1, 1), ended.stderr)
    fails(1, "--listen", "fd:999")


def several_endpoints():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/site.sock"
        with example_site("--listen", "unix:" + path) as site:
            site.wait_for(r'"url":"http://127')
            with Peer(path=path) as peer:
                check(peer.get("/hello").status, 200)
            said = site.said()
            port = int(said.partition('"url":"http://127.0.0.1:')[2].partition("/")[0])
            check(get(port, "/hello").status, 200)


CASES = [
    a_head_that_trickles_is_408,
    a_body_that_trickles_is_408,
    who_takes_nothing_holds_little,
    who_takes_nothing_is_reset,
    who_asks_and_never_reads_is_held_back,
    idle_peers_cost_little,
    a_slow_reader_gets_all,
    who_reads_slowly_what_the_kernel_holds_is_not_reset,
    who_still_reads_is_not_idle,
    peers_that_vanish_leave_nothing,
    many_who_vanish_at_once,
    more_peers_than_descriptors,
    after_a_lack_of_memory_all_is_well,
    connections_beyond_the_limit_are_503,
    routes_beyond_the_limit_are_503,
    requests_of_a_connection_are_counted,
    what_is_in_progress_is_answered,
    a_second_signal_stops_at_once,
    draining_has_a_deadline,
    a_port_in_use_is_1,
    bad_options_are_2,
    texts_are_shown,
    endpoints_of_tcp,
    endpoints_of_unix,
    an_inherited_descriptor,
    several_endpoints,
]

with SITE:
    exit_code = run_cases(CASES)
sys.exit(exit_code)
