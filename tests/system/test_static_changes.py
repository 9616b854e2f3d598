#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Files that are changed, truncated, deleted and replaced while torc web serves them: whoever asks after a change gets
the new file, whoever is being sent one gets what was announced or sees that the rest is missing.

    test_static_changes.py BUILD_DIR ROOT

Prints TAP.
"""
import os
import pathlib
import sys
import tempfile

from serving import App, Peer, check, get, head, run_cases

TORC = pathlib.Path(sys.argv[1]) / "torc"
MIB = 1024 * 1024
BIG = 16 * MIB  # more than both ends' kernels keep


class Site(App):
    """torc web over a folder of its own."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        super().__init__(TORC, "web", "--path", self.folder)

    def __exit__(self, *failure):
        try:
            super().__exit__(*failure)
        finally:
            self.temporary.cleanup()

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path


def pattern(size, seed=0):
    """Bytes that differ from those of another seed or place."""
    block = b"".join(b"%07d\n" % ((seed * 1000003 + i) % 10000000) for i in range(8192))
    return (block * (size // len(block) + 1))[:size]


def each_change_is_seen_by_the_next_request():
    with Site() as site, Peer(site.port) as peer:
        for i in range(150):
            text = b"version %d" % i
            if i % 5 == 3:
                (site.folder / "file").unlink(missing_ok=True)
                check(peer.get("/file").status, 404, f"deleted in round {i}")
            if i % 2:
                site.write("new", text)
                (site.folder / "new").rename(site.folder / "file")
            else:
                site.write("file", text)
            check(peer.get("/file").body, text, f"round {i}")
            check(get(site.port, "/file").body, text, f"round {i}, another connection")


def folders_may_be_swapped():
    with Site() as site, Peer(site.port) as peer:
        site.write("a/file", b"a")
        site.write("b/file", b"b")
        for i in range(20):
            check(peer.get("/a/file").body, b"ab"[i % 2 : i % 2 + 1], f"round {i}")
            check(peer.get("/c/file").status, 404)
            (site.folder / "a").rename(site.folder / "c")
            (site.folder / "b").rename(site.folder / "a")
            (site.folder / "c").rename(site.folder / "b")


def slow_reader(site):
    """A peer that has asked for the big file and read its beginning only."""
    peer = Peer(site.port, receive_bytes=64 * 1024)
    peer.send(head("GET", "/big"))
    line = peer.line()
    check(line.split(" ")[1], "200")
    check(dict(peer.field_lines())["Content-Length"], str(BIG))
    return peer


def a_file_that_shrinks_ends_the_connection():
    content = pattern(BIG)
    with Site() as site:
        path = site.write("big", content)
        with slow_reader(site) as peer:
            os.truncate(path, BIG // 2)
            try:
                while peer.more():
                    pass
            except ConnectionResetError:
                pass
            assert len(peer.bytes) < BIG, "it was sent whole, or padded"
            check(peer.bytes == content[: len(peer.bytes)], True, "what came is what was in it")
        check(get(site.port, "/big").body == content[: BIG // 2], True, "what is there now")


def what_is_being_sent(change, after):
    """The big file comes as it was, whatever happens to its name; then it is what is there now."""
    content = pattern(BIG)
    with Site() as site:
        path = site.write("big", content)
        with slow_reader(site) as peer:
            change(site, path)
            check(peer.take(BIG) == content, True, "the old one")
            response = peer.get("/big")
            check((response.status, response.body == after), (200 if after else 404, bool(after)), "the new one")


def a_deleted_file_is_sent_to_its_end():
    what_is_being_sent(lambda site, path: path.unlink(), None)


def a_replaced_file_is_sent_to_its_end():
    other = pattern(100000, 1)
    what_is_being_sent(lambda site, path: site.write("new", other).rename(path), other)


def of_a_file_that_grows_what_was_promised_is_sent():
    more = pattern(100000, 2)

    def grow(_, path):
        with open(path, "ab") as file:
            file.write(more)

    what_is_being_sent(grow, pattern(BIG) + more)


def cold_files_come_whole():
    contents = {f"cold{i}": pattern(3 * MIB + i, i) for i in range(4)}
    with Site() as site:
        for name, content in contents.items():
            site.write(name, content)
        for _ in range(2):
            for name in contents:
                with open(site.folder / name, "rb") as file:
                    os.fsync(file.fileno())
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            peers = [Peer(site.port).send(head("GET", f"/{name}")) for name in contents]
            for peer, content in zip(peers, contents.values()):
                with peer:
                    check(peer.response().body == content, True)


def few_files_are_held_open():
    with Site() as site, Peer(site.port) as peer:
        before = site.file_count()
        content = pattern(70000)
        for i in range(250):
            site.write(f"file{i}", content)
            check(peer.get(f"/file{i}").body == content, True)
        assert site.file_count() < before + 200, f"{site.file_count()} descriptors"


sys.exit(
    run_cases(
        [
            each_change_is_seen_by_the_next_request,
            folders_may_be_swapped,
            a_file_that_shrinks_ends_the_connection,
            a_deleted_file_is_sent_to_its_end,
            a_replaced_file_is_sent_to_its_end,
            of_a_file_that_grows_what_was_promised_is_sent,
            cold_files_come_whole,
            few_files_are_held_open,
        ]
    )
)
