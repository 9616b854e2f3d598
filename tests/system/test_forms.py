#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Forms and uploads as peers send them: curl, raw bytes in pieces, peers that leave, and many at once through a slow disk.

    test_forms.py BUILD_DIR ROOT

TORC_TEST_UPLOADS=COUNTxMIB changes how many uploads of how many MiB go through the slow disk. Prints TAP.
"""
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import time

from serving import SECONDS, App, Peer, ReferenceSite, check, head, run, run_cases, wait_until

BUILD = pathlib.Path(sys.argv[1])
# A sanitizer keeps freed memory for a while, so that its use is seen.
IS_SANITIZED = any(mark in (BUILD / "tests/system/upload_site").read_bytes() for mark in (b"__asan_", b"__tsan_"))
SITE = ReferenceSite(BUILD)
FOLDER = tempfile.TemporaryDirectory()
KIB, MIB = 1 << 10, 1 << 20


def upload_site(disk_us=0, *options):
    """In one process, whose memory is looked at."""
    return App(BUILD / "tests/system/upload_site", "--workers", "0", *options,
               environment=dict(os.environ, TORC_TEST_FOLDER=FOLDER.name, TORC_TEST_DISK_US=str(disk_us)))


def part(name, value, filename=None, boundary="xyz"):
    text = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
    if filename is not None:
        text += f'; filename="{filename}"\r\nContent-Type: text/plain'
    return text.encode() + b"\r\n\r\n" + value + b"\r\n"


def form(*parts, boundary="xyz"):
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def post(path, body, content_type="multipart/form-data; boundary=xyz", *lines):
    return head("POST", path, f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *lines) + body


def ask(port, data):
    with Peer(port) as peer:
        return peer.ask(data)


def check_form(data, expected):
    answer = ask(SITE.port, data)
    check((answer.status, answer.body.decode()), (200, expected), data[:60])


def posted(path, body, expected, content_type="application/x-www-form-urlencoded", *lines):
    check_form(post(path, body, content_type, *lines), expected)


# ---- /form ----


def arguments_and_cookies_are_shown():
    check_form(head("GET", "/form"), "\n#")
    check_form(head("GET", "/form/deeper?b=2&a=1&b=%41+3&flag&a="), "a=1|\nb=2|A 3\n#")
    check_form(head("GET", "/form?a=1", "Cookie: z=1; y=2"), "a=1\n#y:2,z:1")
    check(ask(SITE.port, head("DELETE", "/form")).status, 405)


def a_posted_form_takes_the_place_of_arguments():
    posted("/form?a=1&b=2", b"b=3&c=4&b=5&flag&d=", "a=1\nb=3|5\nc=4\nd=\n#")
    posted("/form?a=1", b"", "a=1\n#")
    posted("/form?a=1", b"a=2", "a=1\n#", "text/plain")
    posted("/form", b"a=%zz%4+%41", "a=%zz%4 A\n#k:v", "application/x-www-form-urlencoded; charset=utf-8", "Cookie: k=v")
    check_form(head("PUT", "/form?a=1", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 3") + b"a=2", "a=1\n#")


def a_multipart_form_has_its_files_by_content():
    large = bytes(range(256)) * 1024  # past the threshold: from a file
    posted("/form?a=1&b=2", form(part("b", b"3"), part("f", b"content", "x.txt"), part("b", b"")), "a=1\nb=3|\nf=content\n#",
           "multipart/form-data; boundary=xyz")
    answer = ask(SITE.port, post("/form", form(part("f", large, "large"), part("f", b"small", "small"))))
    check((answer.status, answer.body), (200, b"f=" + large + b"|small\n#"))


def what_is_no_form_is_400():
    whole = form(part("a", b"1"))
    for content_type in ("multipart/form-data", 'multipart/form-data; boundary=""', "multipart/form-data; boundary=" + "x" * 71,
                         "multipart/form-data; boundary=a@b"):
        check(ask(SITE.port, post("/form", whole, content_type)).status, 400, content_type)
    for body in (b"", whole[:-6], whole.replace(b"\r\n", b"\n"), whole.replace(b' name="a"', b""), b"--xyz\r\n\r\n--xyz--"):
        check(ask(SITE.port, post("/form", body)).status, 400, body)
    check(ask(SITE.port, post("/form", b"--xyz\r\nX: " + b"y" * 10000)).status, 413)


def every_split_gives_the_same():
    data = post("/form", form(part("a", b"\r\n--xy\r\n"), part("f", b"--", "\\\"")))
    with Peer(SITE.port) as peer:
        for at in range(1, len(data), 7):
            peer.send(data[:at])
            answer = peer.ask(data[at:], "POST")
            check((answer.status, answer.body), (200, b"a=\r\n--xy\r\n\nf=--\n#"))
        answer = peer.send_each_byte(data).response("POST")
        check((answer.status, answer.body), (200, b"a=\r\n--xy\r\n\nf=--\n#"))


def curl_sends_forms():
    def curl(path, *options):
        ended = run("curl", "-q", "-sS", "--noproxy", "*", "--max-time", str(SECONDS - 5), *options, f"http://127.0.0.1:{SITE.port}{path}")
        check(ended.returncode, 0, ended.stderr.decode())
        return ended.stdout.decode("latin-1")

    path = pathlib.Path(FOLDER.name) / "a file"
    path.write_bytes(b"content\r\n" * 20000)
    check(curl("/form?x=1&a=0", "-F", "a=1", "-F", "a=two words", "-F", f'f=@{path};filename=q"\\.txt'),
          "a=1|two words\nf=" + "content\r\n" * 20000 + "\nx=1\n#")
    check(curl("/form", "-d", "a=1&b", "--data-urlencode", "c=ä &="), "a=1\nc=" + "ä &=".encode().decode("latin-1") + "\n#")
    path.unlink()


# ---- uploads ----


def files_in_folder():
    return sorted(os.listdir(FOLDER.name))


def nothing_is_left(server, files=0):
    """Neither a file, with a name or without one, nor a descriptor of the server's."""
    def is_clean():
        links = [os.readlink(entry) for entry in pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir() if entry.is_symlink()]
        return len(files_in_folder()) == files and not any(FOLDER.name in link for link in links)

    wait_until(is_clean, "everything to be closed and removed")


