#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Torc beside packaged servers, in one run: CPU per request and its ratio to nginx.

The server runs on core 0, the load on core 1. Rates of a shared machine move by a factor of two, so
what counts is the server's CPU time per request (from /proc), the median of several rounds in which
the servers take turns, and its ratio to nginx's. What does not need a quiet machine is counted in
runs of its own: system calls per request (--calls, by strace) and instructions per request
(--instructions, by callgrind: the difference between a long run and a short one, over one
connection). Idle connections are measured by the anonymous memory of the server's process.

A JSON document of 64 KiB is compressed for each reply by each coder, beside nginx at the same level.

JSON documents are read and written by programs of their own, one for each library that is there: bytes
per second of CPU time.

All of it, with five servers, takes about six minutes; --calls adds three, --instructions eight.
"""
import argparse
import json
import math
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import tempfile
import time

import compressed
import uploads

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = {"1k.txt": b"x" * 1024, "100k.txt": b"x" * 102400, "10m.txt": b"x" * 10485760,
         "plaintext": b"Hello, World!", "json": b'{"message":"Hello, World!"}'}
WORKLOADS = {  # name: path, options of load
    "plaintext": ("/plaintext", []),
    "16 pipelined": ("/plaintext", ["--pipeline", "16"]),
    "json": ("/json", []),
    "routed json": ("/users/42", []),
    "three filters": ("/filtered/users/42", []),
    "file of 1 KiB": ("/1k.txt", []),
    "file of 100 KiB": ("/100k.txt", []),
    "file of 10 MiB": ("/10m.txt", ["--connections", "8"]),
    "connection each": ("/plaintext", ["--close"]),
    "TLS": ("/plaintext", ["--tls"]),
    "TLS handshakes": ("/plaintext", ["--tls", "--close"]),
}
MADE_BY = {"routed json": ("torc", "nginx"), "three filters": ("torc", "nginx")}  # the others take part in all
IDLE = "idle connections"
JSON = "json documents"
IDLE_TLS = "idle by TLS"
UPLOADS = "uploads"
CODED = "coded"
BROTLI = pathlib.Path("/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so")
NGINX = """
{brotli_module}
daemon off; worker_processes 1; master_process {master}; pid {dir}/nginx.pid; error_log stderr crit;
events {{ worker_connections 20000; }}
http {{
  access_log off; keepalive_requests 100000000; default_type text/plain; sendfile on; tcp_nopush on;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{
    listen 127.0.0.1:{port} backlog=4096; root {root};
    listen 127.0.0.1:{tls} ssl backlog=4096; ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem;
    location = /plaintext {{ return 200 "Hello, World!"; }}
    location = /json {{ default_type application/json; return 200 '{{"message":"Hello, World!"}}'; }}
    location ~ ^/users/(\\w+)$ {{ default_type application/json; return 200 '{{"id":"$1","visits":42}}'; }}
    location ~ ^/filtered/users/(\\w+)$ {{
      default_type application/json; add_header X-Request-ID $request_id; add_header X-Content-Type-Options nosniff;
      add_header Referrer-Policy strict-origin-when-cross-origin; add_header X-Frame-Options DENY;
      add_header Cross-Origin-Opener-Policy same-origin; add_header RateLimit-Policy '"default";q=100000;w=1';
      return 200 '{{"id":"$1","visits":42}}';
    }}
    location = /coded {{
      default_type application/json; open_file_cache max=10;
      gzip on; gzip_comp_level 4; gzip_types application/json;
      {brotli_options}
    }}
  }}
}}
"""
HAPROXY = """
global
  nbthread 1
  maxconn {half}
defaults
  mode http
  timeout client 1h
  timeout http-keep-alive 1h
  timeout connect 1s
  timeout server 1s
frontend all
  bind 127.0.0.1:{port} backlog 4096
  bind 127.0.0.1:{tls} ssl crt {dir}/both.pem backlog 4096
  http-request return status 200 content-type text/plain string "Hello, World!"
