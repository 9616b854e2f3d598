#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The programs of the tutorial and the example site, run and asked over loopback.

    test_examples.py BUILD_DIR ROOT

Each is started on a port that the kernel chooses, asked, and stopped by SIGTERM, upon which it must exit with 0.
Prints TAP.
"""
import gzip
import hashlib
import html
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zlib

from serving import SECONDS, App, Peer, Server, Skipped, check, head, run, run_cases, wait_until

BUILD, ROOT = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
PAGES = ROOT / "examples/site/pages"


def example(name, *arguments):
    return App(BUILD / "examples" / name, *arguments)


def site(*arguments):
    return App(BUILD / "example_site", "--pages", PAGES, *arguments)


def ask(program, method, path, body=None, *lines):
    """The answer, on a connection of its own; a body that is a list is sent in chunks."""
    data = b""
    if isinstance(body, list):
        lines += ("Transfer-Encoding: chunked",)
        data = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in body) + b"0\r\n\r\n"
    elif body is not None:
        lines += (f"Content-Length: {len(body)}",)
        data = body
    with Peer(program.port) as peer:
        return peer.ask(head(method, path, *lines) + data, method)


def get(program, path):
    answer = ask(program, "GET", path)
    check(answer.status, 200, path)
    return answer.body


def json_goes_into_structs_and_out_again():
    kind = "Content-Type: application/json"
    with example("19_json_apis") as program:
        answer = ask(program, "POST", "/orders", b'{"customer":"Ada","items":[{"product":"tea","price":2.5,"count":4}]}', kind)
        check((answer.status, answer.first("Content-Type")), (201, "application/json"))
        check(answer.body, b'{"customer":"Ada","items":[{"product":"tea","size":"small","count":4,"price":2.5}],"total":10}')
        answer = ask(program, "POST", "/orders", b'{"customer":"Ada","items":[{"product":"","price":-1}],"vip":true}', kind)
        check((answer.status, answer.first("Content-Type")), (422, "application/problem+json"))
        check([error["pointer"] for error in json.loads(answer.body)["errors"]], ["#/items/0/product", "#/items/0/price", "#/vip"])
        answer = ask(program, "POST", "/orders", [b'{"customer":"Ada"', b",}"], kind)
        check(answer.status, 400)
        assert "Line 1, column 19" in json.loads(answer.body)["detail"], answer.body
        check(ask(program, "POST", "/orders", b"customer=Ada", "Content-Type: application/x-www-form-urlencoded").status, 415)
        answer = ask(program, "POST", "/count", b'[1.50, "x"]', "Content-Type: text/x+json; charset=utf-8")
        check(json.loads(answer.body), {"kind": "an array", "count": 2, "first": 1.5})
        schema = json.loads(get(program, "/orders/schema"))
        check(schema["required"], ["customer", "items"])
        check(schema["properties"]["items"]["items"]["properties"]["size"], {"enum": ["small", "large"], "default": "small"})


def filters_stand_around_routes():
    with example("22_filters") as program:
        answer = ask(program, "GET", "/")
        policy = answer.first("Content-Security-Policy")
        nonce = re.search(r"'nonce-([\w+/]{22})'", policy).group(1)
        assert f'nonce="{nonce}"'.encode() in answer.body, answer.body
        assert re.fullmatch(r"[0-9a-f]{32}", answer.first("X-Request-ID")), answer.fields
        check((answer.first("X-Frame-Options"), answer.first("RateLimit-Policy")), ("DENY", '"default";q=100;w=60'))
        check(ask(program, "GET", "/health").first("RateLimit"), None)

        answer = ask(program, "GET", "/api/me")
        check((answer.status, answer.first("Cache-Control")), (403, "no-store"))
        assert "Origin" in answer.first("Vary").split(", "), answer.fields
        key, page = "X-Api-Key: sesame", "Origin: https://app.example"
        answer = ask(program, "GET", "/api/me", None, key, page)
        check((answer.status, answer.body, answer.first("Access-Control-Allow-Origin")), (200, b"Ali", "https://app.example"))
        answer = ask(program, "OPTIONS", "/api/me", None, page, "Access-Control-Request-Method: PUT")
        check((answer.status, answer.first("Access-Control-Max-Age")), (204, None))
        check(ask(program, "POST", "/api/me", b"x" * 10001, key).status, 413)
        statuses = [ask(program, "GET", "/").status for _ in range(30)]
        assert set(statuses) == {200, 429} and statuses[-1] == 429, statuses
        check(ask(program, "GET", "/health").status, 200)


def pages_are_compressed():
    with example("23_compression") as program:
        plain = ask(program, "GET", "/list")
        coded = ask(program, "GET", "/list", None, "Accept-Encoding: gzip, deflate")
        check((coded.first("Content-Encoding"), coded.first("Vary")), ("gzip", "Accept-Encoding"))
        check(plain.first("Vary"), "Accept-Encoding")
        check(gzip.decompress(coded.body), plain.body)
        check((len(plain.body), len(json.loads(plain.body))), (24892, 1000))
        assert len(coded.body) < len(plain.body) / 4, len(coded.body)
        steps = ask(program, "GET", "/progress", None, "Accept-Encoding: gzip")
        check(gzip.decompress(steps.body), b"step 1 of 3\nstep 2 of 3\nstep 3 of 3\n")
        told = ask(program, "GET", "/account?name=Ali", None, "Accept-Encoding: gzip")
        check((told.first("Content-Encoding"), told.body[:10]), (None, b"Hello Ali,"))
        lines = gzip.compress(b"a\n" * 300000)
        check(ask(program, "POST", "/lines", lines, "Content-Encoding: gzip").body, b"300000 lines\n")
        check(ask(program, "POST", "/lines", lines[:-1], "Content-Encoding: gzip").status, 400)
        check(ask(program, "POST", "/lines", gzip.compress(bytes(2000000)), "Content-Encoding: gzip").status, 413)
        refused = ask(program, "POST", "/lines", lines, "Content-Encoding: compress")
        check((refused.status, refused.first("Accept-Encoding").split(", ")[0]), (415, "gzip"))


def errors_have_pages():
    with example("25_error_pages") as program:
        answer = ask(program, "GET", "/nowhere")
        check((answer.status, answer.first("Vary")), (404, "Accept"))
        assert b"There is no such page." in answer.body, answer.body
        answer = ask(program, "GET", "/nowhere", None, "Accept: application/json")
        check((answer.status, answer.first("Content-Type")), (404, "application/problem+json"))
        check(json.loads(answer.body), {"title": "Not Found", "status": 404})
        answer = ask(program, "GET", "/api/stock/tea")
        check(json.loads(answer.body), {"type": "https://errors.example/too-slow", "title": "Gateway Timeout", "status": 504, "instance": "/api/errors"})
        answer = ask(program, "GET", "/api/buy")
        check((answer.status, answer.first("Allow"), answer.first("Content-Type")), (405, "POST, OPTIONS", "application/problem+json"))
        check(json.loads(ask(program, "POST", "/api/buy").body)["detail"], "It is sold out.")
        answer = ask(program, "GET", "/crash")
        assert answer.status == 500 and b"paper" not in answer.body, answer.body
        for given, location in (("//evil.example/", "/"), ("/a?b", "/a?b"), ("https://evil.example/", "/"), ("/%5Cevil.example", "/")):
            check(ask(program, "GET", f"/leave?next={given}").first("Location"), location)


def developers_are_told_of_errors():
    with example("25_error_pages", "--show-errors") as program:
        answer = ask(program, "GET", "/crash?token=s3cret", None, "Authorization: Basic s3cret")
        for part in (b"the printer is out of paper", b"GET /crash", b"crash+0x", b"Stack", b"[hidden]"):
            assert part in answer.body, (part, answer.body)
        assert answer.status == 500 and b"s3cret" not in answer.body, answer.body


def virtual_hosts_have_a_site_each():
    with example("24_virtual_hosts") as program:
        def at(host, path, *lines):
            with Peer(program.port) as peer:
                return peer.ask(head("GET", path, *lines, host=host), "GET")

        check(at("shop.example.com", "/").body, b"The shop.\n")
        for path in ("/articles/7", "/item-7.html"):
            check(json.loads(at("Shop.example.com:80", path).body), {"article": "7"}, path)
        answer = at("shop.example.com", "/catalogue/7?a=b")
        check((answer.status, answer.first("Location")), (308, "/articles/7?a=b"))
        check(at("ann.example.com", "/any/where").body, b"The page of ann.\n")
        check([at("localhost", path).status for path in ("/", "/x/y")], [421, 421])
        check(at("localhost", "/~nobody-of-that-name/").status, 404)


def hello_says_hello():
    with example("01_hello") as program:
        check(get(program, "/"), b"Hello, World!\n")
        answer = ask(program, "HEAD", "/")
        check((answer.status, answer.first("Content-Length"), answer.body), (200, "14", b""))


def hello_has_help():
    answer = run(BUILD / "examples/01_hello", "--help")
    check(answer.returncode, 0)
    assert b"--listen" in answer.stdout, answer.stdout
    answer = run(BUILD / "examples/01_hello", "--lisen=1")
    check(answer.returncode, 2)
    assert b"did you mean --listen" in answer.stderr, answer.stderr


def a_port_in_use_is_reported():
    with example("01_hello") as program:
        second = run(BUILD / "examples/01_hello", "--listen", f"127.0.0.1:{program.port}")
        check(second.returncode, 1)
        assert b"in use" in second.stderr, second.stderr


def routes_take_parameters():
    with example("02_routes") as program:
        check(json.loads(get(program, "/users/a%20b")), {"id": "a b", "visits": 42})
        check(ask(program, "DELETE", "/users/7").status, 204)
        answer = ask(program, "PUT", "/users/7", b"")
        check((answer.status, answer.first("Allow")), (405, "GET, HEAD, DELETE, OPTIONS"))
        check(get(program, "/files/a/b%2Fc.txt"), b"a/b/c.txt")
        check(get(program, "/search?q=two+words"), b"two words")
        check(ask(program, "GET", "/search").status, 400)
        answer = ask(program, "POST", "/old", b"x")
        check((answer.status, answer.first("Location")), (301, "/"))
        check(ask(program, "GET", "/nowhere").status, 404)


def the_tree_finds_children():
    with example("03_resource_tree") as program:
        assert b"/greet/name" in get(program, "/")
        check(get(program, "/greet/you"), b"Hello, you!\n")
        check(ask(program, "POST", "/greet/you", b"").status, 405)
        check(ask(program, "GET", "/greet").status, 404)
        answer = ask(program, "GET", "/home/anything")
        check((answer.status, answer.first("Location")), (302, "/"))
        answer = ask(program, "GET", "/secret")
        check(answer.status, 403)
        assert b"Not for you." in answer.body


def replies_come_later():
    with example("04_deferred_reply") as program:
        for path, body, least in (("/wait", b"waited\n", 0.09), ("/timer", b"later\n", 0.09),
                                  ("/thread", b"from a thread\n", 0)):
            began = time.monotonic()
            check(get(program, path), body)
            assert time.monotonic() - began >= least, f"{path} did not wait"


def bodies_are_streamed():
    with example("05_streaming_body") as program:
        body = b"line\n" * 500000
        check(json.loads(ask(program, "POST", "/count", body).body), {"bytes": 2500000, "lines": 500000})
        check(json.loads(ask(program, "POST", "/count", [b"abc\n"] * 1000).body), {"bytes": 4000, "lines": 1000})
        body = body[:200000]  # it is sent before anything is read: what comes back must find room
        check(ask(program, "POST", "/echo", body).body, body)
        with Peer(program.port) as peer:  # a chunk each: HTTP/1.0 has them plain, which is quicker to read
            numbers = peer.send(b"GET /numbers HTTP/1.0\r\n\r\n").rest().partition(b"\r\n\r\n")[2]
        check(numbers, b"".join(b"%d\n" % number for number in range(1, 1000001)))


def the_test_of_a_route_passes():
    answer = run(BUILD / "examples/06_testing_a_route")
    cases = ("names_are_decoded", "other_methods_are_refused", "the_reminder_comes_after_an_hour")
    told = ["1..3", *(f"ok {number} - {name}" for number, name in enumerate(cases, 1))]
    check((answer.returncode, answer.stdout.decode().splitlines()), (0, told))


def requests_are_observed_and_logged():
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "access.log"
        with example("09_logs", "--workers", "0", "--access-log", log, "--access-log-format", "%h %m %U %s",
                     "--trusted-proxy", "127.0.0.1") as program:
            check(ask(program, "GET", "/who").body, b"127.0.0.1")
            check(ask(program, "GET", "/who", None, "X-Forwarded-For: 192.0.2.7").body, b"192.0.2.7")
            check(ask(program, "GET", "/nowhere").status, 404)
            counted = json.loads(ask(program, "GET", "/counts").body)
            check((counted["found"], counted["mistaken"], counted["lost"]), (2, 1, 0))
            assert counted["body_bytes"] > 18, counted
        check(log.read_text().splitlines(), ["127.0.0.1 GET /who 200", "192.0.2.7 GET /who 200", "127.0.0.1 GET /nowhere 404",
                                             "127.0.0.1 GET /counts 200"])


def events_are_logged():
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log"
        with example("17_logging", "--workers", "0", "--log", "stderr", "--log", f"file:{log},format=logfmt") as program:
            check(ask(program, "POST", "/buy/apple", b"").status, 200)
            check(ask(program, "POST", "/buy/unicorn", b"").status, 404)
            check(ask(program, "PUT", "/levels?off,shop.stock=debug", b"").status, 200)
            check(ask(program, "PUT", "/levels?loud", b"").status, 400)
            check(ask(program, "POST", "/buy/pear", b"").status, 200)
            check(ask(program, "PUT", "/levels?info", b"").status, 200)
            ask(program, "GET", "/login", None, "Cookie: id=secret", "Referer: https://me:secret@example.com/")
            check(json.loads(ask(program, "GET", "/errors").body), {"errors": 1})
        text = log.read_text()
        assert 'namespace=shop text="something was sold" item=apple took=' in text, text
        assert 'text="nothing was sold" failure="no unicorn in stock: ' in text, text
        assert 'level=debug namespace=shop.stock text="looked for" item=pear' in text, text
        assert "cookie=[redacted] from=https://[redacted]@example.com/" in text, text
        assert "secret" not in text and text.count("item=pear") == 1, text


def forms_are_read_and_uploads_saved():
    def part(name, value, filename=None):
        file = f'; filename="{filename}"\r\nContent-Type: image/png' if filename is not None else ""
        return f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + value + b"\r\n"

    def post(program, path, body, content_type="multipart/form-data; boundary=b"):
        with Peer(program.port) as peer:
            return peer.ask(head("POST", path, f"Content-Type: {content_type}", f"Content-Length: {len(body)}") + body)

    with tempfile.TemporaryDirectory() as folder, example("21_forms_and_uploads", "--workers", "0", "--photos", folder) as program:
        assert b"multipart/form-data" in get(program, "/")
        signed = {"name": "Ann Lee", "topics": ["a", "b"]}
        answer = post(program, "/sign", b"name=Ann+Lee&topic=a&topic=b", "application/x-www-form-urlencoded")
        check((answer.status, json.loads(answer.body)), (200, signed))
        answer = post(program, "/sign", part("name", b"Ann Lee") + part("topic", b"a") + part("topic", b"b") + b"--b--")
        check((answer.status, json.loads(answer.body)), (200, signed))
        check([post(program, "/sign", b"topic=a", kind).status for kind in ("application/x-www-form-urlencoded", "text/plain")], [422, 415])
        check(post(program, "/sign", b"name=%ff", "application/x-www-form-urlencoded").status, 422)
        photo = os.urandom(3000000)
        form = part("photo", photo, "../../cat.png") + part("photo", b"", "") + part("photo", b"2", "dog.png") + b"--b--\r\n"
        answer = post(program, "/photos", form)
        check((answer.status, json.loads(answer.body)), (201, [{"name": "cat.png", "bytes": 3000000}, {"name": "dog.png", "bytes": 1}]))
        check(sorted(os.listdir(folder)), ["photo-1", "photo-3"])
        check((pathlib.Path(folder) / "photo-1").read_bytes(), photo)
        check([post(program, "/photos", body).status for body in (form[:-6], part("a", b"x" * 2000000) + b"--b--")], [400, 413])


def files_and_threads_do_not_hold_the_loop():
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place) / "notes"
        with example("12_files_and_threads", "--workers", "0", "--notes", folder) as program:
            check(json.loads(get(program, "/notes")), [])
            check(ask(program, "PUT", "/notes/milk", b"Buy milk.").status, 201)
            check(ask(program, "PUT", "/notes/milk", b"Buy two.").status, 201)
            check(get(program, "/notes/milk"), b"Buy two.")
            check(json.loads(get(program, "/notes")), ["milk"])
            check(ask(program, "GET", "/notes/bread").status, 404)
            check(ask(program, "PUT", "/notes/a.b", b"x").status, 404)
            check(ask(program, "PUT", "/notes/%2e%2e%2fx", b"x").status, 404)
            (folder / "bread").write_text("Buy bread.")
            check(get(program, "/notes/bread"), b"Buy bread.")
            check(get(program, "/squares"), b"333333833333500000\n")
            check(get(program, "/addresses/localhost"), b"::1\n127.0.0.1\n")
            check(get(program, "/addresses/192.0.2.1"), b"192.0.2.1\n")
            answer = ask(program, "GET", "/addresses/127.1")
            check((answer.status, answer.body), (502, b"this is neither an address nor a name of a host\n"))
            wait_until(lambda: int(get(program, "/changes")) >= 3, "changes")
        check(sorted(path.name for path in folder.iterdir()), ["bread", "milk"])


def routes_wait():
    with example("10_waiting") as program:
        began = time.monotonic()
        check(json.loads(get(program, "/both")), {"name": "Ada", "city": "London"})
        assert time.monotonic() - began >= 0.059, "it did not wait for both"
        check(get(program, "/fastest"), b"Paris")
        check(ask(program, "GET", "/late").status, 504)
        check(get(program, "/turn"), b"served\n")
        check(get(program, "/thread"), b"from a thread\n")
        check(ask(program, "GET", "/jobs").status, 204)  # and has taken nothing
        for number in range(3):
            check(ask(program, "POST", "/jobs", b"job %d" % number).status, 202)
        check(ask(program, "POST", "/jobs", b"one too many").status, 503)
        for number in range(3):
            check(get(program, "/jobs"), b"job %d" % number)
        with Peer(program.port) as peer:
            peer.send(head("GET", "/jobs"))
            check(ask(program, "POST", "/jobs", b"at last").status, 202)
            check(peer.response().body, b"at last")
        answer = ask(program, "GET", "/failure")
        assert re.fullmatch(rb"no opening hours for Ada: there is no such thing \(examples/10_waiting.c:\d+\), "
                            rb"because it took too long \(examples/10_waiting.c:\d+\)", answer.body), answer.body
        check(answer.status, 404)


def versions_are_compared_and_ranges_are_sent():
    with example("07_versions_and_ranges") as program:
        check(ask(program, "GET", "/notes").first("ETag"), '"notes-3"')
        check(ask(program, "GET", "/notes", None, 'If-None-Match: "notes-3"').status, 304)
        check(ask(program, "GET", "/notes", None, "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT").status, 304)
        answer = ask(program, "GET", "/lines", None, "Range: bytes=168-183")
        check((answer.status, answer.first("Content-Range"), answer.body), (206, "bytes 168-183/1073741824", b"0000010\nline 000"))
        answer = ask(program, "GET", "/lines", None, "Range: bytes=-8, 0-3, 1073741824-")
        check(answer.status, 206)
        assert b"7108863\n\r\n--" in answer.body and answer.body.endswith(b"--\r\n"), answer.body
        check(ask(program, "GET", "/lines", None, "Range: bytes=1073741824-").status, 416)
        check(int(ask(program, "HEAD", "/lines").first("Content-Length")), 2**30)
        check(ask(program, "PUT", "/visits", b"", 'If-Match: "7"').status, 412)
        answer = ask(program, "PUT", "/visits", b"", 'If-Match: "1"')
        check((answer.status, answer.body, answer.first("ETag")), (200, b"2\n", None))
        check(ask(program, "PUT", "/visits", b"", 'If-Match: "1"').status, 412)


def files_are_served_and_listed():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "assets").mkdir()
        for name, text in (("index.htm", "index"), ("about.html", "about"), ("404.html", "missing"), ("assets/site.css", "css")):
            (root / name).write_text(text)
        (root / "assets/site.css.gz").write_bytes(gzip.compress(b"css"))
        with example("08_static_files", "--folder", folder) as program:
            check(get(program, "/"), b"index")
            answer = ask(program, "GET", "/about")
            check((answer.body, answer.first("Content-Type")), (b"about", "text/html; charset=utf-8"))
            check(answer.first("Cache-Control"), "no-cache")
            answer = ask(program, "GET", "/assets/site.css", None, "Accept-Encoding: br, gzip;q=0.5")
            check((gzip.decompress(answer.body), answer.first("Content-Encoding")), (b"css", "gzip"))
            check((answer.first("Vary"), answer.first("Content-Type")), ("Accept-Encoding", "text/css; charset=utf-8"))
            check(answer.first("Cache-Control"), "public, max-age=31536000, immutable")
            answer = ask(program, "GET", "/missing")
            check((answer.status, answer.body, answer.first("Cache-Control")), (404, b"missing", None))
            entries = json.loads(ask(program, "GET", "/files/", None, "Accept: application/json").body)["entries"]
            check([entry["name"] for entry in entries], ["assets", "404.html", "about.html", "index.htm"])
            check(ask(program, "GET", "/files/missing").body, b"There is no such file.\n")


def files_are_served_by_tls():
    """As the tutorial has it: certificates by the command, trusted by curl, and a client's own."""
    with tempfile.TemporaryDirectory() as folder:
        made, pages = pathlib.Path(folder) / "certificates", pathlib.Path(folder) / "pages"
        pages.mkdir()
        (pages / "index.html").write_text("hello")
        check(run(BUILD / "torc", "cert", "--ca", "--client", "--out", made).returncode, 0)
        pair = ["--tls-cert", made / "cert.pem", "--tls-key", made / "key.pem"]
        with App(BUILD / "examples/16_tls", "--folder", pages, *pair, listen="ssl:0:interface=127.0.0.1") as program:
            url = f"https://localhost:{program.port}"
            check(run("curl", "-sS", "--cacert", made / "authority.pem", f"{url}/").stdout, b"hello")
            told = json.loads(run("curl", "-sS", "--cacert", made / "authority.pem", f"{url}/who").stdout)
            check(told, {"secure": True, "version": "TLSv1.3", "name": "localhost", "client": ""})
        with App(BUILD / "examples/16_tls", "--folder", pages, *pair, "--tls-client-ca", made / "authority.pem",
                 listen="ssl:0:interface=127.0.0.1") as program:
            url = f"https://localhost:{program.port}/who"
            own = ["--cert", made / "cert.pem", "--key", made / "key.pem"]
            told = json.loads(run("curl", "-sS", "--cacert", made / "authority.pem", *own, url).stdout)
            check((told["secure"], told["client"]), (True, "CN=localhost"))
            assert run("curl", "-sS", "--cacert", made / "authority.pem", url).returncode != 0
        with App(BUILD / "examples/16_tls", "--folder", pages, "--tls-self-signed", listen="ssl:0:interface=127.0.0.1") as program:
            check(run("curl", "-sS", "--insecure", f"https://localhost:{program.port}/").stdout, b"hello")


