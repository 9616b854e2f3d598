#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The programs of the tutorial and the example site, run and asked over loopback.

    test_examples.py BUILD_DIR ROOT

Each is started on a port that the kernel chooses, asked, and stopped by SIGTERM, upon which it must exit with 0.
Prints TAP.
"""
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import zlib

BUILD, ROOT = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
SECONDS = 20


class Program:
    """A program that serves, for the length of a `with`."""

    def __init__(self, name, *arguments):
        self.command = [str(BUILD / name), *arguments, "--listen", "127.0.0.1:0", "--log-format", "json"]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        self.port = 0
        for line in self.process.stderr:
            found = re.search(r'"url":"http://127\.0\.0\.1:(\d+)/"', line)
            if found:
                self.port = int(found[1])
                return self
        raise AssertionError(f"{self.command[0]} did not say where it listens")

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("SIGTERM did not end it") from None
        finally:
            self.process.stderr.close()
        assert kind or code == 0, f"it exited with {code}"

    def ask(self, method, path, body=None, **fields):
        """The status, the fields and the body of the answer, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(method, path, body, fields)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path):
        status, _, body = self.ask("GET", path)
        assert status == 200, f"{path}: {status}"
        return body


def check(got, expected):
    assert got == expected, f"got {got!r}, expected {expected!r}"


def hello_says_hello():
    with Program("examples/01_hello") as program:
        check(program.get("/"), b"Hello, World!\n")
        status, fields, body = program.ask("HEAD", "/")
        check((status, fields["Content-Length"], body), (200, "14", b""))


def hello_has_help():
    help_text = subprocess.run([BUILD / "examples/01_hello", "--help"], capture_output=True, text=True, timeout=SECONDS)
    check(help_text.returncode, 0)
    assert "--listen" in help_text.stdout
    wrong = subprocess.run([BUILD / "examples/01_hello", "--lisen=1"], capture_output=True, text=True, timeout=SECONDS)
    check(wrong.returncode, 2)
    assert "did you mean --listen" in wrong.stderr, wrong.stderr


def a_port_in_use_is_reported():
    with Program("examples/01_hello") as program:
        second = subprocess.run([BUILD / "examples/01_hello", "--listen", f"127.0.0.1:{program.port}"],
                                capture_output=True, text=True, timeout=SECONDS)
        check(second.returncode, 1)
        assert "in use" in second.stderr, second.stderr


def routes_take_parameters():
    with Program("examples/02_routes") as program:
        check(json.loads(program.get("/users/a%20b")), {"id": "a b", "visits": 42})
        check(program.ask("DELETE", "/users/7")[0], 204)
        status, fields, _ = program.ask("PUT", "/users/7", b"")
        check((status, fields["Allow"]), (405, "GET, HEAD, DELETE, OPTIONS"))
        check(program.get("/files/a/b%2Fc.txt"), b"a/b/c.txt")
        check(program.get("/search?q=two+words"), b"two words")
        check(program.ask("GET", "/search")[0], 400)
        status, fields, _ = program.ask("POST", "/old", b"x")
        check((status, fields["Location"]), (301, "/"))
        check(program.ask("GET", "/nowhere")[0], 404)


def the_tree_finds_children():
    with Program("examples/03_resource_tree") as program:
        assert b"/greet/name" in program.get("/")
        check(program.get("/greet/you"), b"Hello, you!\n")
        check(program.ask("POST", "/greet/you", b"")[0], 405)
        check(program.ask("GET", "/greet")[0], 404)
        status, fields, _ = program.ask("GET", "/home/anything")
        check((status, fields["Location"]), (302, "/"))
        status, _, body = program.ask("GET", "/secret")
        check(status, 403)
        assert b"Not for you." in body


