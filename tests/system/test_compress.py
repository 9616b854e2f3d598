#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compressed responses as peers get them: curl, raw bytes, pipelined, slow peers, and those that leave; and compressed requests.

    test_compress.py BUILD_DIR ROOT

Prints TAP.
"""
import os
import pathlib
import shutil
import sys
import tempfile
import time
import zlib

from serving import SECONDS, App, Peer, ReferenceSite, check, get, head, run, run_cases, wait_until

BUILD = pathlib.Path(sys.argv[1])
SITE = App(BUILD / "tests/system/compress_site", "--workers", "0")  # in one process, whose memory is looked at
LINE, MIB = 64, 1 << 20


def ungzip(body):
    """Of a whole stream, to its last byte."""
    decoder = zlib.decompressobj(31)
    plain = decoder.decompress(body) + decoder.flush()
    assert decoder.eof and not decoder.unused_data, "the stream is not whole"
    return plain


def lines(count):
    return get(SITE.port, f"/whole?lines={count}").body


def by_gzip(path, *fields, method="GET"):
    return get(SITE.port, path, "Accept-Encoding: gzip", *fields, method=method)


def check_gzip(answer, expected):
    check((answer.status, answer.first("Content-Encoding"), answer.first("Vary")), (200, "gzip", "Accept-Encoding"))
    check(ungzip(answer.body) == expected, True, "what was decoded is what was sent")


# ---- curl ----


def curl(port, path, *options):
    ended = run("curl", "-q", "-sS", "--noproxy", "*", "--max-time", str(SECONDS - 5), *options, f"http://127.0.0.1:{port}{path}")
    check(ended.returncode, 0, f"{path} {options}: {ended.stderr.decode()}")
    return ended.stdout


def curl_codings():
    """Those that this curl can decode, beside gzip."""
    features = run("curl", "--version").stdout.decode()
    return ["gzip", *(["br"] if "brotli" in features else []), *(["zstd"] if "zstd" in features else [])]


def curl_decodes_the_reference():
    with ReferenceSite(BUILD) as site:
        for options in ((), ("--http1.0",)):
            check(curl(site.port, "/gz", "--compressed", *options), b"Some data" * 50)
            check(curl(site.port, "/gz", *options), b"Some data" * 50)
        told = curl(site.port, "/gz", "--compressed", "-I").decode()
        assert "\r\nContent-Encoding: gzip\r\n" in told and "\r\nVary: Accept-Encoding\r\n" in told, told


def curl_decodes_the_tutorial():
    with App(BUILD / "examples/23_compression") as program:
        plain = curl(program.port, "/list")
        check(len(plain), 24892)
        for coding in curl_codings():
            check(curl(program.port, "/list", "--compressed", "-H", f"Accept-Encoding: {coding}"), plain, coding)
            coded = int(curl(program.port, "/list", "-H", f"Accept-Encoding: {coding}", "-o", os.devnull, "-w", "%{size_download}"))
            assert coded == 24892 if coding not in built() else 100 < coded < 8000, (coding, coded)
        check(curl(program.port, "/progress", "--compressed", "-N"), b"step 1 of 3\nstep 2 of 3\nstep 3 of 3\n")


def curl_decodes_long_ones():
    expected = lines(100000)
    check(len(expected), 100000 * LINE)
    for path in ("/whole", "/written"):
        for coding in curl_codings():
            got = curl(SITE.port, f"{path}?lines=100000", "--compressed", "-H", f"Accept-Encoding: {coding}")
            check(got == expected, True, f"{path} by {coding}")


def built():
    """The codings of this build, as it answers."""
    return [coding for coding in ("gzip", "br", "zstd")
            if get(SITE.port, "/whole", f"Accept-Encoding: {coding}").first("Content-Encoding") == coding]


# ---- compressed requests ----


def gzipped(plain):
    encoder = zlib.compressobj(1, wbits=31)
    return encoder.compress(plain) + encoder.flush()


def put(body, *options):
    """Its status, and what came, by curl."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        told = curl(SITE.port, "/sum", "-T", file.name, "-w", "\\n%{http_code} %{size_upload}", *options).decode()
    rest, _, last = told.rpartition("\n")
    return int(last.split()[0]), rest, int(last.split()[1])