def files_are_saved():
    with upload_site() as server:
        content = os.urandom(300000)
        answer = ask(server.port, post("/save", form(part("a", b"no file"), part("f", content, "../../one"), part("f", b"", "two"),
                                                     part("f", b"", ""))))
        check((answer.status, answer.body), (200, b"300000"))
        check(files_in_folder(), ["one", "two"])
        check((pathlib.Path(FOLDER.name) / "one").read_bytes(), content)
        for name in files_in_folder():
            os.unlink(os.path.join(FOLDER.name, name))
        answer = ask(server.port, post("/spool", form(part("a", b"12"), part("f", content, "x"))))
        check((answer.status, answer.body), (200, b"300002"))
        nothing_is_left(server)


def limits_are_options():
    with upload_site(0, "--limit", "form-parts=2", "--limit", "form-values-bytes=10") as server:
        check(ask(server.port, post("/limited", form(part("a", b"1"), part("b", b"2")))).body, b"2")
        check(ask(server.port, post("/limited", form(*[part("a", b"1")] * 3))).status, 413)
        check(ask(server.port, post("/limited", form(part("a", b"1" * 10)))).status, 413)
        check(ask(server.port, post("/limited", b"x", "text/plain")).status, 415)


def a_peer_that_leaves_in_the_middle_leaves_nothing():
    with upload_site() as server:
        for path in ("/save", "/spool", "/drop"):
            for at in (150, 70000, 400000):
                data = post(path, form(part("f", b"x" * 500000, "one")))
                with Peer(server.port) as peer:
                    peer.send(data[:at])
                    time.sleep(0.05)
                    if at == 70000:
                        peer.reset()
        nothing_is_left(server)
        check(ask(server.port, head("GET", "/")).body, b"hello")