"""
LIGHTTPD = """
server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.max-keep-alive-requests = 1000000000
server.max-fds = 20000
server.max-connections = 15000
mimetype.assign = (".txt" => "text/plain", "plaintext" => "text/plain", "json" => "application/json")
"""
H2O = """
listen: {{host: 127.0.0.1, port: {port}}}
user: {user}
num-threads: 1
max-connections: 15000
hosts: {{default: {{paths: {{/: {{file.dir: {root}}}}}}}}}
"""


class Kind:
    """A server that can be started: a program of a package with a configuration, or one of the build folder."""

    def __init__(self, name, command, config=None, is_master=False, makes=True, has_tls=False, has_plain=True,
                 compresses=False):
        self.name, self.command, self.config, self.is_master, self.makes = name, command, config, is_master, makes
        self.has_tls, self.has_plain, self.compresses = has_tls, has_plain, compresses

    def is_for(self, arguments):
        """Whether it takes part in a workload: one by TLS, or another."""
        return self.has_tls if "--tls" in arguments else self.has_plain

    def arguments(self, build, scratch, root, port, tls, alone=False):
        """What starts it; `alone`: as one process."""
        values = {"build": build, "dir": scratch, "root": root, "port": port, "tls": tls,
                  "half": (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100) // 2, "user": os.environ.get("USER") or "root",
                  "brotli_module": f"load_module {BROTLI};" if BROTLI.exists() else "",
                  "brotli_options": "brotli on; brotli_comp_level 4; brotli_window 64k; brotli_types application/json;" if BROTLI.exists() else "",
                  "master": "off" if alone else "on", "config": pathlib.Path(scratch, f"{self.name}-{port}.conf")}
        if self.config:
            values["config"].write_text(self.config.format(**values))
        return [part.format(**values) for part in self.command]

    def is_there(self, build):
        return shutil.which(self.command[0].format(build=build)) is not None


KINDS = [
    Kind("torc", ["{build}/bench_server", "--root", "{root}", "--uploads", "{dir}", "--listen", "tcp:{port}:interface=127.0.0.1", "--listen",
                  "ssl:{tls}:interface=127.0.0.1:privateKey={dir}/key.pem:certKey={dir}/cert.pem"], has_tls=True, compresses=True),
    Kind("nginx", ["nginx", "-c", "{config}"], NGINX, is_master=True, has_tls=True, compresses=True),
    Kind("haproxy", ["haproxy", "-db", "-f", "{config}"], HAPROXY, has_tls=True, has_plain=False),
    Kind("lighttpd", ["lighttpd", "-D", "-f", "{config}"], LIGHTTPD, makes=False),
    Kind("h2o", ["h2o", "-c", "{config}"], H2O, makes=False),
    Kind("microhttpd", ["{build}/peer_microhttpd", "{port}", "{root}"]),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask_once(port, path):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as peer:
            peer.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            return peer.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def make_certificate(scratch):
    """One that signs itself, on the curve that costs a server the least, as one would serve with."""
    cert, key, both = (pathlib.Path(scratch, name) for name in ("cert.pem", "key.pem", "both.pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-keyout", key, "-out", cert], check=True, capture_output=True, timeout=60)
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    key.chmod(0o644)  # of no worth, and nginx's workers are others


class Server:
    """One that is started, and answers."""

    def __init__(self, kind, command, port, tls, has_child=False, wait_seconds=10):
        self.kind, self.name, self.port, self.tls, self.has_child = kind, kind.name, port, tls, has_child
        self.process = subprocess.Popen(["taskset", "-c", "0", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + wait_seconds
        while not ask_once(port, "/1k.txt"):
            if time.monotonic() > until or self.process.poll() is not None:
                self.stop()
                raise SystemExit(f"bench: {self.name} does not answer")
            time.sleep(0.05)

    def port_for(self, arguments):
        return self.tls if "--tls" in arguments else self.port

    def pid(self):
        if not self.has_child:
            return self.process.pid
        return int(pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0])

    def cpu_seconds(self):
        tasks = pathlib.Path(f"/proc/{self.pid()}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def own_bytes(self):
        """Memory that is nobody else's and no file's."""
        rollup = pathlib.Path(f"/proc/{self.pid()}/smaps_rollup").read_text()
        return int(re.search(r"^Anonymous:\s+(\d+)", rollup, re.M)[1]) * 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Bench:
    def __init__(self, options, scratch):
        self.options = options
        self.build = pathlib.Path(options.build).resolve()
        self.root = pathlib.Path(scratch, "root")
        self.scratch = scratch
        self.root.mkdir()
        for name, content in FILES.items():
            (self.root / name).write_bytes(content)
        os.chmod(scratch, 0o755)
        make_certificate(scratch)

    def start(self):
        servers = []
        try:
            for kind in KINDS:
                if kind.name not in ("torc", *self.options.servers):
                    continue
                if kind.is_there(self.build):
                    servers.append(self.start_one(kind))
                else:
                    print(f"{kind.name} is not there and is left out")
        except BaseException:
            for server in servers:
                server.stop()
            raise
        return servers

    def start_one(self, kind):
        port, tls = free_port(), free_port()
        return Server(kind, kind.arguments(self.build, self.scratch, self.root, port, tls), port, tls, kind.is_master)

    def load(self, server, path, arguments, seconds):
        before = server.cpu_seconds()
        done = subprocess.run(["taskset", "-c", "1", str(self.build / "load"), "--port", str(server.port_for(arguments)), "--path", path,
                               "--seconds", str(seconds), *arguments], check=True, capture_output=True, text=True, timeout=seconds + 60)
        result = json.loads(done.stdout)
        result["cpu_us"] = (server.cpu_seconds() - before) * 1e6 / max(1, result["requests"])
        return result

    def system_calls(self, server, path, arguments):
        with tempfile.NamedTemporaryFile("r") as out:
            trace = subprocess.Popen(["strace", "-c", "-f", "-p", str(server.pid()), "-o", out.name], stderr=subprocess.DEVNULL)
            time.sleep(0.5)
            result = self.load(server, path, arguments, 1)
            trace.send_signal(signal.SIGINT)
            trace.wait(30)
            total = re.search(r"^100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total", pathlib.Path(out.name).read_text(), re.M)
        return int(total[1]) / max(1, result["requests"]) if total else math.nan

    # ---- instructions ----

    def run_counted(self, kind, path, arguments, pipeline, bursts):
        """The instructions of a whole run of the server, over one connection at a time."""
        out = pathlib.Path(self.scratch, "callgrind.out")
        port, tls, close = free_port(), free_port(), "--close" in arguments
        command = kind.arguments(self.build, self.scratch, self.root, port, tls, alone=True)
        server = Server(kind, ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *command], port, tls, wait_seconds=60)
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: bench/1\r\nAccept: */*\r\n"
        request = (request + ("Connection: close\r\n" if close else "") + "\r\n").encode() * pipeline
        try:
            peer = self.connect(server.port_for(arguments), arguments)
            for _ in range(bursts):
                peer.sendall(request)
                self.read_responses(peer, pipeline)
                if close:
                    peer.close()
                    peer = self.connect(server.port_for(arguments), arguments)
            peer.close()
        finally:
            server.stop()
        return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)[1])

    @staticmethod
    def connect(port, arguments):
        peer = socket.create_connection(("127.0.0.1", port), timeout=20)
        if "--tls" not in arguments:
            return peer
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(peer)

    @staticmethod
    def read_responses(peer, count):
        got = b""
        while count:
            head, end, rest = got.partition(b"\r\n\r\n")
            length = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) if end else 0
            if end and len(rest) >= length:
                got, count = rest[length:], count - 1
                continue
            more = peer.recv(1 << 20)
            if not more:
                raise SystemExit("bench: the server has closed the connection")
            got += more

    def instructions(self, kind, path, arguments):
        pipeline = int(arguments[1]) if "--pipeline" in arguments else 1
        few, more = (2, 10) if "10m" in path else (20, 800 // pipeline)
        runs = [self.run_counted(kind, path, arguments, pipeline, bursts) for bursts in (few, few + more)]
        return (runs[1] - runs[0]) / more / pipeline

    # ---- the tables ----

    def measure(self, servers, name):
        path, arguments = WORKLOADS[name]
        servers = [server for server in servers if server.kind.is_for(arguments) and server.name in MADE_BY.get(name, (server.name,))]
        results = {server.name: [] for server in servers}
        for _ in range(self.options.rounds):
            for server in servers:
                results[server.name].append(self.load(server, path, arguments, self.options.seconds))
        median = {key: statistics.median(row["cpu_us"] for row in rows) for key, rows in results.items()}
        base = median.get("nginx", math.nan)
        for server in servers:
            rows = results[server.name]
            rate = statistics.median(row["requests"] / row["seconds"] for row in rows)
            calls = self.system_calls(server, path, arguments) if self.options.calls else math.nan
            count = self.instructions(server.kind, path, arguments) if self.options.instructions else math.nan
            mark = "" if server.kind.makes or path.endswith(".txt") else "*"
            print(f"{name:<18}{server.name + mark:<13}{median[server.name]:>8.2f}{median[server.name] / base:>7.2f}{rate:>10.0f}"
                  f"{statistics.median(row['p99_us'] for row in rows):>9.0f}{shown(calls, 2):>7}{shown(count, 0):>8}"
                  f"{sum(row['errors'] for row in rows):>8}", flush=True)

    def measure_idle(self, servers, name, arguments):
        count = self.options.idle
        print(f"\n{name:<18}{'server':<13}{'bytes each':>12}")
        for server in servers:
            if not server.kind.is_for(arguments):
                continue
            before = server.own_bytes()
            holder = subprocess.Popen([str(self.build / "load"), "--port", str(server.port_for(arguments)), "--connections",
                                       str(count), "--idle", *arguments],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            opened = holder.stdout.readline()
            time.sleep(1)
            each = (server.own_bytes() - before) / count
            holder.stdin.close()
            holder.wait(30)
            print(f"{count:<18}{server.name:<13}{each:>12.0f}" if opened else f"{count:<18}{server.name:<13}{'cannot':>12}", flush=True)


def measure_json(options):
    """Each library in turn, several rounds; the median of each document."""
    build = pathlib.Path(options.build).resolve()
    libraries = [name for name in ("torc", "jansson", "cjson", "json_c") if (build / f"json_{name}").exists()]
    results = {}
    for _ in range(options.rounds):
        for library in libraries:
            done = subprocess.run(["taskset", "-c", "1", str(build / f"json_{library}"), "0.2"], check=True, capture_output=True, text=True,
                                  timeout=120)
            for line in done.stdout.splitlines():
                document, size, *rates = line.split()
                results.setdefault((document, int(size)), {}).setdefault(library, []).append([float(rate) / 1e9 for rate in rates])
    print(f"\n{JSON:<18}{'library':<13}{'read GB/s':>12}{'write GB/s':>12}")
    for (document, _), rows in results.items():
        median = {library: [statistics.median(column) for column in zip(*rates)] for library, rates in rows.items()}
        for library, (read, write) in median.items():
            print(f"{document:<18}{library:<13}{read:>12.3f}{write:>12.3f}")
        best = [max((rates[i] for library, rates in median.items() if library != "torc"), default=math.nan) for i in range(2)]
        print(f"{'':<18}{'× the best':<13}{median['torc'][0] / best[0]:>12.1f}{median['torc'][1] / best[1]:>12.1f}", flush=True)


def shown(number, digits):
    return "-" if math.isnan(number) else f"{number:.{digits}f}"


def raise_files(wanted):
    """Let this process and those it starts have so many files; how many they may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return wanted
        except (ValueError, OSError):
            wanted = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build"), help="folder with bench_server and load")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1, help="of each round")
    parser.add_argument("--calls", action="store_true", help="count system calls per request, too")
    parser.add_argument("--instructions", action="store_true", help="count instructions per request, too (valgrind)")
    parser.add_argument("--only", action="append", choices=[*WORKLOADS, IDLE, IDLE_TLS, JSON, UPLOADS, CODED], help="of the workloads; may be repeated")
    parser.add_argument("--servers", default="nginx,haproxy,lighttpd,h2o,microhttpd", type=lambda text: text.split(","), help="beside Torc, of those that are there")
    parser.add_argument("--idle", type=int, default=10000, help="number of idle connections whose memory is measured")
    return parser.parse_args()