def replies_come_later():
    with Program("examples/04_deferred_reply") as program:
        for path, body, least in (("/wait", b"waited\n", 0.09), ("/timer", b"later\n", 0.09),
                                  ("/thread", b"from a thread\n", 0)):
            began = time.monotonic()
            check(program.get(path), body)
            assert time.monotonic() - began >= least, f"{path} did not wait"


def bodies_are_streamed():
    with Program("examples/05_streaming_body") as program:
        body = b"line\n" * 500000
        check(json.loads(program.ask("POST", "/count", body)[2]), {"bytes": 2500000, "lines": 500000})
        chunks = (b"abc\n" for _ in range(1000))
        check(json.loads(program.ask("POST", "/count", chunks)[2]), {"bytes": 4000, "lines": 1000})
        check(program.ask("POST", "/echo", body)[2], body)
        numbers = program.get("/numbers")
        assert numbers.startswith(b"1\n2\n") and numbers.endswith(b"\n1000000\n"), "the numbers"


def the_test_of_a_route_passes():
    run = subprocess.run([BUILD / "examples/06_testing_a_route"], capture_output=True, text=True, timeout=SECONDS)
    check((run.returncode, run.stdout), (0, "all is well\n"))


LINK = re.compile(r'(?:href|src)="([^"#]+)"')


def linked_pages(program, path="/", seen=None):
    """Follow all links within the site; each must be there, but for the one that shows an error page."""
    seen = {} if seen is None else seen
    status, fields, body = program.ask("GET", path)
    check((path, status), (path, 404 if path == "/nowhere" else 200))
    seen[path] = fields["Content-Type"]
    if seen[path].startswith("text/html"):
        for link in LINK.findall(body.decode()):
            if not re.match(r"[a-z]+:", link):
                link = link if link.startswith("/") else path.rsplit("/", 1)[0] + "/" + link
                if link not in seen:
                    linked_pages(program, link, seen)
    return seen


def the_site_holds_together():
    with Program("example_site") as program:
        types = linked_pages(program).values()
        for kind in ("text/html", "text/css", "image/svg+xml", "application/json"):
            assert any(it.startswith(kind) for it in types), f"no {kind} among the linked pages"


def the_site_is_dynamic():
    with Program("example_site") as program:
        check(program.get("/hello"), b"Hello, World!\n")
        check(json.loads(program.get("/users/7"))["id"], "7")
        program.get("/later?ms=10")
        check(program.ask("GET", "/later?ms=never")[0], 400)
        body = os.urandom(300000)
        for method in ("PUT", "POST"):
            answer = json.loads(program.ask(method, "/upload", body)[2])
            check((answer["length"], answer["crc32"]), (len(body), zlib.crc32(body)))


def the_site_revalidates():
    with Program("example_site") as program:
        _, fields, _ = program.ask("GET", "/style.css")
        status, _, body = program.ask("GET", "/style.css", **{"If-None-Match": fields["ETag"]})
        check((status, body), (304, b""))


def the_command_serves_a_folder():
    with Program("torc", "web", "--path", "examples/site/pages") as program:
        assert b"Torc" in program.get("/")
        check(program.ask("GET", "/nowhere")[0], 404)
        check(program.ask("POST", "/", b"")[0], 405)


CASES = [
    hello_says_hello,
    hello_has_help,
    a_port_in_use_is_reported,
    routes_take_parameters,
    the_tree_finds_children,
    replies_come_later,
    bodies_are_streamed,
    the_test_of_a_route_passes,
    the_site_holds_together,
    the_site_is_dynamic,
    the_site_revalidates,
    the_command_serves_a_folder,
]


def main():
    failed = 0
    print(f"1..{len(CASES)}")
    for number, case in enumerate(CASES, 1):
        try:
            case()
            print(f"ok {number} {case.__name__}")
        except (AssertionError, OSError, http.client.HTTPException, subprocess.SubprocessError, ValueError) as error:
            failed += 1
            print(f"not ok {number} {case.__name__}\n# {error!r}")
    return 1 if failed else 0


sys.exit(main())