LINK = re.compile(r'(?:href|src)="([^"#]+)"')


def linked_pages(program, path="/", seen=None):
    """Follow all links within the site; each must be there, but for the one that shows an error page."""
    seen = {} if seen is None else seen
    answer = ask(program, "GET", path)
    check(answer.status, 404 if path == "/nowhere" else 200, path)
    seen[path] = answer.first("Content-Type")
    if seen[path].startswith("text/html"):
        for link in LINK.findall(answer.body.decode()):
            if not re.match(r"[a-z]+:", link):
                link = link if link.startswith("/") else path.rsplit("/", 1)[0] + "/" + link
                if link not in seen:
                    linked_pages(program, link, seen)
    return seen


def the_site_holds_together():
    with site() as program:
        pages = linked_pages(program)
        for kind in ("text/html", "text/css", "image/svg+xml", "application/json"):
            assert any(it.startswith(kind) for it in pages.values()), f"no {kind} among the linked pages"
        for path in ("/", "/try", "/notes", "/files", "/cookies", "/filters", "/errors", "/engine"):
            assert path in pages, f"{path} is not linked"
            assert b"{{" not in get(program, path), f"{path} has a place that nothing was put into"


def the_site_is_dynamic():
    with site() as program:
        check(get(program, "/hello"), b"Hello, World!\n")
        check(json.loads(get(program, "/users/7"))["id"], "7")
        get(program, "/later?ms=10")
        check(ask(program, "GET", "/later?ms=never").status, 400)
        body = os.urandom(300000)
        for method in ("PUT", "POST"):
            answer = json.loads(ask(program, method, "/upload", body).body)
            check((answer["length"], answer["crc32"]), (len(body), zlib.crc32(body)))


