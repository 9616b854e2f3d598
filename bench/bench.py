#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Torc beside packaged servers, in one run: CPU per request and its ratio to nginx.

The server runs on core 0, the load on core 1. Rates of a shared machine move by a factor of two, so
what is printed is the server's CPU time per request (from /proc), the median of several rounds in
which the servers take turns, and ratios. System calls per request are counted by strace in a
run of their own.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TICK = os.sysconf("SC_CLK_TCK")
WORKLOADS = {
    "plaintext": ("/plaintext", []),
    "json": ("/json", []),
    "16 pipelined": ("/plaintext", ["--pipeline", "16"]),
    "connection each": ("/plaintext", ["--close"]),
}
NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log stderr crit;
events {{ worker_connections 20000; }}
http {{
  access_log off; keepalive_requests 100000000; default_type text/plain;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /plaintext {{ return 200 "Hello, World!"; }}
    location = /json {{ default_type application/json; return 200 '{{"message":"Hello, World!"}}'; }}
  }}
}}
"""


class Server:
    def __init__(self, name, command, port, child=False):
        self.name, self.port, self.child = name, port, child
        self.process = subprocess.Popen(["taskset", "-c", "0", *command], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                subprocess.run(["curl", "-fsS", "-o", "/dev/null", f"http://127.0.0.1:{port}/plaintext"],
                               check=True, stderr=subprocess.DEVNULL)
                return
            except subprocess.CalledProcessError:
                time.sleep(0.05)
        raise SystemExit(f"bench: {name} does not answer")

    def pid(self):
        if not self.child:
            return self.process.pid
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid()}/schedstat").read_text().split()
        return int(fields[0]) / 1e9

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


def load(loader, server, path, options, seconds):
    before = server.cpu_seconds()
    done = subprocess.run(["taskset", "-c", "1", loader, "--port", str(server.port), "--path", path, "--seconds", str(seconds),
                           *options], check=True, capture_output=True, text=True)
    result = json.loads(done.stdout)
    result["cpu_us"] = (server.cpu_seconds() - before) * 1e6 / max(1, result["requests"])
    return result


def system_calls(loader, server, path, options):
    with tempfile.NamedTemporaryFile("r") as out:
        trace = subprocess.Popen(["strace", "-c", "-f", "-p", str(server.pid()), "-o", out.name], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        result = load(loader, server, path, options, 1)
        trace.send_signal(signal.SIGINT)
        trace.wait()
        total = re.search(r"^100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total", pathlib.Path(out.name).read_text(), re.M)
    return int(total[1]) / max(1, result["requests"]) if total else float("nan")


def start_all(build, scratch):
    config = pathlib.Path(scratch, "nginx.conf")
    config.write_text(NGINX.format(dir=scratch, port=9802))
    servers = [Server("torc", [str(build / "bench_server"), "--port", "9801"], 9801)]
    if shutil.which("nginx"):
        servers.append(Server("nginx", ["nginx", "-c", str(config)], 9802, child=True))
    return servers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build"), help="folder with bench_server and load")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--calls", action="store_true", help="count system calls per request, too")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        servers = start_all(build, scratch)
        try:
            print(f"{'workload':<18}{'server':<8}{'CPU µs':>8}{'ratio':>7}{'req/s':>10}{'p99 µs':>9}{'calls':>7}{'errors':>8}")
            for name, (path, arguments) in WORKLOADS.items():
                results = {server.name: [] for server in servers}
                for _ in range(options.rounds):
                    for server in servers:
                        results[server.name].append(load(str(build / "load"), server, path, arguments, options.seconds))
                base = statistics.median(r["cpu_us"] for r in results[servers[-1].name])
                for server in servers:
                    rows = results[server.name]
                    cpu = statistics.median(r["cpu_us"] for r in rows)
                    rate = statistics.median(r["requests"] / r["seconds"] for r in rows)
                    calls = system_calls(str(build / "load"), server, path, arguments) if options.calls else float("nan")
                    print(f"{name:<18}{server.name:<8}{cpu:>8.2f}{cpu / base:>7.2f}{rate:>10.0f}"
                          f"{statistics.median(r['p99_us'] for r in rows):>9.0f}{calls:>7.2f}{sum(r['errors'] for r in rows):>8}", flush=True)
        finally:
            for server in servers:
                server.stop()


main()
