# SPDX-License-Identifier: MIT
"""Uploads by multipart/form-data, to the disk and to nowhere: the server's CPU, and its memory at the peak beyond the idle one.

No packaged server reads multipart by itself, so Torc stands alone with its goal: at most 1 MiB of memory for an upload of 20 MiB.
"""
import os
import pathlib
import re
import socket
import statistics
import time

MIB = 1 << 20
GOAL_BYTES = MIB
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
# Neither text nor noise: lines, hyphens and bytes that look like the beginning of a boundary.
CONTENT = (os.urandom(60000) + b"\r\n--" + b"a line of text\r\n" * 300).ljust(MIB // 16, b"-") * 16


def peak_bytes(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def upload(port, path, mib):
    first = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="bench.bin"\r\n'
             "Content-Type: application/octet-stream\r\n\r\n").encode()
    last = f"\r\n--{BOUNDARY}--\r\n".encode()
    length = len(first) + mib * len(CONTENT) + len(last)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as peer:
        peer.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
                     f"Content-Length: {length}\r\n\r\n".encode() + first)
        for _ in range(mib):
            peer.sendall(CONTENT)
        peer.sendall(last)
        answer = peer.recv(4096)
        if not answer.endswith(f"\r\n\r\n{mib * len(CONTENT)}".encode()):
            raise SystemExit(f"bench: an upload was answered {answer!r}")


def measure(server, rounds, mib=20):
    print(f"\n{f'upload of {mib} MiB':<18}{'to':<13}{'CPU ms':>8}{'MiB/s':>8}{'peak KiB more':>15}{'goal':>7}")
    for path, name in (("/upload/drop", "nowhere"), ("/upload/save", "disk")):
        ask, cpu, seconds = (lambda: upload(server.port, path, mib)), [], []
        forget_peak(server.pid())
        idle = peak_bytes(server.pid())
        for _ in range(rounds):
            before, start = server.cpu_seconds(), time.monotonic()
            ask()
            seconds.append(time.monotonic() - start)
            cpu.append(server.cpu_seconds() - before)
        more = peak_bytes(server.pid()) - idle
        print(f"{'':<18}{name:<13}{statistics.median(cpu) * 1000:>8.1f}{mib / statistics.median(seconds):>8.0f}"
              f"{more / 1024:>15.0f}{'met' if more < GOAL_BYTES else 'missed':>7}", flush=True)