def the_site_has_filters_around_it():
    with site() as program:
        answers = [ask(program, "GET", "/filters") for _ in range(2)]
        for answer in answers:
            policy, shown = answer.first("Content-Security-Policy"), answer.body.decode()
            nonce = re.search(r"'nonce-([^']+)'", policy)[1]
            assert f'<script nonce="{nonce}">' in shown and answer.first("X-Request-ID") in shown, shown
            check(answer.first("X-Content-Type-Options"), "nosniff")
            assert answer.first("Server-Timing").startswith("total;dur="), answer.fields
        for name in ("Content-Security-Policy", "X-Request-ID"):
            assert answers[0].first(name) != answers[1].first(name), name
        ask(program, "POST", "/api/notes", json.dumps({"title": "Long", "text": "long " * 60}).encode(), AS_JSON)
        for path in ("/", "/openapi.json", "/api/notes", "/assets/style.css"):
            tag = ask(program, "GET", path).first("ETag")
            answer = ask(program, "GET", path, None, f"If-None-Match: {tag}")
            check((answer.status, answer.body), (304, b""), path)
            answer = ask(program, "GET", path, None, "Accept-Encoding: gzip")
            check((answer.first("Content-Encoding"), "Accept-Encoding" in answer.first("Vary")), ("gzip", True), path)
            check((gzip.decompress(answer.body), answer.first("ETag")), (get(program, path), f"W/{tag}"), path)