# ---- many at once, through a slow disk ----


class Uploads:
    """Uploads at once, and plain requests meanwhile."""

    def __init__(self, server, path, count, mib):
        self.server, self.path, self.count, self.bytes = server, path, count, mib * MIB
        self.done = self.served = 0
        self.failures = []

    def upload(self, number):
        try:
            first = part("f", b"", f"upload-{number}")[:-2]
            last = b"\r\n--xyz--\r\n"
            block = b"0123456789abcde\r" * (64 * KIB // 16)
            with Peer(self.server.port) as peer:
                peer.socket.settimeout(600)
                peer.send(head("POST", self.path, "Content-Type: multipart/form-data; boundary=xyz",
                               f"Content-Length: {len(first) + self.bytes + len(last)}") + first)
                for _ in range(self.bytes // len(block)):
                    peer.send(block)
                answer = peer.send(last).response("POST")
                check((answer.status, answer.body), (200, str(self.bytes).encode()))
                self.done += 1
        except BaseException as failure:  # told by who waits
            self.failures.append(failure)

    def serve_others(self):
        slowest = 0
        while self.done + len(self.failures) < self.count:
            start = time.monotonic()
            check(ask(self.server.port, head("GET", "/")).body, b"hello")
            slowest = max(slowest, time.monotonic() - start)
            self.served += self.done == 0
            time.sleep(0.01)
        return slowest

    def run(self):
        threads = [threading.Thread(target=self.upload, args=(number,)) for number in range(self.count)]
        for thread in threads:
            thread.start()
        slowest = self.serve_others()
        for thread in threads:
            thread.join()
        assert not self.failures, self.failures[0]
        return slowest


def peak_bytes(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * KIB


def many_uploads_through_a_slow_disk_are_flat():
    count, mib = map(int, os.environ.get("TORC_TEST_UPLOADS", "20x4").split("x"))
    # 64 KiB a write on four threads: what comes from 20 peers by loopback is far faster.
    with upload_site(2000) as server:
        for path in ("/save", "/spool"):
            check(ask(server.port, post(path, form(part("f", b"x" * 100000, "first")))).status, 200)
            before, started = peak_bytes(server), time.monotonic()
            uploads = Uploads(server, path, count, mib)
            slowest = uploads.run()
            grown = peak_bytes(server) - before
            print(f"# {path}: {count} of {mib} MiB in {time.monotonic() - started:.1f} s: {grown / MIB:.2f} MiB of memory more; "
                  f"{uploads.served} other requests meanwhile, the slowest in {slowest * 1000:.0f} ms")
            # 64 KiB of the body, 64 KiB for the disk and a stack for each; what is uploaded is at least ten times of it.
            assert grown < count * 400 * KIB or IS_SANITIZED, f"{grown / MIB:.1f} MiB"
            assert uploads.served >= 10, "nobody else was served"
            for name in files_in_folder():
                check(os.path.getsize(os.path.join(FOLDER.name, name)), 100000 if name == "first" else mib * MIB)
                os.unlink(os.path.join(FOLDER.name, name))
            nothing_is_left(server)


CASES = [
    arguments_and_cookies_are_shown,
    a_posted_form_takes_the_place_of_arguments,
    a_multipart_form_has_its_files_by_content,
    what_is_no_form_is_400,
    every_split_gives_the_same,
    *([curl_sends_forms] if shutil.which("curl") else []),
    files_are_saved,
    limits_are_options,
    a_peer_that_leaves_in_the_middle_leaves_nothing,
    many_uploads_through_a_slow_disk_are_flat,
]

if __name__ == "__main__":
    with SITE, FOLDER:
        sys.exit(run_cases(CASES))
