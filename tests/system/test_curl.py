#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What people have at hand asks the built servers: curl, and Python's own client.

    test_curl.py BUILD_DIR ROOT

Prints TAP.
"""
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zlib

from serving import SECONDS, ReferenceSite, check, run, run_cases

BUILD = pathlib.Path(sys.argv[1])
SITE = ReferenceSite(BUILD)
MIB = 1 << 20


def curl(path, *options, port=0):
    """Its exit code, and what it printed: the head (by -i), and the body."""
    ended = run("curl", "-q", "-sS", "--noproxy", "*", "--max-time", str(SECONDS - 5), *options, f"http://127.0.0.1:{SITE.port + port}{path}")
    check(ended.returncode, 0, f"{path} {options}: {ended.stderr.decode()}")
    return ended.stdout


def curl_code(path, *options):
    return int(curl(path, "-o", os.devnull, "-w", "%{http_code}", *options))


def it_gets():
    check(curl("/hello"), b"hello")
    check(curl("/static/foo.txt"), b"0123456789" * 6 + b"abcd")
    check(curl("/big?n=5000000"), b"x" * 5000000)
    check(curl("/stream"), b"HelloWorld!")


def it_speaks_1_0():
    for path, body in (("/hello", b"hello"), ("/stream", b"HelloWorld!"), ("/big?n=100000", b"x" * 100000)):
        check(curl(path, "--http1.0"), body, path)
    answer = curl("/hello", "--http1.0", "-i")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b"\r\n\r\nhello"), answer


def it_gets_heads():
    answer = curl("/static/foo.txt", "-I")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and b"\r\nContent-Length: 64\r\n" in answer, answer
    assert answer.endswith(b"\r\n\r\n"), answer
    check(curl("/stream", "-I").count(b"\r\n\r\n"), 1)


def it_uploads_20_mib():
    with tempfile.NamedTemporaryFile() as file:
        data = os.urandom(MIB) * 20
        file.write(data)
        file.flush()
        for options in (["-T", file.name], ["-T", file.name, "-H", "Transfer-Encoding: chunked"], ["--data-binary", "@" + file.name],
                        ["-T", file.name, "-H", "Expect:"], ["--http1.0", "-T", file.name]):
            check(json.loads(curl("/upload", *options)), {"length": len(data), "crc32": zlib.crc32(data)}, options)


def it_uploads_a_pipe():
    command = ["curl", "-q", "-sS", "--noproxy", "*", "--max-time", "20", "-T", "-", f"http://127.0.0.1:{SITE.port}/upload"]
    ended = subprocess.run(command, input=b"piped", capture_output=True, timeout=SECONDS)
    check(json.loads(ended.stdout), {"length": 5, "crc32": zlib.crc32(b"piped")})


def a_refused_upload_ends_at_once():
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(20 * MIB)
        check(curl_code("/hello", "-T", file.name), 405)
        check(curl_code("/nowhere", "-T", file.name), 404)


def it_takes_compression_or_not():
    check(curl("/static/foo.txt", "--compressed"), curl("/static/foo.txt"))
    check(curl("/stream", "--compressed"), b"HelloWorld!")


def its_fields_arrive():
    lines = curl("/echo", "-H", "X-A: b", "-H", "X-A: c", "-H", "X-Empty;", "-H", "User-Agent: me", "-A", "me", "-e", "http://a/", "-b", "k=v").decode().split("\n")
    for line in ("X-A: b", "X-A: c", "X-Empty: ", "User-Agent: me", "Referer: http://a/", "Cookie: k=v"):
        assert line in lines, f"{line} is not in {lines}"
    assert b"Host: a.example\n" in curl("/echo", "-H", "Host: a.example")
    check(curl_code("/echo", "-H", "Host:"), 400)


def ranges_are_answered_or_ignored():
    whole = b"0123456789" * 6 + b"abcd"
    for given, part in (("0-4", whole[:5]), ("60-", whole[60:]), ("-4", whole[-4:])):
        answer = curl("/static/foo.txt", "-r", given, "-i")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert (head.split(b" ")[1], body) in ((b"206", part), (b"200", whole)), (given, head, body)
    check(curl("/hello", "-r", "0-1"), b"hello")


def other_methods():
    check(curl("/users/7", "-X", "DELETE", "-o", "-", "-w", "%{http_code}"), b"204")
    check(curl("/multi", "-X", "HEH"), b"ho ho")
    check(curl_code("/hello", "-X", "TRACE"), 405)
    check(curl_code("/", "-X", "OPTIONS", "--request-target", "*"), 200)
    assert curl("/echo", "-d", "a=b").endswith(b"body=3:a=b")


def connections_are_used_again():
    url = f"http://127.0.0.1:{SITE.port}"
    ended = run("curl", "-q", "-sS", "--noproxy", "*", "-w", "%{num_connects}\n", *sum((["-o", os.devnull, url + path] for path in ("/hello", "/stream", "/nowhere", "/big?n=99999")), []))
    check(ended.stdout, b"1\n0\n0\n0\n")
    ended = run("curl", "-q", "-sS", "--noproxy", "*", "-L", "-w", "%{num_connects} %{num_redirects}", url + "/red2/y")
    check((ended.returncode, ended.stdout.split(b"\n")[-1]), (0, b"1 1"))


def it_sees_the_early_end():
    ended = run("curl", "-q", "-sS", "--noproxy", "*", f"http://127.0.0.1:{SITE.port}/lose")
    assert ended.returncode in (52, 56), ended  # an empty reply, or a reset


def pythons_client_keeps_its_connection():
    connection = http.client.HTTPConnection("127.0.0.1", SITE.port, timeout=SECONDS)
    for number in range(100):
        connection.request("POST", "/content", b"%d" % number)
        check(connection.getresponse().read(), b"%d" % number)
        connection.request("PUT", "/upload", (b"abc" for _ in range(10)), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
        check(json.loads(connection.getresponse().read())["length"], 30)
    connection.close()


def h2load_of_http_1():
    ended = run("h2load", "--h1", "-n", "20000", "-c", "20", "-t", "1", "-m", "8", f"http://127.0.0.1:{SITE.port}/hello")
    assert b"20000 succeeded, 0 failed, 0 errored, 0 timeout" in ended.stdout, ended.stdout
    assert b"20000 2xx" in ended.stdout, ended.stdout


CASES = [
    it_gets,
    it_speaks_1_0,
    it_gets_heads,
    it_uploads_20_mib,
    it_uploads_a_pipe,
    a_refused_upload_ends_at_once,
    it_takes_compression_or_not,
    its_fields_arrive,
    ranges_are_answered_or_ignored,
    other_methods,
    connections_are_used_again,
    it_sees_the_early_end,
    pythons_client_keeps_its_connection,
]

if not shutil.which("curl"):
    print("1..0 # SKIP there is no curl here")
    sys.exit(0)
if shutil.which("h2load"):
    CASES.append(h2load_of_http_1)
with SITE:
    exit_code = run_cases(CASES)
sys.exit(exit_code)