AS_JSON, FORM = "Content-Type: application/json", "Content-Type: application/x-www-form-urlencoded"


def the_site_has_an_api():
    def api(method, path, document=None, *lines):
        return ask(program, method, "/api/notes" + path, None if document is None else json.dumps(document).encode(), AS_JSON, *lines)

    with site() as program:
        answer = api("POST", "", {"title": "Ünlü"})
        check((answer.status, answer.first("Location")), (201, "/api/notes/2"))
        check([it["id"] for it in json.loads(api("GET", "").body)], [2, 1])
        answer = api("PUT", "/2", {"title": "a", "done": True}, 'If-Match: "2-1"')
        check((answer.status, answer.first("ETag"), json.loads(answer.body)["done"]), (200, '"2-2"', True))
        check(api("PUT", "/2", {"title": "b"}, 'If-Match: "2-1"').status, 412)
        check(api("GET", "/2", None, 'If-None-Match: "2-2"').status, 304)
        answer = api("POST", "", {"title": "", "colour": 3})
        check((answer.status, answer.first("Content-Type")), (422, "application/problem+json"))
        check([it["pointer"] for it in json.loads(answer.body)["errors"]], ["#/title", "#/colour"])
        check(ask(program, "POST", "/api/notes", b"{", AS_JSON).status, 400)
        check(ask(program, "POST", "/api/notes", b"{}").status, 415)
        check(api("POST", "", {"title": "x" * 9000}).status, 413)
        check(api("DELETE", "/2").status, 204)
        for answer in (api("GET", "/2"), ask(program, "GET", "/api/nowhere", None, "Accept: text/html")):
            check((answer.status, json.loads(answer.body)["title"]), (404, "Not Found"))
        paths = json.loads(get(program, "/openapi.json"))["paths"]
        check({path: sorted(paths[path]) for path in paths}, {"/api/notes": ["get", "post"], "/api/notes/{id}": ["delete", "get", "put"]})
        answers = []
        wait_until(lambda: answers.append(api("GET", "/1")) or answers[-1].status == 429, "a client to ask too often")
        answer = answers[-1]  # the next may be allowed again
        check((answer.status, answer.first("RateLimit-Policy")), (429, '"default";q=600;w=60'))
        assert int(answer.first("Retry-After")) >= 1, answer.fields
        check(ask(program, "GET", "/notes").status, 200)


