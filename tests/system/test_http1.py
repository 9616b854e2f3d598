#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""HTTP/1 as the reference site speaks it over loopback: what is refused and how, framing, connections, limits.

    test_http1.py BUILD_DIR ROOT

Prints TAP.
"""
import pathlib
import re
import sys
import time

from serving import App, Peer, ReferenceSite, ask, check, get, head, run_cases

BUILD, ROOT = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
SITE = ReferenceSite(BUILD)
WIRE = App(BUILD / "tests/system/wire_site", "--limit", "body-bytes=1000")


def plain():
    return SITE.port


def hasty():
    """Where deadlines are a second."""
    return SITE.port + 1


def any_path():
    """Where any path answers OK, and POST the content."""
    return SITE.port + 7


H = "Host: a\r\n"
CHUNKED = b"POST /content HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


# ---- what is refused ----


def c_string(text):
    """The bytes of a string literal of C."""
    escape = rb"\\([0-7]{1,3}|.)"
    letters = {b"r": b"\r", b"n": b"\n", b"t": b"\t"}

    def byte(match):
        code = match[1]
        return bytes([int(code, 8)]) if code.isdigit() else letters.get(code, code)

    return re.sub(escape, byte, text.encode("latin-1"))


def bad_requests():
    """The table of the unit tests: names, bytes and statuses."""
    source = (ROOT / "tests/support/bad_requests.h").read_text(encoding="latin-1")
    token = r'"((?:[^"\\]|\\.)*)"|([A-Z]+)'
    macros = {}

    def value(expression):
        return b"".join(c_string(text) if name == "" else macros[name] for text, name in re.findall(token, expression))

    for name, expression in re.findall(r"#define (H|GET|CHUNKED) (.*)", source):
        macros[name] = value(expression)
    row = r'CASE\(\s*"([^"]*)",((?:\s*(?:"(?:[^"\\]|\\.)*"|[A-Z]+))+),\s*(\d+)\)'
    return [(name, value(expression), int(status)) for name, expression, status in re.findall(row, source)]


def check_refusal(name, data, status, send=Peer.send):
    with Peer(any_path()) as peer:
        send(peer, data)
        answer = peer.response()
        check(answer.status, status, name)
        check(answer.first("Connection"), "close", name)
        assert answer.first("Date") and b"<h1>" in answer.body, f"{name}: no error page"
        assert peer.is_ended(), f"{name}: more behind the answer"


def the_table_of_bad_requests_is_read():
    table = bad_requests()
    source = (ROOT / "tests/support/bad_requests.h").read_text(encoding="latin-1")
    check(len(table), len(re.findall(r"^    CASE\(", source, re.MULTILINE)))
    check(dict((name, data) for name, data, _ in table)["NUL in a value"],
          b"GET / HTTP/1.1\r\nHost: a\r\nA: b\0c\r\n\r\n")


def bad_requests_are_answered_and_closed():
    for name, data, status in bad_requests():
        check_refusal(name, data, status)


def bad_requests_in_single_bytes_too():
    for name, data, status in bad_requests()[::7]:
        check_refusal(name, data, status, Peer.send_each_byte)


def a_refusal_survives_unread_input():
    """Closing with unread input would reset, and the reset take the answer along (RFC 9112 9.6)."""
    for name, data, status in bad_requests()[::11]:
        check_refusal(name, data + b"x" * 200000, status)


def what_is_pipelined_behind_a_bad_request_is_not_answered():
    with Peer(plain()) as peer:
        peer.send(head("GET", "/hello") + b"GET / HTTP/1.1\r\n\r\n" + head("GET", "/data"))
        check([peer.response().status, peer.response().status], [200, 400])
        assert peer.is_ended(), "something was answered"


def long_targets_are_414():
    longest = 16384 - len("GET  HTTP/1.1") - len("Host: a")
    check(ask(any_path(), f"GET /{'a' * (longest - 1)} HTTP/1.1\r\n{H}\r\n".encode()).status, 200)
    check_refusal("one more", f"GET /{'a' * longest} HTTP/1.1\r\n{H}\r\n".encode(), 431)
    check_refusal("a line of 16,385", f"GET /{'a' * (16384 - 13)} HTTP/1.1\r\n{H}\r\n".encode(), 414)
    check_refusal("a line without end", b"GET /" + b"a" * 100000, 414)


def sections_to_16384_bytes():
    start = "GET /hello HTTP/1.1\r\n" + H
    used = len("GET /hello HTTP/1.1") + len("Host: a") + len("A: ")
    for length, status in ((16383, 200), (16384, 200), (16385, 431)):
        data = f"{start}A: {'b' * (length - used)}\r\n\r\n".encode()
        with Peer(plain()) as peer:
            check(peer.ask(data).status, status, length)
        with Peer(plain()) as peer:
            peer.send(data[:16000]).send_each_byte(data[16000:])
            check(peer.response().status, status, f"{length}, in bytes")
    half = (16384 - len("GET /hello HTTP/1.1") - len("Host: a")) // 2
    two = f"{start}A: {'b' * (half - 3)}\r\nB: {'b' * (half - 3)}\r\n"
    check(ask(plain(), f"{two}\r\n".encode()).status, 200)
    check_refusal("a few bytes more", f"{two}C: d\r\n\r\n".encode(), 431)


def fields_to_500():
    for count, status in ((499, 200), (500, 200), (501, 431)):
        lines = "".join(f"A{i}: b\r\n" for i in range(count - 1))
        answer = ask(plain(), f"GET /hello HTTP/1.1\r\n{H}{lines}\r\n".encode())
        check(answer.status, status, f"{count} fields")


def chunk_lines_to_1023_bytes():
    for length, status in ((1022, 200), (1023, 200), (1024, 400)):
        line = "5;" + "a" * (length - 2)
        answer = ask(plain(), CHUNKED + f"{line}\r\nhello\r\n0\r\n\r\n".encode())
        check(answer.status, status, f"a line of {length}")
        last = "0;" + "a" * (length - 2)
        answer = ask(plain(), CHUNKED + f"5\r\nhello\r\n{last}\r\n\r\n".encode())
        check(answer.status, status, f"a last line of {length}")


def trailers_to_65536_bytes():
    for length, status in ((65535, 200), (65536, 200), (65537, 431)):
        with Peer(plain()) as peer:
            answer = peer.ask(CHUNKED + b"5\r\nhello\r\n0\r\n" + b"A: " + b"b" * (length - 3) + b"\r\n\r\n")
            check(answer.status, status, f"trailers of {length}")


# ---- request lines ----


def all_forms_of_targets():
    with Peer(plain()) as peer:
        check(peer.get("/hello?a=b").body, b"hello")
        check(peer.ask(b"GET http://b.example:81/hello HTTP/1.1\r\n" + H.encode() + b"\r\n").body, b"hello")
        answer = peer.ask(b"OPTIONS * HTTP/1.1\r\n" + H.encode() + b"\r\n")
        check((answer.status, answer.first("Content-Length"), answer.body), (200, "0", b""))
        answer = peer.get("b.example:443", method="CONNECT")
        check(answer.status, 405)
        assert "CONNECT" not in answer.first("Allow"), answer.fields


def an_absolute_target_replaces_host():
    with Peer(plain()) as peer:
        for target in ("http://b.example:81/echo?c", "HTTP://b.example:81/echo?c"):
            lines = peer.ask(f"GET {target} HTTP/1.1\r\nHost: a.example\r\nX-A: b\r\n\r\n".encode()).body.decode().split("\n")
            assert "Host: b.example:81" in lines and "path=/echo" in lines, lines
            assert not any("a.example" in line for line in lines), lines
        check(peer.ask(b"GET http://b.example HTTP/1.1\r\n" + H.encode() + b"\r\n").body, b"root")
        body = peer.ask(b"GET http://b.example/echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").body
        assert b"Host: b.example\n" in body, body


def https_is_not_asked_for_in_the_clear():
    with Peer(plain()) as peer:
        check(peer.ask(b"GET https://a.example/hello HTTP/1.1\r\n" + H.encode() + b"\r\n").status, 421)
        check(peer.ask(b"HEAD HTTPS://a.example/hello HTTP/1.1\r\n" + H.encode() + b"\r\n").status, 421)
        check(peer.get("/hello").status, 200)


def trace_is_off():
    with Peer(plain()) as peer:
        for path in ("/hello", "/echo", "/nowhere"):
            answer = peer.get(path, "X-Secret: s", method="TRACE")
            check(answer.status, 405, path)
            assert "TRACE" not in answer.first("Allow") and b"X-Secret" not in answer.body


def methods_that_nobody_takes():
    with Peer(plain()) as peer:
        check(peer.get("/hello", method="HEH").status, 501)
        check(peer.get("/hello", method="get").status, 501)
        check(peer.get("/multi", method="HEH").body, b"ho ho")
        check(peer.get("/multi", method="HEEH").status, 501)
        check(peer.get("/nowhere", method="HEH").status, 404)
        for path, allow in (("/hello", "GET, HEAD, OPTIONS"), ("/users/7", "GET, HEAD, DELETE, OPTIONS")):
            answer = peer.get(path, method="PUT")
            check((answer.status, answer.first("Allow")), (405, allow), path)
            answer = peer.get(path, method="OPTIONS")
            check((answer.status, answer.first("Allow")), (204, allow), path)
            check(answer.first("Content-Length"), None)
        check(peer.get("/echo", method="M!#$%&'*+-.^_`|~9").body.split(b"\n")[0], b"method=M!#$%&'*+-.^_`|~9")


def one_empty_line_goes_before_a_request():
    with Peer(plain()) as peer:
        check(peer.ask(b"\r\n" + head("GET", "/hello")).body, b"hello")
        check(peer.ask(b"\r\n" + head("GET", "/hello")).body, b"hello")
        check(peer.ask(b"\r\n\r\n" + head("GET", "/hello")).status, 400)
        assert peer.is_ended()


def higher_minors_are_served_as_1_1():
    with Peer(plain()) as peer:
        for minor in (1, 2, 9):
            answer = peer.ask(f"GET /echo HTTP/1.{minor}\r\n{H}\r\n".encode())
            check(answer.version, "HTTP/1.1")
            assert b"version=HTTP/1.1\n" in answer.body
        answer = peer.ask(b"GET /echo HTTP/1.0\r\n\r\n")
        check(answer.version, "HTTP/1.1")
        assert b"version=HTTP/1.0\n" in answer.body


def fields_come_as_they_were_sent():
    with Peer(plain()) as peer:
        body = peer.ask(b"GET /echo HTTP/1.1\r\nhost:a\r\nX-A:  \t b c \t\r\nx-a:d\r\nX-Empty:\r\nX-High: \xe4\r\n\r\n").body
        check(body, b"method=GET\nuri=/echo\npath=/echo\nversion=HTTP/1.1\n"
                    b"Host: a\nX-A: b c\nX-A: d\nX-Empty: \nX-High: \xe4\nbody=0:")


# ---- bodies ----


def bodies_of_a_length():
    with Peer(plain()) as peer:
        for size in (0, 1, 4096, 1000000):
            data = bytes(i % 251 for i in range(size))
            check(peer.ask(head("POST", "/content", f"Content-Length: {size}") + data).body == data, True, size)
        peer.send_each_byte(head("POST", "/content", "Content-Length: 11") + b"in pieces\r\n")
        check(peer.response().body, b"in pieces\r\n")
        check(peer.ask(head("POST", "/content", "Content-Length: 5") + b"hello").body, b"hello")


def chunked_bodies():
    with Peer(plain()) as peer:
        for data, body in ((b"0\r\n\r\n", b""), (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
                           (b"1\r\na\r\n00002\r\nbc\r\n000\r\n\r\n", b"abc"), (b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", b"0123456789" * 2),
                           (b"5;a\r\nhello\r\n0\r\n\r\n", b"hello"), (b"5 ; a = b\t;c=\"d\\\";\"\r\nhello\r\n0;last\r\n\r\n", b"hello"),
                           (b"5\r\nhello\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\n", b"hello")):
            check(peer.ask(CHUNKED + data).body, body, data)
            peer.send_each_byte(CHUNKED + data)
            check(peer.response().body, body, f"{data} in bytes")
        many = b"".join(b"1\r\n%c\r\n" % (97 + i % 26) for i in range(10000))
        check(len(peer.ask(CHUNKED + many + b"0\r\n\r\n").body), 10000)


def a_coding_is_named_in_any_case():
    with Peer(plain()) as peer:
        data = b"POST /content HTTP/1.1\r\nHost: a\r\ntransfer-encoding:\tCHUNKED \r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        check(peer.ask(data).body, b"hello")


def answers_without_length_are_chunked():
    with Peer(plain()) as peer:
        answer = peer.get("/stream")
        check((answer.body, answer.first("Transfer-Encoding"), answer.first("Content-Length")), (b"HelloWorld!", "chunked", None))
        check(peer.get("/hello").body, b"hello", "the next")
    with Peer(plain()) as peer:
        data = peer.send(head("GET", "/stream", "Connection: close")).rest()
        check(data.partition(b"\r\n\r\n")[2], b"5\r\nHello\r\n6\r\nWorld!\r\n0\r\n\r\n")
    with Peer(plain()) as peer:
        data = peer.send(b"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").rest()
        assert b"Transfer-Encoding" not in data and b"\r\nConnection: close\r\n" in data, data
        check(data.partition(b"\r\n\r\n")[2], b"HelloWorld!")


def a_body_is_invited_when_it_is_read():
    with Peer(plain()) as peer:
        for _ in range(2):
            peer.send(head("POST", "/content", "Content-Length: 5", "Expect: 100-Continue"))
            interim = peer.response()
            check((interim.status, interim.fields), (100, []))
            check(peer.ask(b"hello").body, b"hello")
        peer.send(head("POST", "/content", "Transfer-Encoding: chunked", "Expect: 100-continue"))
        check(peer.response().status, 100)
        check(peer.ask(b"5\r\nhello\r\n0\r\n\r\n").body, b"hello")


def who_does_not_wait_is_not_invited():
    with Peer(plain()) as peer:
        check(peer.ask(head("POST", "/content", "Content-Length: 0", "Expect: 100-continue")).status, 200)
        check(peer.ask(head("GET", "/hello", "Expect: 100-continue")).status, 200)
        answer = peer.ask(b"POST /content HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello")
        check((answer.status, answer.body), (200, b"hello"))
        check(peer.ask(b"POST /content HTTP/1.0\r\nContent-Length: 5\r\nExpect: tea\r\n\r\nhello").body, b"hello")


def a_body_too_large_is_not_invited():
    for size, statuses in ((1000, [100]), (1001, [413])):
        with Peer(WIRE.port) as peer:
            answer = peer.ask(head("POST", "/body", f"Content-Length: {size}", "Expect: 100-continue"))
            check([answer.status], statuses, size)
            if answer.status == 100:
                check(len(peer.ask(b"x" * size).body), size)


def bodies_beyond_the_limit_are_413():
    for length, status in ((999, 200), (1000, 200), (1001, 413), (500000, 413)):
        data = b"x" * length
        chunks = b"%x\r\n%s\r\n1\r\nx\r\n0\r\n\r\n" % (length - 1, data[1:])
        for form in (head("POST", "/body", f"Content-Length: {length}") + data, head("POST", "/body", "Transfer-Encoding: chunked") + chunks):
            check(ask(WIRE.port, form).status, status, length)


def interim_responses():
    with Peer(WIRE.port) as peer:
        for _ in range(2):
            early = peer.get("/early")
            check((early.status, early.fields), (103, [("Link", "</style.css>; rel=preload")]))
            late = peer.response()
            check((late.status, late.body, late.first("Link")), (200, b"late", early.first("Link")))
        answer = peer.ask(b"GET /early HTTP/1.0\r\n\r\n")
        check((answer.status, answer.body), (200, b"late"))


def trailers_come_in():
    with Peer(WIRE.port) as peer:
        start = head("POST", "/trailers", "Transfer-Encoding: chunked") + b"1\r\na\r\n0\r\n"
        check(peer.ask(start + b"X-A: b\r\nX-C:  d \r\n\r\n").body.lower(), b"x-a=b\nx-c=d\n")
        check(peer.send_each_byte(start + b"X-A: b\r\n\r\n").response().body.lower(), b"x-a=b\n")
        check(peer.ask(start + b"\r\n").body, b"")


def trailers_go_to_who_takes_them():
    with Peer(WIRE.port) as peer:
        answer = peer.get("/trailers", "TE: trailers", "Connection: TE")
        check((answer.body, answer.trailers), (b"content", [("X-Sum", "7")]))
        answer = peer.get("/trailers")
        check((answer.body, answer.trailers), (b"content", []))
        check(peer.ask(b"GET /trailers HTTP/1.0\r\nTE: trailers\r\n\r\n").body, b"content")


def another_protocol_takes_over():
    with Peer(WIRE.port) as peer:
        answer = peer.ask(head("GET", "/parrot", "Upgrade: Parrot", "Connection: Upgrade") + b"at once;")
        check((answer.status, answer.first("Upgrade"), answer.first("Connection").lower()), (101, "parrot", "upgrade"))
        check(answer.all("Content-Length") + answer.all("Transfer-Encoding"), [])
        check(peer.take(11), b"hi\nat once;")
        check(peer.send(b"GET / HTTP/1.1\r\n\r\n").take(18), b"GET / HTTP/1.1\r\n\r\n")
        assert peer.end().is_ended()
    with Peer(WIRE.port) as peer:
        for lines in ([], ["Upgrade: parrot"], ["Connection: Upgrade"], ["Upgrade: other", "Connection: Upgrade"]):
            check(peer.get("/parrot", *lines).status, 400, lines)
        check(peer.get("/early", "Upgrade: parrot", "Connection: Upgrade").status, 103, "who does not care")
        check(peer.response().body, b"late")


def a_response_that_breaks_off_shows_it():
    """Nothing is appended: the peer gets less than was promised, and the end."""
    for path, expected in (("/break", b"four"), ("/break/chunks", b"4\r\nfour\r\n")):
        with Peer(WIRE.port) as peer:
            peer.send(head("GET", path) + head("GET", "/early"))
            try:
                data = peer.rest()
            except ConnectionResetError:
                data = peer.bytes
            body = data.partition(b"\r\n\r\n")[2]
            assert expected.startswith(body), f"{path}: {data}"


def who_is_refused_first_is_not_invited():
    for size in (5, 10**9):
        with Peer(plain()) as peer:
            answer = peer.ask(head("POST", "/hello", f"Content-Length: {size}", "Expect: 100-continue"))
            check((answer.status, answer.first("Connection")), (405, "close"))
            assert peer.is_ended()


def a_refused_body_is_dropped():
    with Peer(plain()) as peer:
        check(peer.ask(head("POST", "/hello", "Content-Length: 100000") + b"x" * 100000).status, 405)
        check(peer.ask(head("POST", "/hello", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n").status, 405)
        check(peer.get("/hello").body, b"hello", "the connection goes on")
    with Peer(plain()) as peer:
        answer = peer.ask(head("POST", "/hello", f"Content-Length: {10**9}") + b"x" * 1000)
        check((answer.status, answer.first("Connection")), (405, "close"))
        assert peer.is_ended(), "the end of a large body was waited for"


def a_refused_body_that_is_malformed_ends_in_order():
    """The answer was complete: that it is lost to a reset helps nobody."""
    for path, status in (("/hello", 405), ("/nowhere", 404)):
        for body in (b"x", b"5\r\nhello0\r\n\r\n", b"0\r\nHost: b\r\n\r\n"):
            data = head("POST", path, "Transfer-Encoding: chunked")
            with Peer(plain()) as peer:
                check(peer.ask(data + body).status, status, body)
                assert peer.is_ended()
            with Peer(plain()) as peer:
                check(peer.ask(data).status, status, body)
                assert peer.send(body).is_ended()


def a_refused_body_that_stays_out_ends_in_order():
    with Peer(hasty()) as peer:
        check(peer.ask(head("POST", "/hello", "Content-Length: 5") + b"he").status, 405)
        assert peer.is_ended()
    with Peer(hasty()) as peer:
        check(peer.ask(head("POST", "/hello", "Content-Length: 5") + b"he").status, 405)
        assert peer.end().is_ended()


def a_body_that_nobody_reads_does_not_reset():
    for size, kept in ((1, True), (200000, True), (10000000, False)):
        with Peer(plain()) as peer:
            answer = peer.ask(head("GET", "/await?ms=50", f"Content-Length: {size}") + b"x" * size)
            check((answer.status, answer.first("Connection")), (200, None if kept else "close"), size)
            check(peer.get("/hello").body if kept else peer.rest(), b"hello" if kept else b"", size)


def what_is_behind_the_last_request_does_not_reset():
    with Peer(plain()) as peer:
        peer.send(head("GET", "/hello", "Connection: close") + head("GET", "/hello") * 5000)
        check(peer.response().body, b"hello")
        assert peer.is_ended(), "more was answered"


def requests_with_bodies_that_mean_nothing():
    with Peer(plain()) as peer:
        for method, path, status in (("GET", "/hello", 200), ("HEAD", "/hello", 200), ("DELETE", "/users/7", 204), ("OPTIONS", "*", 200),
                                     ("OPTIONS", "/hello", 204), ("TRACE", "/hello", 405), ("CONNECT", "a.example:80", 405)):
            check(peer.ask(head(method, path, "Content-Length: 3") + b"abc").status, status, method)
            check(peer.ask(head(method, path, "Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n").status, status, method)


def head_is_as_get_without_content():
    with Peer(plain()) as peer:
        for path in ("/", "/hello", "/echo", "/multi", "/hr", "/hw", "/stream", "/empty", "/code?c=404&b=gone", "/err", "/notbytes",
                     "/redir", "/red2", "/hdr", "/host", "/big?n=300000", "/data", "/nf", "/fb", "/ep", "/static/foo.txt",
                     "/static/", "/one", "/gone", "/dir/", "/json", "/users/7", "/await?ms=1", "/delay?ms=1", "/thread",
                     "/hello.txt", "/nowhere", "/content", "/dir"):
            got, heads = peer.get(path), peer.get(path, method="HEAD")
            check(heads.status, got.status, path)
            if path in ("/echo", "/content", "/dir"):
                continue  # the method is part of the answer
            without = lambda answer: [field for field in answer.fields if field[0] != "Date"]
            check(without(heads), without(got), path)


def statuses_without_content():
    with Peer(plain()) as peer:
        for status in (204, 304):
            answer = peer.get(f"/code?c={status}&b=ignored")
            check((answer.status, answer.first("Transfer-Encoding")), (status, None))
            check(peer.get("/hello").body, b"hello", f"behind {status}")
        check(peer.get("/code?c=204").first("Content-Length"), None)
        answer = peer.get("/code?c=205&b=ignored")
        check((answer.status, answer.body, answer.first("Content-Length")), (205, b"", "0"))


# ---- connections ----


def is_kept(data, port=None):
    with Peer(port or plain()) as peer:
        answer = peer.ask(data)
        check(answer.status, 200, data)
        if "close" in (answer.first("Connection") or ""):
            assert peer.is_ended(), data
            return False
        check(peer.get("/hello").body, b"hello", data)
        return True


def connections_are_kept_as_asked():
    for connection, kept in (("", True), ("keep-alive", True), ("close", False), ("Close", False), ("x, close", False),
                             ("close,x", False), (", ,close", False), ("closed", True), ("x-close", True), ("Upgrade", True),
                             ("keep-alive, close", False)):
        check(is_kept(head("GET", "/hello", f"Connection: {connection}")), kept, f"1.1 {connection}")
    check(is_kept(head("GET", "/hello", "Connection: x", "Connection: close")), False)
    check(is_kept(head("GET", "/hello", "Connection: close", "Connection: keep-alive")), False)
    for connection, kept in (("x", False), ("keep-alive", True), ("Keep-Alive", True), ("x, keep-alive", True),
                             ("close, keep-alive", False), ("keep-alive-not", False)):
        check(is_kept(f"GET /hello HTTP/1.0\r\nConnection: {connection}\r\n\r\n".encode()), kept, f"1.0 {connection}")
    check(is_kept(b"GET /hello HTTP/1.0\r\n\r\n"), False)
    check(is_kept(b"GET /hello HTTP/1.0\r\nConnection: x\r\nConnection: keep-alive\r\n\r\n"), True)


def what_is_kept_is_said_to_1_0():
    answer = ask(plain(), b"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    check(answer.first("Connection").lower(), "keep-alive")
    check(get(plain(), "/hello").first("Connection"), None)


def pipelined_requests_are_answered_in_order():
    with Peer(plain()) as peer:
        peer.send(head("GET", "/delay?ms=50") + head("GET", "/hello") + CHUNKED + b"3\r\nabc\r\n0\r\n\r\n" + head("GET", "/await?ms=20")
                  + head("HEAD", "/data") + head("POST", "/content", "Content-Length: 2") + b"de" + head("GET", "/json", "Connection: close"))
        got = [peer.response(method).body for method in ("GET", "GET", "POST", "GET", "HEAD", "POST", "GET")]
        check(got, [b"late/delay?ms=50", b"hello", b"abc", b"late/await?ms=20", b"", b"de", b'{"message":"Hello, World!"}'])
        assert peer.is_ended()


def a_thousand_pipelined_requests_and_the_end():
    with Peer(plain()) as peer:
        peer.send(b"".join(head("GET", f"/code?c=200&b={i}") for i in range(1000))).end()
        check([peer.response().body for _ in range(1000)], [b"%d" % i for i in range(1000)])
        assert peer.is_ended()


def bursts_of_sixteen():
    with Peer(plain()) as peer:
        for burst in range(100):
            peer.send(head("GET", "/hello") * 16)
            for _ in range(16):
                check(peer.response().body, b"hello", burst)


def pipelined_requests_in_odd_pieces():
    data = b"".join(head("POST", "/content", "Content-Length: 3") + b"%03d" % i for i in range(60))
    for size in (1, 7, 63, 1000):
        with Peer(plain()) as peer:
            for at in range(0, len(data), size):
                peer.send(data[at:at + size])
            check([peer.response().body for _ in range(60)], [b"%03d" % i for i in range(60)], size)


def answers_come_after_the_end_of_the_peer():
    for path, body in (("/hello", b"hello"), ("/delay?ms=100", b"late/delay?ms=100"), ("/await?ms=100", b"late/await?ms=100")):
        with Peer(plain()) as peer:
            check(peer.send(head("GET", path)).end().response().body, body)
            assert peer.is_ended()
    with Peer(plain()) as peer:
        size = 5000000
        check(len(peer.send(head("GET", f"/big?n={size}")).end().response().body), size)


def the_end_within_a_request():
    for data in (b"", b"\r\n", b"GET", b"GET / HTTP/1.1\r\nHost: a\r\n"):
        with Peer(plain()) as peer:
            assert peer.send(data).end().is_ended(), f"{data}: something was answered"
    with Peer(plain()) as peer:
        answer = peer.send(head("POST", "/content", "Content-Length: 5") + b"hel").end().response()
        check((answer.status, answer.first("Connection")), (400, "close"))
        assert peer.is_ended()
    with Peer(plain()) as peer:
        check(peer.send(CHUNKED + b"5\r\nhel").end().response().status, 400)


def an_aborted_answer_is_seen():
    """What was promised and does not come is no end in order, or one that the length shows."""
    with Peer(plain()) as peer:
        peer.send(head("GET", "/lose"))
        try:
            check(peer.rest(), b"")
        except ConnectionResetError:
            pass


def idle_connections_end_silently():
    with Peer(hasty()) as peer:
        assert peer.is_ended(), "something was said to who never asked"
    with Peer(hasty()) as peer:
        check(peer.get("/hello").body, b"hello")
        began = time.monotonic()
        assert peer.is_ended(), "something was said"
        assert time.monotonic() - began > 0.5, "at once"


CASES = [
    the_table_of_bad_requests_is_read,
    bad_requests_are_answered_and_closed,
    bad_requests_in_single_bytes_too,
    a_refusal_survives_unread_input,
    what_is_pipelined_behind_a_bad_request_is_not_answered,
    long_targets_are_414,
    sections_to_16384_bytes,
    fields_to_500,
    chunk_lines_to_1023_bytes,
    trailers_to_65536_bytes,
    all_forms_of_targets,
    an_absolute_target_replaces_host,
    https_is_not_asked_for_in_the_clear,
    trace_is_off,
    methods_that_nobody_takes,
    one_empty_line_goes_before_a_request,
    higher_minors_are_served_as_1_1,
    fields_come_as_they_were_sent,
    bodies_of_a_length,
    chunked_bodies,
    a_coding_is_named_in_any_case,
    answers_without_length_are_chunked,
    a_body_is_invited_when_it_is_read,
    who_does_not_wait_is_not_invited,
    a_body_too_large_is_not_invited,
    bodies_beyond_the_limit_are_413,
    interim_responses,
    trailers_come_in,
    trailers_go_to_who_takes_them,
    another_protocol_takes_over,
    a_response_that_breaks_off_shows_it,
    who_is_refused_first_is_not_invited,
    a_refused_body_is_dropped,
    a_refused_body_that_is_malformed_ends_in_order,
    a_refused_body_that_stays_out_ends_in_order,
    a_body_that_nobody_reads_does_not_reset,
    what_is_behind_the_last_request_does_not_reset,
    requests_with_bodies_that_mean_nothing,
    head_is_as_get_without_content,
    statuses_without_content,
    connections_are_kept_as_asked,
    what_is_kept_is_said_to_1_0,
    pipelined_requests_are_answered_in_order,
    a_thousand_pipelined_requests_and_the_end,
    bursts_of_sixteen,
    pipelined_requests_in_odd_pieces,
    answers_come_after_the_end_of_the_peer,
    the_end_within_a_request,
    an_aborted_answer_is_seen,
    idle_connections_end_silently,
]

with SITE, WIRE:
    exit_code = run_cases(CASES)
sys.exit(exit_code)
