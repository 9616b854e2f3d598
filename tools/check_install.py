#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The installed library, as a stranger uses it. Prints TAP.

    check_install.py SOURCE_DIR BUILD_DIR MESON NINJA CC [CXX]

Into a scratch root: install, find what should be there, compile hello with one line and pkg-config (as C17
with the shared and the static library, as C++20), run it and ask it, uninstall, and find nothing left.
"""
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from tap import report

HELLO = "examples/01_hello.c"
PATIENCE_S = 20


def without_name_service(text):
    """glibc's name service (--user) is in shared libraries, as the linker tells of each use in a static program."""
    lines = text.splitlines()
    return "\n".join(line for line in lines if not re.search(r": in function `|in statically linked applications requires", line))


def run(command, **kwargs):
    """Run a command. Answers its complaints, none when it succeeds."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **kwargs)
    if done.returncode == 0 and not without_name_service(done.stderr).strip():
        return []
    return [" ".join(map(str, command)), f"exit code {done.returncode}", done.stdout[-2000:], done.stderr[-2000:]]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, process):
    """What a GET of / answers, as soon as the server is there."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            connection.request("GET", "/")
            response = connection.getresponse()
            return response.status, response.read()
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > deadline:
                return "does not listen", process.poll()
            time.sleep(0.02)


class Installation:
    def __init__(self, source, build, meson, ninja, directory):
        self.source, self.build, self.meson, self.ninja = source, build, meson, ninja
        self.root = directory / "root"
        self.directory = directory
        self.environment = dict(os.environ, DESTDIR=str(self.root))
        for name in ["MAKEFLAGS", "NINJA_STATUS"]:
            self.environment.pop(name, None)

    def install(self):
        command = [self.meson, "install", "-C", self.build, "--no-rebuild", "--quiet"]
        return run(command, env=self.environment)

    def files(self):
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*") if not path.is_dir())

    def missing(self):
        """What should be installed and is not, or is and should not be."""
        files = self.files()
        headers = {path.name for path in (self.source / "include/torc").glob("*.h")}
        there = {path.split("/")[-1] for path in files if "/include/torc/" in path}
        yield from (f"header: {name}" for name in sorted(headers ^ there))
        pages = [r".*/man1/torc\.1", r".*/man1/torc-web\.1", r".*/man1/torc-cert\.1"] if shutil.which("scdoc") else []
        for pattern in [r".*/libtorc\.so", r".*/libtorc\.so\.\d+", r".*/libtorc\.so\.\d+\.\d+\.\d+", r".*/libtorc\.a",
                        r".*/libtorc-testing\.a", r".*/pkgconfig/torc\.pc", r".*/pkgconfig/torc-testing\.pc", r".*/bin/torc",
                        r".*/bash-completion/completions/torc", r".*/zsh/site-functions/_torc",
                        r".*/fish/vendor_completions\.d/torc\.fish", *pages]:
            if not any(re.fullmatch(pattern, path) for path in files):
                yield f"no {pattern}"

    def pkg_config(self, *arguments):
        """What pkg-config says of the library in the scratch root."""
        folder = next(self.root.rglob("torc.pc")).parent
        prefix = self.root / re.search(r"^prefix=/(.*)$", (folder / "torc.pc").read_text(), re.M)[1]
        environment = dict(os.environ, PKG_CONFIG_PATH=str(folder))
        command = ["pkg-config", f"--define-variable=prefix={prefix}", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout.split()

    def compile(self, program, compiler, source, *flags, package="torc", static=False):
        """The one line of the README."""
        asked = ["--static"] if static else []
        found = self.pkg_config(*asked, "--cflags", "--libs", package)
        return run([*compiler, *flags, str(source), "-o", str(self.directory / program), *found])

    def answers(self, program):
        """Run the program, ask it, and end it."""
        if not (self.directory / program).exists():
            yield "did not compile"
            return
        port = free_port()
        library = next(self.root.rglob("libtorc.so")).parent
        environment = dict(os.environ, LD_LIBRARY_PATH=str(library))
        with open(self.directory / "log", "w+", encoding="utf-8") as log:
            process = subprocess.Popen([self.directory / program, "--listen", f"127.0.0.1:{port}"], env=environment,
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                answer = ask(port, process)
                process.send_signal(signal.SIGTERM)
                code = process.wait(PATIENCE_S)
            finally:
                process.kill()
                process.wait()
            log.seek(0)
            if answer != (200, b"Hello, World!\n"):
                yield f"answered {answer!r}"
            if code != 0:
                yield f"exit code {code} after SIGTERM"
            if answer != (200, b"Hello, World!\n") or code != 0:
                yield log.read()[-2000:]

    def uninstall(self):
        done = subprocess.run([self.ninja, "-C", self.build, "uninstall"], env=self.environment, capture_output=True,
                              text=True, timeout=60)
        if done.returncode:
            yield done.stdout[-2000:] + done.stderr[-2000:]
        # The folders that every system has are not the project's to remove.
        yield from (f"left: {path}" for path in self.files())
        yield from (f"left: {path}" for path in self.root.rglob("torc*"))


def checks(installation, cc, cxx):
    hello = installation.source / HELLO
    warnings = ["-Wall", "-Wextra"]
    yield "install", installation.install
    yield "what is installed", installation.missing
    yield "hello compiles with one line", lambda: installation.compile("hello", cc, hello, "-std=c17", *warnings)
    yield "hello answers", lambda: installation.answers("hello")
    yield ("hello compiles with the static library",
           lambda: installation.compile("hello-static", cc, hello, "-static", static=True))
    yield "hello answers, linked statically", lambda: installation.answers("hello-static")
    if cxx:
        yield ("hello compiles as C++20",
               lambda: installation.compile("hello-cxx", cxx, hello, "-std=c++20", "-x", "c++", *warnings))
        yield "hello answers, as C++20", lambda: installation.answers("hello-cxx")
    yield "uninstall leaves nothing", installation.uninstall


def main():
    source, build = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory(prefix="torc-install-") as directory:
        installation = Installation(source, build, sys.argv[3], sys.argv[4], pathlib.Path(directory))
        return report(checks(installation, sys.argv[5].split(), sys.argv[6:7]))


if __name__ == "__main__":
    sys.exit(main())