def the_site_keeps_notes_without_scripts():
    with site() as program:
        answer = ask(program, "POST", "/notes", b"title=%3Cb%3E&text=%22", FORM)
        check((answer.status, answer.first("Location")), (303, "/notes"))
        shown = get(program, "/notes")
        assert b"<strong>&lt;b&gt;</strong> &quot;" in shown and b"<b>" not in shown, shown
        answer = ask(program, "POST", "/notes", b"title=&text=kept", FORM)
        assert answer.status == 422 and b"title must be" in answer.body and b"<strong></strong>" not in answer.body, answer.body
        check(ask(program, "POST", "/notes", b"title=a&text=" + b"b" * 9000, FORM).status, 413)
        for _ in range(2):
            check(ask(program, "POST", "/notes/2/remove", b"").status, 303)
        assert b"&lt;b&gt;" not in get(program, "/notes")
        for number in range(99):
            check(ask(program, "POST", "/notes", b"title=%d" % number, FORM).status, 303)
        check(ask(program, "POST", "/notes", b"title=more", FORM).status, 507)


def the_site_looks_at_files():
    def form(*files):
        parts = b"".join(b'--x\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s\r\n' % it for it in files)
        return parts + b"--x--\r\n"

    kind, json_please = "Content-Type: multipart/form-data; boundary=x", "Accept: application/json"
    with site() as program:
        data = os.urandom(200000)
        digest = hashlib.sha256(data).hexdigest()
        answer = json.loads(ask(program, "POST", "/files", form((b"<a>", data), (b"../b", b""), (b"", b"")), kind, json_please).body)
        check([(it["name"], it["bytes"]) for it in answer], [("<a>", len(data)), ("b", 0)])
        check(answer[0]["sha256"], digest)
        shown = ask(program, "POST", "/files", form((b"<a>", data)), kind).body
        assert b"<td>&lt;a&gt;</td><td>200000</td>" in shown and digest.encode() in shown, shown
        answer = ask(program, "POST", "/files", form(*[(b"a", b"")] * 11), kind, json_please)
        check((answer.status, answer.first("Content-Type")), (413, "application/problem+json"))
        check(ask(program, "POST", "/files", b"a=b", "Content-Type: text/plain").status, 415)
        with Peer(program.port) as peer:
            check(peer.ask(head("POST", "/files", kind, "Content-Length: 99000000", "Expect: 100-continue")).status, 413)


