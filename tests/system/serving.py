# SPDX-License-Identifier: MIT
"""What the system tests share: servers that run for the length of a `with`, peers that speak raw bytes, and TAP.

Every socket has a timeout, and every wait a deadline: SECONDS is far more than anything here takes, and is reached
only when something is broken. Servers are started on ports that are free, and ended by their process id.
"""
import os
import pathlib
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

SECONDS = 30


def check(got, expected, what=""):
    assert got == expected, f"{what}{': ' if what else ''}got {got!r}, expected {expected!r}"


def wait_until(is_so, what):
    """Ask again and again until the answer is true; what it was."""
    until = time.monotonic() + SECONDS
    while True:
        answer = is_so()
        if answer:
            return answer
        assert time.monotonic() < until, f"waited in vain: {what}"
        time.sleep(0.01)


# ---- servers ----


class Server:
    """A process that serves, and what the kernel says of it."""

    def __init__(self, command, files_max=None, inherited=(), environment=None):
        self.command = [str(part) for part in command]
        self.files_max = files_max
        self.inherited = inherited
        self.environment = environment
        self.process = None
        self.output = None

    def limit_files(self):
        if self.files_max:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.files_max, self.files_max))

    def start(self):
        self.start_with(self.environment, self.limit_files)

    def start_with(self, environment, prepare):
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.command, stdout=self.output, stderr=self.output, pass_fds=self.inherited,
                                        env=environment, preexec_fn=prepare)

    def said(self):
        """All that it wrote so far."""
        size = os.fstat(self.output.fileno()).st_size
        return os.pread(self.output.fileno(), size, 0).decode(errors="replace")

    def wait_for(self, pattern):
        """The first match of the pattern in what it writes; None when it ended before."""

        def look():
            found = re.search(pattern, self.said())
            return found or self.process.poll() is not None

        wait_until(look, f"{self.command[0]} to say {pattern}")
        return re.search(pattern, self.said())

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def exit_code(self):
        return self.process.wait(SECONDS)

    def stop(self):
        if self.output.closed:
            return
        if self.process.poll() is None:
            self.signal()
            try:
                self.process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("SIGTERM did not end it") from None
        self.output.close()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            if self.process:
                self.stop()
            raise
        return self

    def __exit__(self, kind, *_):
        code = self.process.poll()
        self.stop()
        assert kind or (code or self.process.returncode) == 0, f"it exited with {code or self.process.returncode}"

    def file_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident_bytes(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class ReferenceSite(Server):
    """build/reference_site, on a row of ports that were free a moment ago."""

    PORTS = (0, 1, 2, 3, 4, 7)

    def __init__(self, build, **options):
        super().__init__([], **options)
        self.folder = tempfile.TemporaryDirectory()
        self.program = build / "reference_site"
        self.port = 0

    def start(self):
        for _ in range(20):
            self.port = free_row(self.PORTS)
            self.command = [str(self.program), "--base-port", str(self.port), "--root", self.folder.name]
            super().start()
            if self.wait_for(r"(?m)^ready$"):
                return
            said = self.said()
            self.stop()
            assert "in use" in said, f"it does not start: {said}"
        raise AssertionError("no row of free ports")

    def __exit__(self, *failure):
        super().__exit__(*failure)
        self.folder.cleanup()


class App(Server):
    """A program made with torc_app, on an endpoint of the caller's choice."""

    def __init__(self, program, *arguments, listen="127.0.0.1:0", **options):
        listening = ["--listen", listen] if listen else []
        super().__init__([program, *arguments, *listening, "--log-format", "json"], **options)
        self.port = 0

    def start(self):
        super().start()
        found = self.wait_for(r'"url":"(https?://.*?:(\d+)/|unix:[^"]*)"')
        assert found, f"it does not start: {self.said()}"
        self.port = int(found[2] or 0)


def free_row(offsets):
    """A port from which on these are free, below those that the kernel gives to clients: many of these may be in use."""
    for _ in range(100):
        base = random.randrange(10000, 32000)
        if all(is_free(base + offset) for offset in offsets):
            return base
    raise AssertionError("no free ports")


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as a server does: not what waits to be forgotten
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def run(*command, **options):
    """A program that is to end by itself."""
    return subprocess.run([str(part) for part in command], capture_output=True, timeout=SECONDS, **options)


# ---- peers ----


class Response:
    def __init__(self, line, fields, body=b"", trailers=()):
        self.version, status, self.reason = (line.split(" ", 2) + [""])[:3]
        self.status = int(status)
        self.fields, self.body, self.trailers = fields, body, list(trailers)

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def first(self, name):
        return (self.all(name) or [None])[0]


class Peer:
    """A connection on which any bytes can be sent, and responses are read strictly."""

    def __init__(self, port=0, host="127.0.0.1", path=None, receive_bytes=0):
        address, family = (path, socket.AF_UNIX) if path else ((host, port), socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.bytes = b""
        self.socket = socket.socket(family)
        self.socket.settimeout(SECONDS)
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        if not path:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def send_each_byte(self, data):
        for byte in data:
            self.socket.sendall(bytes([byte]))
        return self

    def end(self):
        """Nothing more comes from here."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def more(self):
        data = self.socket.recv(65536)
        self.bytes += data
        return bool(data)

    def take(self, count):
        while len(self.bytes) < count:
            assert self.more(), f"the connection ended within {count} bytes: {self.bytes[-200:]!r}"
        data, self.bytes = self.bytes[:count], self.bytes[count:]
        return data

    def line(self):
        while b"\r\n" not in self.bytes:
            assert self.more(), f"the connection ended within a line: {self.bytes[-200:]!r}"
        line, _, self.bytes = self.bytes.partition(b"\r\n")
        return line.decode("latin-1")

    def rest(self):
        """All up to the end, which must come in order: a reset raises."""
        while self.more():
            pass
        data, self.bytes = self.bytes, b""
        return data

    def is_ended(self):
        """Whether the end has come, in order and with nothing before it."""
        return self.rest() == b""

    def has_nothing(self, seconds=0.1):
        """Whether nothing came, for this long."""
        self.socket.settimeout(seconds)
        try:
            if not self.bytes:
                self.more()
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(SECONDS)

    def field_lines(self):
        fields = []
        while line := self.line():
            name, colon, value = line.partition(": ")
            assert colon and re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name), f"a field line: {line!r}"
            fields.append((name, value))
        return fields

    def chunks(self):
        body = b""
        while size := int(self.line(), 16):
            body += self.take(size)
            check(self.take(2), b"\r\n", "the end of a chunk")
        return body, self.field_lines()

    def response(self, method="GET"):
        """The next response, an interim one too."""
        line = self.line()
        assert re.match(r"HTTP/1\.1 [1-9]\d\d ", line + " "), f"a status line: {line!r}"
        response = Response(line, self.field_lines())
        if method == "HEAD" or response.status < 200 or response.status in (204, 304):
            return response
        if response.first("Transfer-Encoding"):
            check(response.all("Transfer-Encoding"), ["chunked"])
            check(response.all("Content-Length"), [])
            response.body, response.trailers = self.chunks()
        elif response.all("Content-Length"):
            response.body = self.take(int(response.first("Content-Length")))
        else:
            response.body = self.rest()
        return response

    def ask(self, data, method=None):
        return self.send(data).response(method or data.split(b" ", 1)[0].decode("latin-1"))

    def get(self, path, *lines, method="GET"):
        return self.ask(head(method, path, *lines))


def head(method, path, *lines, host="localhost"):
    """A request's head."""
    fields = "".join(line + "\r\n" for line in ([f"Host: {host}"] if host else []) + list(lines))
    return f"{method} {path} HTTP/1.1\r\n{fields}\r\n".encode("latin-1")


def ask(port, data, method=None):
    with Peer(port) as peer:
        return peer.ask(data, method)


def get(port, path, *lines, method="GET"):
    with Peer(port) as peer:
        return peer.get(path, *lines, method=method)


# ---- TAP ----


class Skipped(Exception):
    """A case cannot be run here, for this reason."""


def run_cases(cases):
    """Run functions by name; the exit code, which is 1 when one failed."""
    failed = 0
    print(f"1..{len(cases)}", flush=True)
    for number, case in enumerate(cases, 1):
        try:
            case()
            print(f"ok {number} {case.__name__}", flush=True)
        except Skipped as reason:
            print(f"ok {number} {case.__name__} # SKIP {reason}", flush=True)
        except Exception as error:  # whatever a test meets is its failure, and the others go on
            failed += 1
            text = f"{type(error).__name__}: {error}"[:2000].replace("\n", "\n# ")
            print(f"not ok {number} {case.__name__}\n# line {where_in_test(error)}: {text}", flush=True)
    return 1 if failed else 0


def where_in_test(error):
    """The line of the test, whatever it called."""
    line, place = 0, error.__traceback__
    while place:
        if place.tb_frame.f_globals.get("__name__") == "__main__":
            line = place.tb_lineno
        place = place.tb_next
    return line
