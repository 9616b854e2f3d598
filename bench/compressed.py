# SPDX-License-Identifier: MIT
"""A JSON document of 64 KiB, compressed for each reply: the server's CPU, and how long the answer is.

Both servers take the same levels and windows. Torc's document is in memory, nginx's in a file. nginx has no zstd.
"""
import http.client
import statistics
import subprocess
import zlib

PATH = "/coded"
CODINGS = ("gzip", "br", "zstd")
LEVELS = {"gzip": 4, "br": 4, "zstd": 3}  # Torc's defaults


class Asker:
    """A connection that is kept."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def ask(self, coding):
        """The body as it came; None: it came in another coding."""
        self.connection.request("GET", PATH, headers={"Accept-Encoding": coding})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"bench: {PATH} was answered {answer.status}")
        return body if answer.getheader("Content-Encoding", "identity") == coding else None

    def close(self):
        self.connection.close()


def document(port):
    asker = Asker(port)
    body = asker.ask("identity")
    asker.close()
    return body


def check_decodes(coding, body, expected):
    """gzip by zlib, the others by their programs, where these are there."""
    if coding == "identity":
        got = body
    elif coding == "gzip":
        got = zlib.decompress(body, 31)
    else:
        try:
            got = subprocess.run(["brotli" if coding == "br" else "zstd", "-dc"], input=body, check=True, capture_output=True, timeout=20).stdout
        except FileNotFoundError:
            return
    if got != expected:
        raise SystemExit(f"bench: what came by {coding} is something else")


def measure_one(server, coding, requests, expected):
    """CPU per request, and the length of the answer; None: it cannot do that."""
    asker = Asker(server.port)
    try:
        body = asker.ask(coding)
        if body is None:
            return None
        check_decodes(coding, body, expected)
        before = server.cpu_seconds()
        for _ in range(requests):
            asker.ask(coding)
        return (server.cpu_seconds() - before) * 1e6 / requests, len(body)
    finally:
        asker.close()


def measure(servers, rounds, requests=500):
    servers = [server for server in servers if server.kind.compresses]
    expected = document(servers[0].port)
    print(f"\n{'coded 64 KiB':<18}{'server':<13}{'CPU µs':>8}{'ratio':>7}{'bytes':>10}{'times shorter':>15}")
    for coding in ("identity", *CODINGS):
        rows = {}
        for _ in range(rounds):
            for server in servers:
                result = measure_one(server, coding, requests, expected)
                if result:
                    rows.setdefault(server.name, []).append(result)
        median = {name: statistics.median(cpu for cpu, _ in results) for name, results in rows.items()}
        for name, results in rows.items():
            length = results[0][1]
            ratio = f"{median[name] / median['nginx']:.2f}" if "nginx" in median else "-"
            level = f"{coding} {LEVELS[coding]}" if coding in LEVELS else coding
            print(f"{level:<18}{name:<13}{median[name]:>8.1f}{ratio:>7}{length:>10}"
                  f"{len(expected) / length:>15.2f}", flush=True)