def the_site_sets_cookies():
    with site() as program:
        answer = ask(program, "GET", "/cookies")
        visits = answer.first("Set-Cookie").partition(";")[0]
        assert b"<strong>1</strong>" in answer.body and "HttpOnly" in answer.first("Set-Cookie"), answer.fields
        assert b"<strong>2</strong>" in ask(program, "GET", "/cookies", None, f"Cookie: {visits}").body
        forged = visits.replace("=1.", "=8.")
        assert b"<strong>1</strong>" in ask(program, "GET", "/cookies", None, f"Cookie: {forged}").body
        answer = ask(program, "POST", "/cookies", b"theme=dark", FORM)
        check((answer.status, answer.first("Set-Cookie").partition(";")[0]), (303, "theme=dark"))
        assert b'data-theme="dark"' in ask(program, "GET", "/", None, "Cookie: theme=dark").body
        assert b'data-theme="&quot;&gt;"' in ask(program, "GET", "/", None, 'Cookie: theme=">').body
        check(ask(program, "POST", "/cookies", b"theme=pink", FORM).status, 422)
        forgotten = ask(program, "POST", "/cookies/forget", b"").all("Set-Cookie")
        check([it.partition("=")[0] for it in forgotten], ["theme", "visits"])


def the_site_has_pages_for_errors():
    with site() as program:
        for accept, kind in (("text/html", "text/html"), ("*/*", "text/html"), ("application/json", "application/problem+json"), ("text/plain", "text/plain")):
            answer = ask(program, "GET", "/no%3Cb%3E", None, f"Accept: {accept}")
            check((answer.status, answer.first("Content-Type").partition(";")[0], answer.first("Vary").split(", ")[0]), (404, kind, "Accept"), accept)
            assert answer.first("X-Request-ID") and (kind != "text/html" or b"Begin at the start" in answer.body), answer.body
        check(ask(program, "DELETE", "/hello").first("Allow"), "GET, HEAD, OPTIONS")
        answer = ask(program, "GET", "/fail")
        assert answer.status == 500 and b"This was asked for" not in answer.body, answer.body
    with site("--show-errors") as program:
        assert b"This was asked for" in ask(program, "GET", "/fail").body
    ended = run(BUILD / "example_site", "--pages", "/nowhere", "--workers", "0", "--listen", "127.0.0.1:0", text=True)
    assert ended.returncode == 1 and "/nowhere/frame.html: No such file or directory; --pages names" in ended.stderr, ended


def the_site_tells_how_to_ask_it():
    """Each command that its pages show works as it stands there."""
    with site() as program, tempfile.TemporaryDirectory() as folder:
        for name in ("README.md", "LICENSE"):
            os.symlink(ROOT.resolve() / name, f"{folder}/{name}")
        os.symlink(BUILD.resolve(), f"{folder}/build")
        environment = dict(os.environ, NO_PROXY="*", HOME=folder)
        told = []
        for path in ("/try", "/notes", "/files", "/cookies", "/filters", "/errors"):
            shown = ask(program, "GET", path).body.decode()
            told += [html.unescape(it) for it in re.findall(r"<pre><code>(.*?)</code></pre>", shown, re.DOTALL)]
        assert len(told) > 20 and any("http://localhost/" in it for it in told), told
        for command in told:
            command = command.replace("http://localhost/", f"http://127.0.0.1:{program.port}/")
            ended = run("sh", "-c", command, cwd=folder, env=environment, text=True)
            assert ended.returncode == 0 and ended.stdout, (command, ended)


def the_site_has_another_host():
    with site("--docs", ROOT / "docs") as program, Peer(program.port) as peer:
        def docs(path):
            return peer.ask(head("GET", path, host=f"docs.localhost:{program.port}"))

        check(docs("/t/22-filters").body, (ROOT / "docs/tutorial/22-filters.md").read_bytes())
        check(docs("/t/22-filters").first("Content-Type"), "text/plain; charset=utf-8")
        assert b"tutorial" in docs("/").body
        check([docs(path).status for path in ("/notes", "/hello", "/t/nothing")], [404] * 3)


