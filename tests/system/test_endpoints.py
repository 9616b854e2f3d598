#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`torc web --listen` on every kind of endpoint string, asked by curl.

    test_endpoints.py BUILD_DIR ROOT

Prints TAP.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from serving import SECONDS, App, Skipped, check, run_cases, wait_until

TORC = pathlib.Path(sys.argv[1]) / "torc"


class Site:
    """A folder with a page and a certificate, and `torc web` serving it at endpoints."""

    def __init__(self, *endpoints):
        self.temporary = tempfile.TemporaryDirectory(prefix="torc-endpoints-")
        self.path = pathlib.Path(self.temporary.name)
        (self.path / "index.html").write_text("served\n")
        done = subprocess.run([str(TORC), "cert"], cwd=self.path, capture_output=True, text=True, timeout=SECONDS)
        check(done.returncode, 0, done.stderr)
        self.count = len(endpoints)
        more = [word for endpoint in endpoints for word in ("--listen", self.fill(endpoint))]
        self.app = App(TORC, "web", "--path", str(self.path), "--workers", "2", *more, listen=None)

    def fill(self, endpoint):
        return endpoint.replace("DIR", str(self.path))

    def __enter__(self):
        self.app.__enter__()
        wait_until(lambda: len(self.look()) >= self.count, "it to say where it listens")
        self.urls = self.look()
        return self

    def look(self):
        return re.findall(r'"url":"([^"]*)"', self.app.said())

    def __exit__(self, *failure):
        self.app.__exit__(*failure)
        self.temporary.cleanup()

    def ask(self, url, *options):
        if not shutil.which("curl"):
            raise Skipped("there is no curl")
        return subprocess.run(
            ["curl", "-sS", "--max-time", "10", "--cacert", str(self.path / "cert.pem"), *options, url],
            capture_output=True, text=True, timeout=SECONDS)


def port_of(url):
    return int(re.search(r":(\d+)/$", url).group(1))


KEYS = "privateKey=DIR/key.pem:certKey=DIR/cert.pem"


def tls_is_served():
    with Site(f"ssl:0:{KEYS}:interface=127.0.0.1") as site:
        check(site.urls[0][:8], "https://")
        done = site.ask(f"https://localhost:{port_of(site.urls[0])}/")
        check(done.stdout, "served\n", done.stderr)


def the_proxy_header_comes_before_tls():
    with Site(f"haproxy:ssl:0:{KEYS}:interface=127.0.0.1") as site:
        done = site.ask(f"https://localhost:{port_of(site.urls[0])}/", "--haproxy-protocol")
        check(done.stdout, "served\n", done.stderr)
        done = site.ask(f"https://localhost:{port_of(site.urls[0])}/")
        assert done.returncode != 0, "served without the header"


def senders_of_proxy_headers_may_be_named():
    allowed, other = "127.0.0.0/8", "192.0.2.0/24"
    with Site(f"haproxy:endpoint=tcp\\:0\\:127.0.0.1:allow={allowed}",
              f"haproxy:endpoint=tcp\\:0\\:127.0.0.1:allow={other}") as site:
        url = f"http://127.0.0.1:{port_of(site.urls[0])}/"
        check(site.ask(url, "--haproxy-protocol").stdout, "served\n")
        url = f"http://127.0.0.1:{port_of(site.urls[1])}/"
        check(site.ask(url, "--haproxy-protocol").stdout, "")


def tls_stands_on_a_unix_socket():
    with Site(f"ssl:endpoint=unix\\:DIR/x.sock\\:mode\\=600:{KEYS}") as site:
        done = site.ask("https://localhost/", "--unix-socket", str(site.path / "x.sock"))
        check(done.stdout, "served\n", done.stderr)


def localhost_is_both_addresses():
    with Site("localhost:0") as site:
        ports = {port_of(url) for url in site.urls}
        check(len(ports), 1, str(site.urls))
        check(site.ask(f"http://127.0.0.1:{ports.pop()}/").stdout, "served\n")
        if len(site.urls) < 2:
            raise Skipped("there is no IPv6")
        check(site.ask(site.urls[1]).stdout, "served\n")


def a_locked_socket_is_refused_to_others():
    with Site("unix:DIR/x.sock:lockfile=1") as site:
        check((site.path / "x.sock.lock").exists(), True)
        done = subprocess.run([str(TORC), "web", "--path", str(site.path), "--listen", site.fill("unix:DIR/x.sock:lockfile=1")],
                              capture_output=True, text=True, timeout=SECONDS)
        assert "in use" in done.stderr, done.stderr
        check(site.ask("http://x/", "--unix-socket", str(site.path / "x.sock")).stdout, "served\n")
        path = site.path
        site.app.stop()
        check([(path / name).exists() for name in ("x.sock", "x.sock.lock")], [False, False])


def standard_input_is_one_connection():
    """As inetd and ssh start a server: it ends with its connection."""
    with tempfile.TemporaryDirectory(prefix="torc-endpoints-") as folder:
        (pathlib.Path(folder) / "index.html").write_text("served\n")
        command = [str(TORC), "web", "--path", folder, "--listen", "stdio:"]
        asked = "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        done = subprocess.run([*command, "--workers", "0"], input=asked, capture_output=True, text=True, timeout=SECONDS)
        check(done.returncode, 0, done.stderr)
        check(done.stdout.count("HTTP/1.1 200 OK"), 2, done.stdout)
        check(done.stdout.count("served\n"), 2, done.stdout)
        done = subprocess.run([*command, "--workers", "2"], input=asked, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode != 0 and "--workers 0" in done.stderr, done.stderr


def what_is_wrong_is_one_line():
    for endpoint, said in (
            ("ssl:0", "there is no certificate"),
            ("ssl:0:privateKey=/nowhere.pem", "/nowhere.pem: cannot be read"),
            ("ssl:endpoint=tcp\\:x", "at byte 18"),
            ("haproxy:haproxy:80", "haproxy twice"),
            ("unix:/tmp/x:owner=no-such-user", "no user no-such-user")):
        done = subprocess.run([str(TORC), "web", "--listen", endpoint], capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode != 0 and done.stderr.count("\n") == 1, done.stderr
        assert said in done.stderr, done.stderr


if __name__ == "__main__":
    sys.exit(run_cases([
        tls_is_served,
        the_proxy_header_comes_before_tls,
        senders_of_proxy_headers_may_be_named,
        tls_stands_on_a_unix_socket,
        localhost_is_both_addresses,
        a_locked_socket_is_refused_to_others,
        standard_input_is_one_connection,
        what_is_wrong_is_one_line,
    ]))