def main():
    options = read_options()
    wanted = options.only or [*WORKLOADS, UPLOADS, CODED, IDLE, IDLE_TLS, JSON]
    if JSON in wanted:
        measure_json(options)
    if wanted == [JSON]:
        return
    files = raise_files(options.idle + 100)
    if files < options.idle + 100:
        options.idle = files - 100
        print(f"only {files} files may be open, and the hard limit cannot be raised: {options.idle} idle connections")
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(options, scratch)
        servers = bench.start()
        try:
            print(f"{'workload':<18}{'server':<13}{'CPU µs':>8}{'ratio':>7}{'req/s':>10}{'p99 µs':>9}{'calls':>7}{'instr':>8}{'errors':>8}")
            for name in WORKLOADS:
                if name in wanted:
                    bench.measure(servers, name)
            print("* from a file, since it has no constants")
            if UPLOADS in wanted:
                uploads.measure(servers[0], options.rounds)
            if CODED in wanted:
                (bench.root / "coded").write_bytes(compressed.document(servers[0].port))
                compressed.measure(servers, options.rounds)
            if IDLE in wanted:
                bench.measure_idle(servers, IDLE, [])
            if IDLE_TLS in wanted:
                bench.measure_idle(servers, IDLE_TLS, ["--tls"])
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    main()