def processes_are_run_and_kept_running():
    with example("13_processes") as program:
        answer = ask(program, "POST", "/sort", b"pear\napple\npear\n")
        check((answer.status, answer.body), (200, b"apple\npear\n"))
        body = b"".join(b"%d\n" % (number * 7919 % 100000) for number in range(100000))
        check(ask(program, "POST", "/sort", body).body, b"".join(sorted(set(body.splitlines(True)))))
        first = json.loads(get(program, "/helper"))
        assert first["pid"] > 1, first
        check(ask(program, "POST", "/helper/restart", b"").status, 202)
        wait_until(lambda: json.loads(get(program, "/helper"))["pid"] not in (0, first["pid"]), "it is started again")
        helper = json.loads(get(program, "/helper"))
        check(helper["restarts"], 1)
    assert not pathlib.Path(f"/proc/{helper['pid']}").exists(), "the helper outlived its program"


def process_1_leaves_its_processes_to_their_routes():
    """It waits for the children of others, and must not take the statuses of those that it has started."""
    if os.geteuid() or subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True).returncode:
        raise Skipped("no namespaces may be made here")
    command = ["unshare", "--pid", "--fork", "--kill-child", "sh", "-c", '(sleep 0.1; true) & exec "$@"', "sh"]
    with App(*command, BUILD / "examples/13_processes", "--workers", "0") as program:
        first = pathlib.Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children").read_text().strip()
        for number in range(50):
            answer = ask(program, "POST", "/sort", b"b\na\n%d\n" % number)
            check((answer.status, answer.body), (200, b"%d\na\nb\n" % number))
        os.kill(int(first), signal.SIGTERM)
        check(program.exit_code(), 0)


class Listening(Server):
    """A program that says where it listens."""

    def start(self):
        super().start()
        found = self.wait_for(r"listening at (.*)\n")
        assert found, self.said()
        self.where = found[1]
        self.port = int(self.where.rsplit(":", 1)[1]) if ":" in self.where else None


LOCAL = "tcp:0:interface=127.0.0.1"


class Echo(Listening):
    """The program that serves and calls endpoints, serving."""

    def __init__(self, endpoint):
        super().__init__([BUILD / "examples/15_endpoints", "serve", endpoint])


def say(endpoint, words):
    return run(BUILD / "examples/15_endpoints", "say", endpoint, words, text=True)


def hear(peer, end):
    """What a socket gives up to and with `end`."""
    heard = b""
    while not heard.endswith(end):
        part = peer.recv(4096)
        assert part, heard
        heard += part
    return heard


def call_up(server):
    peer = socket.create_connection(("127.0.0.1", server.port))
    peer.settimeout(SECONDS)
    return peer


def a_chat_tells_all_others():
    with Listening([BUILD / "examples/14_chat", LOCAL]) as chat, call_up(chat) as ann, call_up(chat) as bob:
        for peer, name in ((ann, b"Ann\n"), (bob, b"Bob\r\n")):
            check(hear(peer, b"\n"), b"Who are you?\n")
            peer.sendall(name)
            if peer is bob:
                check(hear(ann, b"here\n"), b"Bob is here\n")
        ann.sendall(b"hello\nhow are you?\n")
        check(hear(bob, b"you?\n"), b"Ann: hello\nAnn: how are you?\n")
        with call_up(chat) as rude:
            hear(rude, b"\n")
            rude.sendall(b"x" * 600)  # longer than a line may be
            try:
                check(rude.recv(10), b"")
            except ConnectionResetError:
                pass
        bob.close()
        check(hear(ann, b"gone\n"), b"Bob has gone\n")


def a_forwarder_passes_on():
    with Echo(LOCAL) as echo, Listening([BUILD / "examples/14_forward", LOCAL, f"tcp:localhost:{echo.port}"]) as forward:
        with call_up(forward) as peer:
            peer.sendall(b"hello")
            check(hear(peer, b"hello"), b"hello")
            peer.shutdown(socket.SHUT_WR)
            check(peer.recv(10), b"")
        check(say(f"tcp:localhost:{forward.port}", "all the way").stdout, "all the way\n")
    answer = run(BUILD / "examples/14_forward", LOCAL, "tcp:x", text=True)
    check(answer.returncode, 1)
    assert answer.stderr.startswith("tcp:x: at byte "), answer.stderr


def datagrams_come_back():
    with Listening([BUILD / "examples/protocols", "udp-echo", "127.0.0.1:0"]) as echo:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.settimeout(10)
            peer.connect(("127.0.0.1", echo.port))
            for said in (b"hello", b"", b"x" * 2048):
                peer.send(said)
                check(peer.recv(4096), said)
            peer.send(b"x" * 2049)  # longer than it takes
            peer.send(b"still there?")
            check(peer.recv(4096), b"still there?")
    answer = run(BUILD / "examples/protocols", "udp-echo", "localhost", text=True)
    check(answer.returncode, 1)
    check(answer.stderr, "localhost: the input is malformed\n")


def samples_speak_their_protocols():
    with Listening([BUILD / "examples/protocols", "echo", LOCAL]) as echo, call_up(echo) as peer:
        much = b"0123456789" * 500000
        heard = b""
        peer.setblocking(False)
        sent, ended = 0, False
        until = time.monotonic() + SECONDS
        while not ended and time.monotonic() < until:
            readable, writable, _ = select.select([peer], [peer] if sent < len(much) else [], [], 1)
            if writable:
                sent += peer.send(much[sent : sent + 100000])
                if sent == len(much):
                    peer.shutdown(socket.SHUT_WR)
            if readable:
                part = peer.recv(65536)
                heard += part
                ended = not part
        assert heard == much
    with Listening([BUILD / "examples/protocols", "discard", LOCAL]) as discard, call_up(discard) as peer:
        peer.sendall(b"x" * 100000)
        peer.shutdown(socket.SHUT_WR)
        check(peer.recv(10), b"")
    with Listening([BUILD / "examples/protocols", "time", LOCAL]) as clock, call_up(clock) as peer:
        said = b""
        while part := peer.recv(10):
            said += part
        check(len(said), 4)
        assert abs(int.from_bytes(said, "big") - 2208988800 - time.time()) < 60


