#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The paths of the reference site and the rules of its ports, as its table says them.

    test_reference_site.py BUILD_DIR ROOT

Prints TAP.
"""
import email.utils
import gzip
import json
import os
import pathlib
import socket
import ssl
import sys
import time
import zlib

from serving import SECONDS, Peer, ReferenceSite, ask, check, get, head, run_cases

BUILD = pathlib.Path(sys.argv[1])
SITE = ReferenceSite(BUILD)


def plain():
    return SITE.port


def check_answer(path, status, content_type, body, method="GET"):
    answer = get(plain(), path, method=method)
    check((answer.status, answer.first("Content-Type"), answer.body), (status, content_type, body), path)
    return answer


def every_answer_has_its_head():
    answer = get(plain(), "/hello")
    assert answer.first("Server").startswith("Torc/"), answer.fields
    date = email.utils.parsedate_to_datetime(answer.first("Date")).timestamp()
    assert abs(date - time.time()) < 60, answer.first("Date")
    check((answer.version, answer.status, answer.reason), ("HTTP/1.1", 200, "OK"))
    check((answer.first("Content-Length"), answer.first("Connection")), ("5", None))


def constants():
    check_answer("/", 200, "text/plain", b"root")
    check_answer("/hello", 200, "text/html", b"hello")
    check_answer("/data", 200, "text/html", b"data!")
    check_answer("/dir/", 200, "text/html", b"subroot")
    answer = get(plain(), "/empty")
    check((answer.status, answer.first("Content-Length"), answer.body), (200, "0", b""))
    for path in ("/hello/x", "/hello/", "/data/x", "/nowhere", "//", "/empty/"):
        check(get(plain(), path).status, 404, path)


def echo_shows_what_was_asked():
    data = (b"POST /echo/a%20b/../c?d=%41&e HTTP/1.1\r\nx-later: 1\r\nhost: a.example\r\nX-LATER: 2\r\netag: x\r\nte: y\r\n"
            b"Content-Length: 7\r\n\r\na\0b\r\n\xff\n")
    lines, _, body = ask(plain(), data).body.partition(b"\nbody=")
    check(lines.split(b"\n"), [b"method=POST", b"uri=/echo/a%20b/../c?d=%41&e", b"path=/echo/a%20b/../c", b"version=HTTP/1.1",
                               b"X-Later: 1", b"X-Later: 2", b"Host: a.example", b"ETag: x", b"TE: y", b"Content-Length: 7"])
    check(body, b"7:a\0b\r\n\xff\n")
    answer = get(plain(), "/dir/leaf/deeper", method="PATCH")
    check((answer.status, answer.first("Content-Type")), (200, "text/plain"))
    assert answer.body.startswith(b"method=PATCH\nuri=/dir/leaf/deeper\n"), answer.body


def multi_has_three_methods():
    for method, body in (("GET", b"g"), ("PUT", b"p"), ("HEH", b"ho ho"), ("HEAD", b"")):
        for path in ("/multi", "/multi/deeper"):
            check_answer(path, 200, "text/html", body, method)
    answer = get(plain(), "/multi", method="POST")
    check((answer.status, answer.first("Allow")), (405, "GET, HEAD, PUT, HEH"))


def all_but_get_is_refused():
    for path in ("/hr", "/hw", "/hr/x", "/hw/x"):
        answer = check_answer(path, 200, "text/html", b"some data")
        check(answer.first("Transfer-Encoding"), "chunked" if "hw" in path else None)
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = get(plain(), path, method=method)
            check((answer.status, answer.first("Allow")), (405, "GET, HEAD, OPTIONS"), f"{method} {path}")
        check(get(plain(), path, method="HEH").status, 501)


def stream_has_a_chunk_for_each_write():
    with Peer(plain()) as peer:
        data = peer.send(head("GET", "/stream/x", "Connection: close")).rest()
    fields, _, body = data.partition(b"\r\n\r\n")
    check(body, b"5\r\nHello\r\n6\r\nWorld!\r\n0\r\n\r\n")
    assert b"Content-Length" not in fields, fields


def later_answers():
    for path in ("/delay?ms=30", "/await?ms=30", "/delay/x?ms=30&a=b", "/await?ms=0", "/delay"):
        began = time.monotonic()
        check_answer(path, 200, "text/html", b"late" + path.encode())
        assert "30" not in path or time.monotonic() - began > 0.025, f"{path} was early"
    for path in ("/delay?ms=x", "/await?ms=-1"):
        check(get(plain(), path).status, 400, path)
    for path in ("/delay?ms=50", "/await?ms=50"):
        peers = [Peer(plain()) for _ in range(20)]
        for peer in peers:
            peer.send(head("GET", path))
        for peer in peers[::2]:
            peer.reset()
        for peer in peers[1::2]:
            check(peer.response().body, b"late" + path.encode())
            peer.socket.close()


def code_sets_status_and_reason():
    for query, status, reason, body in (("", 200, "OK", b""), ("?c=418", 418, "I'm a teapot", b""),
                                        ("?c=404&m=Gone+away%21&b=a%20b", 404, "Gone away!", b"a b"),
                                        ("?c=500&m=&b=x", 500, "Internal Server Error", b"x")):
        answer = get(plain(), "/code" + query)
        check((answer.status, answer.reason, answer.body), (status, reason, body), query)
    check(get(plain(), "/code?c=299").status, 299)
    check(get(plain(), "/code/x?c=201").status, 201)


def a_reason_cannot_inject():
    with Peer(plain()) as peer:
        answer = peer.get("/code?c=200&m=a%0d%0aX-Injected:%20b")
        check((answer.status, answer.first("X-Injected")), (500, None))
        check(peer.get("/hello").body, b"hello")


def failures_are_500():
    for path in ("/err", "/notbytes"):
        answer = get(plain(), path)
        check((answer.status, answer.reason), (500, "Internal Server Error"), path)
        assert answer.first("Content-Type").startswith("text/html"), answer.fields
        assert b"secret" not in answer.body and b"500" in answer.body, answer.body
        check(get(SITE.port + 2, path).status, 500, path)
    assert b"secret oops" in get(SITE.port + 2, "/err").body, "the details are not shown"
    assert b"secret" not in get(SITE.port + 7, "/err").body


def redirects():
    for path, location in (("/redir", '/hello?a=1&b="x"<'), ("/redir/x", '/hello?a=1&b="x"<'), ("/red2", "/x"), ("/red2/y", "/x")):
        answer = get(plain(), path)
        check((answer.status, answer.reason, answer.first("Location")), (302, "Found", location), path)
        assert answer.first("Content-Type").startswith("text/html"), answer.fields
        assert b'"x"<' not in answer.body, "not escaped"
    check((get(plain(), "/parent").status, get(plain(), "/parent").first("Location")), (302, "./"))


def fields_are_set_and_refused():
    answer = check_answer("/hdr", 200, "text/plain", b"refused")
    check((answer.all("X-M"), answer.all("ETag"), answer.all("WWW-Authenticate")), (["1", "2"], ['"q"'], ["X"]))
    check(answer.first("X-Inject"), None)


def cookies_are_set_and_refused():
    answer = check_answer("/cookie", 200, "text/plain", b"refused")
    check(answer.all("Set-Cookie"), ["a=1", "k=v; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Domain=a.example; Path=/; "
                                     "Max-Age=60; Secure; HttpOnly; SameSite=Lax"])


def auth_tells_who():
    for field, body in (("Basic am9lOnB3OmQ=", b"joe:pw:d"), ("basic Og==", b":"), ("Basic *", b":"), ("Bearer x", b":")):
        check(ask(plain(), head("GET", "/auth/x", "Authorization: " + field)).body, body, field)
    check(get(plain(), "/auth").body, b":")


def lose_drops_the_connection():
    for path in ("/lose", "/lose/x"):
        with Peer(plain()) as peer:
            try:
                check(peer.send(head("POST", path)).rest(), b"")
            except ConnectionResetError:
                pass


def host_shows_where():
    answer = ask(plain(), head("GET", "/host/a%20b/c?d", host="a.example:81"))
    check(answer.body, b"a.example|http://a.example:81/host|host|a b/c")
    check(ask(plain(), head("GET", "/host", host="[::1]")).body, b"[::1]|http://[::1]/host|host|")
    check(ask(plain(), b"GET /host HTTP/1.0\r\n\r\n").body, b"127.0.0.1|http://127.0.0.1:%d/host|host|" % plain())


def hosts_have_their_own():
    for host, status, body in (("a.example", 200, b"A"), ("A.EXAMPLE:81", 200, b"A"), ("c.example", 404, None)):
        answer = ask(plain(), head("GET", "/vh/x", host=host))
        check((answer.status, answer.body if body else None), (status, body), host)
    assert b"\nHost: b.example\n" in ask(plain(), head("GET", "/vh", host="b.example")).body
    check(get(plain(), "/vhd").body, b"DEF")
    check(get(plain(), "/vhd/deep/er").body, b"DEF")


def a_front_end_may_write_the_host_into_the_path():
    for path, where in (("http/a.example/host/x", b"a.example|http://a.example/host|host|x"),
                        ("https/a.example:8443/host", b"a.example|https://a.example:8443/host|host|"),
                        ("http/[::1]/host", b"[::1]|http://[::1]/host|host|")):
        check(get(plain(), "/vhm/" + path).body, where, path)
    check(get(plain(), "/vhm/http/a.example").body, b"root")
    check(get(plain(), "/vhm/http/a.example/vh").status, 200)
    check(get(plain(), "/vhm/ftp/a.example/host").status, 404)


def big_has_its_length():
    for size in (0, 1, 16384, 16385, 1000000):
        answer = get(plain(), f"/big?n={size}")
        check((answer.status, answer.first("Content-Length"), answer.body == b"x" * size), (200, str(size), True), size)
    check(get(plain(), "/big?n=x").status, 400)


def pages_of_errors():
    for path, status, phrase in (("/nf", 404, "Not Found"), ("/fb", 403, "Forbidden"), ("/ep", 418, "I'm a teapot")):
        for deeper in (path, path + "/x"):
            answer = get(plain(), deeper)
            check((answer.status, answer.reason), (status, phrase), deeper)
            assert answer.first("Content-Type").startswith("text/html"), answer.fields
            assert b"&lt;b&gt;" in answer.body and b"&lt;i&gt;" in answer.body, answer.body
            assert b"<b>" not in answer.body and b"<i>" not in answer.body, answer.body


def static_files():
    foo = b"0123456789" * 6 + b"abcd"
    answer = check_answer("/static/foo.txt", 200, "text/plain", foo)
    check(answer.first("Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT")
    check_answer("/static/index.html", 200, "text/html", b"<p>idx</p>")
    check_answer("/static/", 200, "text/html", b"<p>idx</p>")
    check(get(plain(), "/static/sub/page.html").status, 200)
    for place in ("/static", "/ign", "/list"):
        answer = check_answer(place + "/data.tar.gz", 200, "application/x-tar", b"GZ")
        check(answer.first("Content-Encoding"), "gzip")
    check(get(plain(), "/static/noext").body, b"NOEXT")
    for path in ("/static/sp%20ace.txt", "/static/%E1%BF%86.txt"):
        answer = get(plain(), path)
        check((answer.status, answer.first("Content-Type")), (200, "text/plain"), path)
    big = get(plain(), "/static/big.bin").body
    check((len(big), big == (pathlib.Path(SITE.folder.name) / "big.bin").read_bytes()), (262144, True))
    check_answer("/static/empty.txt", 200, "text/plain", b"")
    check(get(plain(), "/static/foo.ext").body, b"EXT")
    check_answer("/one", 200, "text/plain", foo)
    check_answer("/hello.txt", 200, "text/plain", b"hello world\n")
    for path in ("/gone", "/static/missing", "/static/foo.txt/", "/static/foo.txt/x", "/static/foo", "/list/foo", "/ign/fo", "/one/x", "/static/.hello.txt",
                 "/static/../reference_site.c", "/static/%2e%2e/x", "/static/..%2fx", "/static//foo.txt", "/static/%2e/foo.txt"):
        check(get(plain(), path).status, 404, path)
    answer = get(plain(), "/static/sub")
    assert answer.status in (301, 302, 307, 308) and answer.first("Location").rstrip("/").endswith("sub"), answer.fields
    answer = get(plain(), "/static/foo.txt", method="POST")
    check((answer.status, answer.first("Allow")), (405, "GET, HEAD, OPTIONS"))


def extensions_may_be_left_out():
    check(get(plain(), "/ign/foo").body, b"EXT")
    check(get(plain(), "/ign/foo.ext").body, b"EXT")
    check(get(plain(), "/ign/foo.txt").status, 200)
    check_answer("/ign/", 200, "text/html", b"<p>idx</p>")


def folders_are_listed():
    names = ["sub", "big.bin", "data.tar.gz", "empty.txt", "foo.ext", "foo.txt", "index.html", "noext", "sp ace.txt", "\u1fc6.txt"]
    answer = get(plain(), "/list/", "Accept: application/json")
    check((answer.status, answer.first("Content-Type")), (200, "application/json"))
    entries = json.loads(answer.body)["entries"]
    check([entry["name"] for entry in entries], names)
    check(entries[5], {"name": "foo.txt", "href": "./foo.txt", "type": "file", "size": 64, "modified": "1994-11-06T08:49:37Z"})
    for entry in entries:
        check(get(plain(), "/list/" + entry["href"].removeprefix("./")).status, 200, entry["href"])
    page = get(plain(), "/list/?sort=size&order=desc")
    assert page.first("Content-Type").startswith("text/html"), page.fields
    places = [page.body.find(name) for name in (b"./sub/", b"./big.bin", b"./foo.txt", b"./empty.txt")]
    check(places, sorted(places))
    assert -1 not in places, page.body
    head_only = get(plain(), "/list/?sort=size&order=desc", method="HEAD")
    check((head_only.status, head_only.body, head_only.first("Content-Length")), (200, b"", str(len(page.body))))
    check(get(plain(), "/list/?sort=size&order=desc", f"If-None-Match: {page.first('ETag')}").status, 304)
    assert b"./page.html" in get(plain(), "/static/sub/").body


def static_files_are_revalidated():
    for path in ("/static/foo.txt", "/hello.txt"):
        answer = get(plain(), path)
        for line in (f"If-None-Match: {answer.first('ETag')}", "If-None-Match: *", f"If-Modified-Since: {answer.first('Last-Modified')}"):
            again = get(plain(), path, line)
            check((again.status, again.body, again.first("ETag")), (304, b"", answer.first("ETag")), line)
        check(get(plain(), path, 'If-None-Match: "other"').status, 200)
        check(get(plain(), path, "If-Modified-Since: Sat, 05 Nov 1994 08:49:37 GMT").status, 200)


def conditions_are_looked_at():
    for path, content_type in (("/cond", "text/html"), ("/condct", "image/jpeg")):
        answer = get(plain(), path)
        check((answer.status, answer.body, answer.first("Content-Type")), (200, b"correct", content_type))
        check((answer.first("ETag"), answer.first("Last-Modified")), ('"MatchingTag"', "Thu, 01 Jan 1970 00:00:10 GMT"))
        for line, method, status in (
            ('If-None-Match: "x", "MatchingTag"', "GET", 304),
            ('If-None-Match: "MatchingTag"', "HEAD", 304),
            ('If-None-Match: "MatchingTag"', "POST", 412),
            ('If-None-Match: "x"', "GET", 200),
            ("If-Modified-Since: Thu, 01 Jan 1970 00:00:10 GMT", "GET", 304),
            ("If-Modified-Since: Thu, 01 Jan 1970 00:00:09 GMT", "GET", 200),
            ('If-Match: "x"', "GET", 412),
        ):
            answer = get(plain(), path, line, method=method)
            check((answer.status, answer.body), (status, b"correct" if status == 200 else b""), f"{path} {line}")


def a_range_is_answered_or_ignored():
    answer = get(plain(), "/hello.txt", "Range: bytes=0-4")
    whole, part = (200, b"hello world\n"), (206, b"hello")
    assert (answer.status, answer.body) in (whole, part), (answer.status, answer.body)
    assert answer.status == 200 or answer.first("Content-Range") == "bytes 0-4/12", answer.fields
    for bad in ("bytes=x", "lines=0-1", "bytes=4-0"):
        check(get(plain(), "/hello.txt", f"Range: {bad}").status, 200, bad)


def some_data_in_gzip():
    data, accept = b"Some data" * 50, "Accept-Encoding: gzip"
    answer = ask(plain(), head("GET", "/gz", accept))
    check((gzip.decompress(answer.body), answer.first("Content-Encoding")), (data, "gzip"))
    check((answer.first("Vary"), answer.first("Content-Type")), ("Accept-Encoding", "text/plain"))
    check(answer.first("Content-Length"), str(len(answer.body)))
    for other in ("Accept-Encoding: br, zstd", "Accept-Encoding: gzip;q=0", "X: y"):
        answer = ask(plain(), head("GET", "/gz", other))
        check((answer.body, answer.first("Content-Encoding"), answer.first("Vary")), (data, None, "Accept-Encoding"), other)
    with Peer(plain()) as peer:
        answer = peer.ask(head("HEAD", "/gz", accept), "HEAD")
        check((answer.status, answer.body, answer.first("Content-Encoding")), (200, b"", "gzip"))
        check(gzip.decompress(peer.ask(head("GET", "/gz", accept), "GET").body), data)  # nothing has leaked


def folders_without_a_method():
    for method in ("GET", "POST"):
        answer = get(plain(), "/dir", method=method)
        check((answer.status, answer.first("Allow")), (405, "OPTIONS"), method)
    check(get(plain(), "/dir/nothing").status, 404)


def uploads_of_any_size():
    for method in ("PUT", "POST"):
        for size in (0, 1, 65537, 3000000):
            data = os.urandom(size)
            with Peer(plain()) as peer:
                answer = peer.ask(head(method, "/upload", f"Content-Length: {size}") + data)
                check((answer.status, answer.first("Content-Type")), (200, "application/json"))
                check(json.loads(answer.body), {"length": size, "crc32": zlib.crc32(data)})
                chunks = b"".join(b"%x\r\n%s\r\n" % (len(data[i:i + 50000]), data[i:i + 50000]) for i in range(0, size, 50000))
                answer = peer.ask(head(method, "/upload", "Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n")
                check(json.loads(answer.body), {"length": size, "crc32": zlib.crc32(data)})
    check(get(plain(), "/upload").status, 405)


def json_routes():
    check_answer("/json", 200, "application/json", b'{"message":"Hello, World!"}')
    with Peer(plain()) as peer:
        for status, kind, body, echo in ((200, "application/json", b' { "b" : [1.50, 1E+2], "a": "\\u00e9", "b": {} } ',
                                          b'{"b":[1.50,1E+2],"a":"\xc3\xa9","b":{}}'),
                                         (400, "application/json", b'{"a":01}', None), (415, "text/plain", b"{}", None)):
            answer = peer.ask(head("POST", "/json", f"Content-Type: {kind}", f"Content-Length: {len(body)}") + body)
            check(answer.status, status)
            if echo is not None:
                check(answer.body, echo)
    for path, name in (("/users/7", "7"), ("/users/a%20b%2Fc", "a b/c"), ("/users/%C3%A4%22", "ä\"")):
        answer = get(plain(), path)
        check((answer.status, answer.first("Content-Type")), (200, "application/json"))
        check(json.loads(answer.body), {"id": name})
    answer = get(plain(), "/users/7", method="DELETE")
    check((answer.status, answer.body, answer.first("Content-Length")), (204, b"", None))
    for method in ("PUT", "POST", "PATCH"):
        answer = get(plain(), "/users/7", method=method)
        check((answer.status, answer.first("Allow")), (405, "GET, HEAD, DELETE, OPTIONS"), method)
    check(get(plain(), "/users/").status, 404)
    check(get(plain(), "/users/7/8").status, 404)


def a_thread_computes():
    check_answer("/thread", 200, "text/plain", b"338350")


def content_comes_back():
    data = os.urandom(200000)
    for path in ("/content", "/content/x"):
        answer = ask(plain(), head("POST", path, f"Content-Length: {len(data)}") + data)
        check((answer.first("Content-Type"), answer.body == data), ("application/octet-stream", True))
    answer = get(plain(), "/content")
    check((answer.status, answer.first("Allow")), (405, "POST, OPTIONS"))


def the_first_ports_have_the_same_tree():
    for port in (plain(), SITE.port + 1, SITE.port + 2):
        for path, body in (("/", b"root"), ("/stream", b"HelloWorld!"), ("/static/noext", b"NOEXT")):
            check(get(port, path).body, body, f"{port} {path}")


def the_fourth_port_has_it_by_tls():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    plain_socket = socket.create_connection(("127.0.0.1", SITE.port + 3), SECONDS)
    with context.wrap_socket(plain_socket, server_hostname="localhost") as peer:
        check(peer.selected_alpn_protocol(), "http/1.1")
        for path, end in (("/", b"root"), ("/host", b"https://localhost/host\r\n1\r\n|\r\n4\r\nhost\r\n1\r\n|\r\n0\r\n\r\n"), ("/big?n=300000", b"x" * 300000),
                          ("/stream", b"\r\n0\r\n\r\n"), ("/static/big.bin", b"")):
            peer.sendall(head("GET", path))
            got, length = b"", 0
            while b"\r\n\r\n" not in got or len(got) < length or not got.endswith(end):
                more = peer.recv(65536)
                assert more, f"{path}: it ended after {len(got)} bytes"
                got += more
                top = got.partition(b"\r\n\r\n")[0]
                found = top.lower().partition(b"content-length: ")[2]
                length = len(top) + 4 + int(found.split(b"\r\n")[0]) if found else 0
            assert got.startswith(b"HTTP/1.1 200 "), f"{path}: {got[:200]}"


def the_fifth_port_is_behind_a_proxy():
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    ends = bytes((192, 0, 2, 1, 198, 51, 100, 2, 1, 2, 1, 187))
    headers = (
        (b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", "http"),
        (b"PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n", "http"),
        (b"PROXY UNKNOWN\r\n", "http"),
        (signature + b"\x20\0\0\0", "http"),
        (signature + b"\x21\x11\0\x0c" + ends, "http"),
        (signature + b"\x21\x11\0\x14" + ends + b"\x20\0\5\1\0\0\0\0", "https"),
    )
    for header, scheme in headers:
        with Peer(SITE.port + 4) as peer:
            check(peer.send(header).get("/").body, b"root", header)
            assert scheme.encode() + b"://localhost/host" in peer.get("/host").body, header
    with Peer(SITE.port + 4) as peer:
        peer.send(head("GET", "/"))
        try:
            check(peer.rest(), b"")
        except ConnectionResetError:
            pass
    with Peer(SITE.port + 4) as peer:
        peer.send_each_byte(headers[0][0] + head("GET", "/"))
        check(peer.response().body, b"root")


def the_hasty_port_waits_a_second():
    port = SITE.port + 1
    cases = ((b"", None), (b"GET / HTTP/1.1\r\n", 408), (head("POST", "/content", "Content-Length: 5") + b"he", 408),
             (head("POST", "/upload", "Transfer-Encoding: chunked") + b"5\r\nhe", 408), (b"\r\n", None))
    peers = [(Peer(port).send(data), data, status) for data, status in cases]
    began = time.monotonic()
    for peer, data, status in peers:
        if status:
            answer = peer.response()
            check((answer.status, answer.first("Connection")), (status, "close"), data)
        assert peer.is_ended(), f"{data}: more than that"
        peer.socket.close()
    assert 0.7 < time.monotonic() - began < 20, "not after a second"


def the_last_port_has_another_tree():
    port = SITE.port + 7
    for method in ("GET", "PUT", "DELETE", "PATCH", "HEH"):
        for path in ("/", "/any/path?at=all", "/hello"):
            answer = get(port, path, method=method)
            check((answer.status, answer.body), (200, b"OK"), f"{method} {path}")
    check(ask(port, head("POST", "/x", "Content-Length: 5") + b"hello").body, b"hello")
    answer = ask(port, head("GET", "/echo", "x-a: b", "X-A: c", host="h"))
    check(answer.body, b"Host: h\nX-A: b\nX-A: c\n")
    answer = ask(port, head("GET", "/cookie", "Cookie: b=1; a=\"2\"", "cookie: c", "Cookie: a=3"))
    check(answer.body, b'b=1\na="2"\na=3\n')


CASES = [
    every_answer_has_its_head,
    constants,
    echo_shows_what_was_asked,
    multi_has_three_methods,
    all_but_get_is_refused,
    stream_has_a_chunk_for_each_write,
    later_answers,
    code_sets_status_and_reason,
    a_reason_cannot_inject,
    failures_are_500,
    redirects,
    fields_are_set_and_refused,
    cookies_are_set_and_refused,
    auth_tells_who,
    lose_drops_the_connection,
    host_shows_where,
    hosts_have_their_own,
    a_front_end_may_write_the_host_into_the_path,
    big_has_its_length,
    pages_of_errors,
    static_files,
    extensions_may_be_left_out,
    folders_are_listed,
    static_files_are_revalidated,
    conditions_are_looked_at,
    a_range_is_answered_or_ignored,
    some_data_in_gzip,
    folders_without_a_method,
    uploads_of_any_size,
    json_routes,
    a_thread_computes,
    content_comes_back,
    the_first_ports_have_the_same_tree,
    the_fourth_port_has_it_by_tls,
    the_fifth_port_is_behind_a_proxy,
    the_hasty_port_waits_a_second,
    the_last_port_has_another_tree,
]

with SITE:
    exit_code = run_cases(CASES)
sys.exit(exit_code)
