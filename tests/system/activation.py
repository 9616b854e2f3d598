# SPDX-License-Identifier: MIT
"""Starting a program as systemd does: sockets and a notification socket by its unit files, and nothing of systemd.

Of a .socket unit it knows ListenStream and FileDescriptorName, of a .service unit ExecStart, Environment and
WatchdogSec. Every stream is a port of the loopback interface that the kernel chooses, or a path in the test's folder:
what units say of addresses would be the test machine's.
"""
import os
import re
import shlex
import signal
import socket
import sys

from serving import SECONDS, Server

# LISTEN_PID is the number of the program itself, so it is set by who becomes the program.
BECOME = """
import fcntl, os, sys
given = [int(number) for number in sys.argv[1].split(",")]
moved = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 100) for number in given]
for number in given: os.close(number)
for i, number in enumerate(moved): os.dup2(number, 3 + i, inheritable=True)
os.environ["LISTEN_PID"] = os.environ["WATCHDOG_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


def read_unit(path):
    """The assignments of a unit: lists by `Section.Key`; an empty one clears what was there."""
    unit, section = {}, ""
    for line in path.read_text().splitlines():
        if found := re.fullmatch(r"\[(\w+)\]", line):
            section = found[1]
        elif line and line[0] not in "#;":
            key, equals, value = line.partition("=")
            assert equals and section, f"{path.name}: {line!r} is no assignment"
            values = unit.setdefault(f"{section}.{key}", [])
            if value:
                values.append(value)
            else:
                values.clear()
    return unit


def environment_of(unit, *more):
    """What Environment= sets, and a drop-in."""
    words = [word for line in unit.get("Service.Environment", []) + list(more) for word in shlex.split(line)]
    return dict(word.split("=", 1) for word in words)


def command_of(unit, environment):
    """ExecStart with its variables: ${X} within a word, $X as any number of words."""
    command = []
    for word in shlex.split(unit["Service.ExecStart"][-1]):
        if word.startswith("$") and not word.startswith("${"):
            command += environment.get(word[1:], "").split()
        else:
            command.append(re.sub(r"\$\{(\w+)\}", lambda found: environment.get(found[1], ""), word))
    return command


class Activated(Server):
    """The program of a service, started with the sockets of its .socket unit."""

    def __init__(self, service, sockets, program, folder, dropin=(), watchdog_us=0):
        self.unit, self.socket_unit = read_unit(service), read_unit(sockets)
        self.assigned = environment_of(self.unit, *dropin)
        command = command_of(self.unit, self.assigned)
        super().__init__([program, *command[1:]])
        self.folder, self.watchdog_us = folder, watchdog_us
        self.streams, self.ports = [], []
        self.notified = None

    def open_streams(self):
        for stream in self.socket_unit["Socket.ListenStream"]:
            if stream.startswith("/"):
                listener = socket.socket(socket.AF_UNIX)
                listener.bind(f"{self.folder}/{len(self.streams)}.sock")
            else:
                listener = socket.socket()
                listener.bind(("127.0.0.1", 0))
                self.ports.append(listener.getsockname()[1])
            listener.listen(int(self.socket_unit.get("Socket.Backlog", ["4096"])[-1]))
            self.streams.append(listener)

    def open_notified(self):
        """Where the program says how it is."""
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.settimeout(SECONDS)
        self.notified.bind(f"{self.folder}/notify")
        os.chmod(f"{self.folder}/notify", 0o777)

    def variables(self, watchdog_us):
        name = self.socket_unit.get("Socket.FileDescriptorName", ["torc.socket"])[-1]
        variables = {
            "PATH": os.environ["PATH"],
            "LISTEN_FDS": str(len(self.streams)),
            "LISTEN_FDNAMES": ":".join([name] * len(self.streams)),
            "NOTIFY_SOCKET": f"{self.folder}/notify",
            "WATCHDOG_USEC": str(watchdog_us),
            **self.assigned,
        }
        kept = [key for key in os.environ if key.endswith("SAN_OPTIONS") or key == "LD_LIBRARY_PATH"]
        return {**{key: os.environ[key] for key in kept}, **variables}

    def start(self):
        self.open_streams()
        self.open_notified()
        self.inherited = tuple(stream.fileno() for stream in self.streams)
        numbers = ",".join(str(number) for number in self.inherited)
        self.command = [sys.executable, "-S", "-c", BECOME, numbers, *self.command]
        self.start_with(self.variables(self.watchdog_us), None)

    def told(self):
        """The next that it says to the service manager: a dictionary."""
        lines = self.notified.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def wait_told(self, **expected):
        """Read on until it says this; what came with it."""
        while True:
            told = self.told()
            if all(told.get(key) == value for key, value in expected.items()):
                return told

    def reload(self):
        """As ExecReload does."""
        command = self.unit["Service.ExecReload"][-1].split()
        assert command == ["/bin/kill", "-HUP", "$MAINPID"], command
        self.signal(signal.SIGHUP)

    def __exit__(self, *failure):
        try:
            super().__exit__(*failure)
        finally:
            for listener in [*self.streams, self.notified]:
                if listener:
                    listener.close()