def curl_goes_by_socks():
    with example("01_hello") as hello, Listening([BUILD / "examples/protocols", "socks", LOCAL]) as socks:
        url = f"http://localhost:{hello.port}/"
        for kind in ("socks4", "socks4a", "socks5", "socks5h"):
            answer = run("curl", "-4sS", "--max-time", str(SECONDS), "--noproxy", "", "--proxy", f"{kind}://127.0.0.1:{socks.port}", url, text=True)
            check((answer.returncode, answer.stdout), (0, "Hello, World!\n"), f"{kind}: {answer.stderr}")
        answer = run("curl", "-sS", "--max-time", str(SECONDS), "--noproxy", "", "--proxy", f"socks5://127.0.0.1:{socks.port}", "http://192.0.2.1/", text=True)
        check(answer.returncode, 97, answer.stderr)  # not allowed by ruleset
    with Listening([BUILD / "examples/protocols", "socks", LOCAL]) as socks, call_up(socks) as peer:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1].to_bytes(2, "big")
        peer.sendall(b"\5\1\0" + b"\5\1\0\1\x7f\0\0\1" + port)
        check(hear(peer, b"\5\0\5\5\0\1" + bytes(6)), b"\5\0\5\5\0\1" + bytes(6))  # refused
        check(peer.recv(1), b"")


def take(peer, count):
    data = b""
    while len(data) < count:
        part = peer.recv(count - len(data))
        assert part, data
        data += part
    return data


def socks_binds():
    with Listening([BUILD / "examples/protocols", "socks", LOCAL]) as socks, call_up(socks) as peer:
        peer.sendall(b"\5\1\0" + b"\5\2\0\1\x7f\0\0\1\0\0")
        said = take(peer, 12)
        check(said[:10], b"\5\0" + b"\5\0\0\1\x7f\0\0\1")
        with socket.create_connection(("127.0.0.1", int.from_bytes(said[10:], "big"))) as other:
            other.settimeout(SECONDS)
            check(take(peer, 10), b"\5\0\0\1\x7f\0\0\1" + other.getsockname()[1].to_bytes(2, "big"))
            other.sendall(b"from outside")
            check(take(peer, 12), b"from outside")
            peer.sendall(b"from inside")
            check(take(other, 11), b"from inside")
            peer.shutdown(socket.SHUT_WR)
            check(other.recv(1), b"")


def endpoints_are_served_and_called():
    with tempfile.TemporaryDirectory(prefix="torc-examples-") as folder:
        run(BUILD / "torc", "cert", "--out", folder)
        with Echo("tcp:0:interface=127.0.0.1") as server:
            port = server.where.rsplit(":", 1)[1]
            check(say(f"tcp:localhost:{port}", "hello there").stdout, "hello there\n")
        answer = say(f"tcp:localhost:{port}", "hello there")
        check(answer.returncode, 1)
        assert "localhost" in answer.stderr and "127.0.0.1:" in answer.stderr and "refused" in answer.stderr, answer.stderr
        with Echo(f"unix:{folder}/echo.sock:mode=600"):
            check(say(f"unix:{folder}/echo.sock", "hello again").stdout, "hello again\n")
        with Echo(f"ssl:0:privateKey={folder}/key.pem:certKey={folder}/cert.pem:interface=127.0.0.1") as server:
            port = server.where.rsplit(":", 1)[1]
            check(say(f"tls:localhost:{port}:trustRoots={folder}/cert.pem", "in secret").stdout, "in secret\n")
            answer = say(f"tls:localhost:{port}", "in secret")
            check(answer.returncode, 1, "a certificate that nobody trusts was taken")


def wrong_endpoints_are_told():
    answer = run(BUILD / "examples/15_endpoints", "serve", "tcp:x", text=True)
    check((answer.returncode, answer.stderr), (1, "tcp:x: at byte 4: port is a number from 0 to 65535, not `x`\n"))
    check(say("tcp:localhost", "x").returncode, 1)


def the_command_serves_a_folder():
    with App(BUILD / "torc", "web", "--path", PAGES) as program:
        assert b"Torc" in get(program, "/")
        check(ask(program, "GET", "/nowhere").status, 404)
        check(ask(program, "POST", "/", b"").status, 405)


CASES = [
    json_goes_into_structs_and_out_again,
    filters_stand_around_routes,
    pages_are_compressed,
    errors_have_pages,
    developers_are_told_of_errors,
    virtual_hosts_have_a_site_each,
    forms_are_read_and_uploads_saved,
    hello_says_hello,
    hello_has_help,
    a_port_in_use_is_reported,
    routes_take_parameters,
    the_tree_finds_children,
    replies_come_later,
    bodies_are_streamed,
    requests_are_observed_and_logged,
    events_are_logged,
    the_test_of_a_route_passes,
    files_and_threads_do_not_hold_the_loop,
    routes_wait,
    versions_are_compared_and_ranges_are_sent,
    files_are_served_and_listed,
    files_are_served_by_tls,
    the_site_holds_together,
    the_site_is_dynamic,
    the_site_has_filters_around_it,
    the_site_has_an_api,
    the_site_keeps_notes_without_scripts,
    the_site_looks_at_files,
    the_site_sets_cookies,
    the_site_has_pages_for_errors,
    the_site_tells_how_to_ask_it,
    the_site_has_another_host,
    processes_are_run_and_kept_running,
    process_1_leaves_its_processes_to_their_routes,
    a_chat_tells_all_others,
    a_forwarder_passes_on,
    samples_speak_their_protocols,
    datagrams_come_back,
    curl_goes_by_socks,
    socks_binds,
    endpoints_are_served_and_called,
    wrong_endpoints_are_told,
    the_command_serves_a_folder,
]


sys.exit(run_cases(CASES))