def curl_uploads_compressed():
    plain = os.urandom(MIB // 2).hex().encode() * 16
    body, expected = gzipped(plain), f"{len(plain)} {sum(plain)}"
    check(put(body, "-H", "Content-Encoding: gzip")[:2], (200, expected))
    memory = SITE.resident_bytes()
    for options in (["-H", "Expect:"], ["-H", "Transfer-Encoding: chunked"], ["--http1.0"]):
        check(put(body, "-H", "Content-Encoding: x-gzip", *options)[:2], (200, expected), options)
    for tool, coding in (("brotli", "br"), ("zstd", "zstd")):
        if coding in built() and shutil.which(tool):
            with tempfile.NamedTemporaryFile() as file:
                file.write(plain)
                file.flush()
                check(put(run(tool, "-c", "-3", file.name).stdout, "-H", f"Content-Encoding: {coding}")[:2], (200, expected), coding)
    grown = SITE.resident_bytes() - memory
    print(f"# after some uploads of 16 MiB: {grown / MIB:.2f} MiB more")
    assert grown < 30 * MIB or SANITIZED, f"{grown / MIB:.1f} MiB: a decoder of brotli has 17 MiB at most"


def a_bomb_is_stopped_and_costs_nothing():
    memory = SITE.resident_bytes()
    check(put(gzipped(bytes(256 * MIB)), "-H", "Content-Encoding: gzip")[0], 413)
    grown = SITE.resident_bytes() - memory
    assert grown < 2 * MIB or SANITIZED, f"{grown / MIB:.1f} MiB"


def what_is_not_taken_is_refused():
    plain = os.urandom(2 * MIB)
    body = gzipped(plain)
    check(put(body[:-1], "-H", "Content-Encoding: gzip")[0], 400)
    check(put(plain, "-H", "Content-Encoding: gzip")[0], 400)
    check(put(body, "-H", "Content-Encoding: identity")[:2], (200, f"{len(body)} {sum(body)}"))
    status, answer, sent = put(body, "-H", "Content-Encoding: compress", "-H", "Expect: 100-continue", "-i")
    check((status, sent), (415, 0), "it is refused before it is sent")
    assert "\r\nAccept-Encoding: gzip" in answer, answer


# ---- raw ----


def heads_are_those_of_get():
    for path in ("/whole", "/written"):
        with_body, without = by_gzip(path), by_gzip(path, method="HEAD")
        check(without.body, b"")
        check([field for field in without.fields if field[0] not in ("Date", "Transfer-Encoding")],
              [field for field in with_body.fields if field[0] not in ("Date", "Transfer-Encoding", "Content-Length")])
    with Peer(SITE.port) as peer:
        for _ in range(3):  # nothing follows a head
            peer.send(head("HEAD", "/written", "Accept-Encoding: gzip")).response("HEAD")
        check_gzip(peer.get("/whole", "Accept-Encoding: gzip"), lines(1000))


def pipelined_requests_are_answered_in_turn():
    expected = {count: lines(count) for count in (1, 10, 3000)}
    accepts = ("gzip", "identity", "br", "zstd", "gzip;q=0", "gzip, identity;q=0.5")
    asked = [(path, count, accept) for accept in accepts for path in ("/whole", "/written") for count in expected]
    with Peer(SITE.port) as peer:
        peer.send(b"".join(head("GET", f"{path}?lines={count}", f"Accept-Encoding: {accept}") for path, count, accept in asked))
        for path, count, accept in asked:
            answer = peer.response()
            check(answer.first("Vary"), None if path == "/whole" and count == 1 else "Accept-Encoding", f"{path} {count}")
            coding = answer.first("Content-Encoding")
            if coding == "gzip":
                check(ungzip(answer.body) == expected[count], True, f"{path} {count} {accept}")
            elif not coding:
                check(answer.body == expected[count], True, f"{path} {count} {accept}")
            else:
                check(coding, accept)


def an_old_peer_gets_it_up_to_the_end():
    for path in ("/whole?lines=3000", "/written?lines=3000"):
        with Peer(SITE.port) as peer:
            peer.send(head("GET", path, "Accept-Encoding: gzip").replace(b"HTTP/1.1", b"HTTP/1.0"))
            answer = peer.response()
            check(answer.all("Transfer-Encoding"), [])
            check_gzip(answer, lines(3000))
            check(peer.is_ended(), True)


def a_slow_reader_gets_all_of_it():
    expected = lines(50000)
    for path in ("/whole", "/written"):
        with Peer(SITE.port, receive_bytes=4096) as peer:
            peer.send(head("GET", f"{path}?lines=50000", "Accept-Encoding: gzip"))
            for _ in range(20):
                peer.bytes += peer.socket.recv(1000)
                time.sleep(0.01)
            check(get(SITE.port, "/tell").body, b"told")
            check_gzip(peer.response(), expected)


def events_arrive_at_once():
    for query in ("", "?type=text/plain"):
        with Peer(SITE.port) as peer:
            peer.send(head("GET", f"/events{query}", "Accept-Encoding: gzip"))
            peer.line()
            fields = dict(peer.field_lines())
            check((fields["Content-Encoding"], fields["Transfer-Encoding"]), ("gzip", "chunked"))
            decoder, plain = zlib.decompressobj(31), b""
            for number in range(3):
                while len(plain) < 9 * (number + 1):  # nothing more comes before /tell
                    size = int(peer.line(), 16)
                    plain += decoder.decompress(peer.take(size))
                    check(peer.take(2), b"\r\n")
                check(plain, b"".join(b"data: %d\n\n" % i for i in range(number + 1)))
                check(get(SITE.port, "/tell").body, b"told")
            rest, _ = peer.chunks()
            check((decoder.decompress(rest), decoder.eof), (b"", True))


# ---- peers that leave ----


def leave(number):
    """In the middle of a body, by an end or a reset, of any coding."""
    path = ("/whole", "/written", "/events")[number % 3]
    accept = ("gzip", "br", "zstd")[number // 3 % 3]
    with Peer(SITE.port, receive_bytes=4096) as peer:
        peer.send(head("GET", f"{path}?lines=20000", f"Accept-Encoding: {accept}"))
        peer.socket.recv(10 if path == "/events" else 2000)
        if number % 2:
            peer.reset()


def peers_that_leave_leave_nothing():
    for number in range(40):  # what is kept for the next ones is there then
        leave(number)
    wait_until(lambda: not others(), "the first to be let go")
    memory = SITE.resident_bytes()
    for number in range(200):
        leave(number)
    wait_until(lambda: not others(), "all to be let go")
    grown = SITE.resident_bytes() - memory
    print(f"# after 200: {grown / MIB:.2f} MiB more")
    assert grown < 200 * 40000 or SANITIZED, f"{grown / MIB:.1f} MiB: an encoder of gzip has 0.3 MiB"
    check_gzip(by_gzip("/written?lines=3000"), lines(3000))


def others():
    """Connections that the server still has, beyond what it has when it has none."""
    return max(0, SITE.file_count() - FILES)


SANITIZED = "asan" in str(BUILD)

CASES = [
    *([curl_decodes_the_reference, curl_decodes_the_tutorial, curl_decodes_long_ones, curl_uploads_compressed,
       a_bomb_is_stopped_and_costs_nothing, what_is_not_taken_is_refused] if shutil.which("curl") else []),
    heads_are_those_of_get,
    pipelined_requests_are_answered_in_turn,
    an_old_peer_gets_it_up_to_the_end,
    a_slow_reader_gets_all_of_it,
    events_arrive_at_once,
    peers_that_leave_leave_nothing,
]

if __name__ == "__main__":
    with SITE:
        FILES = SITE.file_count()
        sys.exit(run_cases(CASES))
