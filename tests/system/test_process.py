#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A server and the system: users, chroot, filtered calls, pidfile, background, service manager, containers.

    test_process.py BUILD_DIR ROOT

What needs root is skipped without. Prints TAP.
"""
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from activation import Activated
from serving import SECONDS, App, Peer, Skipped, check, get, run, run_cases, wait_until

BUILD, ROOT = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
TORC = BUILD / "torc"
LARGE = os.urandom(3_000_000)
WAYS = ([], ["--workers", "0"], ["--workers", "2"])


class Folder:
    """A folder to be served, which anybody may read, for the length of a `with`."""

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="torc-process-")
        self.path = pathlib.Path(self.temporary.name)
        self.path.chmod(0o755)
        self.www = self.path / "www"
        self.www.mkdir(mode=0o755)
        (self.www / "index.html").write_text("hello\n")
        (self.www / "large").write_bytes(LARGE)
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()


def torc(folder, *options, **named):
    return App(TORC, "web", "--path", folder.www, *options, **named)


def need_root():
    if os.geteuid() != 0:
        raise Skipped("needs root")


def nobody():
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise Skipped("there is no user `nobody`") from None


def status(pid):
    """What the kernel says of a process."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.split() for key, _, value in (line.partition(":") for line in lines)}


def family(pid):
    """A process and all that it started; those that end meanwhile are left out."""
    pids = [pid]
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                pids += family(int(child))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return pids


def check_serves(port):
    check(get(port, "/").body, b"hello\n")
    check(get(port, "/large").body == LARGE, True, "a large file")


def answers(port):
    """Whether it answers; a connection to a worker that ends just now is closed."""
    try:
        return get(port, "/").status == 200
    except (ConnectionError, AssertionError):
        return False


def without_proc():
    """The environment of who does not see itself in /proc, where a sanitizer looks for leaks."""
    return dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")


def in_chroot(folder, *options):
    return App(TORC, "web", "--chroot", folder.path, "--path", "/www", "--user", "nobody", *options,
               environment=without_proc())


def said_by(*command):
    """What a program says that does not come to serve."""
    answer = run(*command)
    return answer.returncode, answer.stderr.decode()


# ---- rights ----


def root_serves_as_the_user_with_no_rights_left():
    need_root()
    uid, gid = nobody().pw_uid, nobody().pw_gid
    for way in WAYS:
        with Folder() as folder, torc(folder, *way, "--user", "nobody") as server:
            check_serves(server.port)
            for pid in family(server.process.pid):
                facts = status(pid)
                check(facts["Uid"], [str(uid)] * 4)
                check(facts["Gid"], [str(gid)] * 4)
                check(facts["NoNewPrivs"], ["1"])
                for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                    check(int(facts[kind][0], 16), 0, kind)


def another_group_may_be_given():
    need_root()
    with Folder() as folder, torc(folder, "--user", str(nobody().pw_uid), "--group", "2718281") as server:
        check_serves(server.port)
        for pid in family(server.process.pid):
            check(status(pid)["Gid"], ["2718281"] * 4)


def the_root_folder_is_changed():
    need_root()
    nobody()
    for way in WAYS:
        with Folder() as folder:
            (folder.path / "outside").write_text("secret")
            with in_chroot(folder, *way) as server:
                check_serves(server.port)
                check(get(server.port, "/../outside").status, 404)
                for pid in family(server.process.pid):
                    check(os.readlink(f"/proc/{pid}/root"), str(folder.path))


def mistakes_are_told_before_anything_is_opened():
    nobody()
    cases = [
        (["--user", "nobodi"], "--user nobodi: there is no such user; did you mean nobody?"),
        (["--user", "root"], "--user root: that is root, who drops nothing"),
        (["--user", "nobody", "--group", "no-group-is-called-so"], "there is no such group"),
        (["--group", "1"], "--group: has no meaning without --user"),
        (["--chroot", "/srv"], "--chroot: keeps nobody in who is root; add --user"),
        (["--daemonize"], "--daemonize: nobody would see the log; add --log-file FILE"),
        (["--umask", "9"], "--umask 9: it is octal"),
    ]
    for options, text in cases:
        code, said = said_by(TORC, "web", "--listen", "127.0.0.1:0", *options)
        check(code, 2, options)
        assert text in said and said.count("\n") == 1, said


def what_the_system_refuses_is_told():
    nobody()
    code, said = said_by(TORC, "web", "--listen", "127.0.0.1:0", "--user", "nobody", "--chroot", "/nowhere")
    check(code, 1)
    assert "--chroot /nowhere: there is no such thing" in said, said


def only_root_may_become_somebody_else():
    nobody()
    command = [TORC, "web", "--listen", "127.0.0.1:0", "--user", "1", "--group", "1"]
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            raise Skipped("there is no setpriv")
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
        if run(*command[:4], "test", "-x", TORC).returncode:
            raise Skipped("others than root cannot reach the build")
    code, said = said_by(*command)
    check(code, 1, said)
    assert "--user" in said and "start it as root" in said, said


def the_logs_are_the_users_when_they_are_opened_anew():
    need_root()
    nobody()
    for way in WAYS:
        with Folder() as folder:
            logs = folder.path / "logs"
            logs.mkdir(mode=0o700)
            os.chown(logs, nobody().pw_uid, nobody().pw_gid)
            with torc(folder, *way, "--user", "nobody", "--access-log", logs / "access",
                      *(["--seccomp"] if can_filter() else [])) as server:
                check(get(server.port, "/").status, 200)
                (logs / "access").rename(logs / "access.1")
                server.signal(signal.SIGUSR1)
                wait_until(lambda: (logs / "access").exists(), "a file that was opened anew")
                check((logs / "access").stat().st_uid, nobody().pw_uid)
                wait_until(lambda: answers(server.port) and (logs / "access").stat().st_size > 0, "a line in it")


def root_is_not_led_astray_by_who_owns_the_folder_of_the_logs():
    need_root()
    nobody()
    with Folder() as folder:
        logs, victim = folder.path / "logs", folder.path / "victim"
        logs.mkdir(mode=0o755)
        os.chown(logs, nobody().pw_uid, nobody().pw_gid)
        victim.write_text("root's")
        (logs / "access").symlink_to(victim)
        os.lchown(logs / "access", nobody().pw_uid, nobody().pw_gid)
        code, said = said_by(TORC, "web", "--path", folder.www, "--listen", "127.0.0.1:0", "--user", "nobody", "--access-log",
                             logs / "access")
        check((code, said), (1, f"torc web: --access-log {logs}/access: permission denied; is it a symbolic link that is not "
                                "root's?\n"))
        check((victim.stat().st_uid, victim.read_text()), (0, "root's"))


# ---- filtered calls ----


def can_filter():
    code, said = said_by(TORC, "web", "--seccomp", "--help")
    assert code == 0 or "sanitizer" in said, said
    return code == 0


def need_seccomp():
    if not can_filter():
        raise Skipped("a sanitizer makes calls of its own")


def all_that_is_served_is_served_with_filtered_calls():
    need_seccomp()
    for way in WAYS:
        with Folder() as folder, torc(folder, *way, "--seccomp") as server:
            check_serves(server.port)
            (folder.www / "index.html").write_text("hello again\n")
            wait_until(lambda: get(server.port, "/").body == b"hello again\n", "a file that was changed")
            check(get(server.port, "/large", "Range: bytes=1000000-1000009").body, LARGE[1000000:1000010])
            check(get(server.port, "/none").status, 404)
            for pid in family(server.process.pid):
                facts = status(pid)
                check(facts["Seccomp"], ["2"])
                check(facts["NoNewPrivs"], ["1"])
            server.signal(signal.SIGUSR1)
            server.signal(signal.SIGHUP)
            wait_until(lambda: answers(server.port), "an answer after the signals")


def a_parent_with_filtered_calls_replaces_its_workers():
    need_seccomp()
    with Folder() as folder, torc(folder, "--workers", "2", "--seccomp") as server:
        parent = server.process.pid
        before = set(family(parent)) - {parent}
        check(len(before), 2)
        os.kill(min(before), signal.SIGKILL)
        wait_until(lambda: len(set(family(parent)) - {parent, min(before)}) == 2, "another worker")
        wait_until(lambda: answers(server.port), "an answer")
        server.signal(signal.SIGHUP)
        wait_until(lambda: not before & set(family(parent)), "the next generation")
        check(get(server.port, "/").body, b"hello\n")


def rights_and_filters_go_together():
    need_root()
    need_seccomp()
    nobody()
    for way in WAYS:
        with Folder() as folder, in_chroot(folder, "--seccomp", *way) as server:
            check_serves(server.port)


# ---- pidfile ----


def the_pidfile_is_there_while_it_serves():
    for way in WAYS:
        with Folder() as folder:
            pidfile = folder.path / "pid"
            pidfile.write_text("1\n")  # left behind: process 1 lives, but has it not
            with torc(folder, *way, "--pidfile", pidfile) as server:
                check(pidfile.read_text(), f"{server.process.pid}\n")
                code, said = said_by(TORC, "web", "--path", folder.www, "--listen", "127.0.0.1:0", "--pidfile", pidfile)
                check(code, 1)
                assert f"--pidfile {pidfile}: process {server.process.pid} runs with it" in said, said
                check(pidfile.read_text(), f"{server.process.pid}\n")
            check(pidfile.exists(), False, "the pidfile at the end")


def who_reads_the_pidfile_may_signal_at_once():
    for way in WAYS:
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM) * 4:
            with Folder() as folder:
                pidfile = folder.path / "pid"
                process = subprocess.Popen([TORC, "web", "--path", folder.www, "--listen", f"unix:{folder.path}/sock", "--pidfile",
                                            pidfile, *way], stderr=subprocess.PIPE)
                until = time.monotonic() + SECONDS
                while not (pidfile.exists() and pidfile.stat().st_size) and time.monotonic() < until:
                    pass
                process.send_signal(number)
                if number != signal.SIGTERM:
                    wait_until(lambda: (folder.path / "sock").exists() or process.poll() is not None, "the socket")
                    process.terminate()
                said = process.communicate(timeout=SECONDS)[1]
                check(process.returncode, 0, f"{way} {number.name}: {said.decode()}")
                check(pidfile.exists(), False)


def a_pidfile_out_of_reach_is_emptied():
    need_root()
    nobody()
    with Folder() as folder:
        pidfile = folder.path / "pid"
        with torc(folder, "--pidfile", pidfile, "--user", "nobody") as server:
            check(pidfile.read_text(), f"{server.process.pid}\n")
        check(pidfile.read_text(), "")
        with torc(folder, "--pidfile", pidfile) as server:
            check(pidfile.read_text(), f"{server.process.pid}\n")


def a_pidfile_that_cannot_be_is_told():
    code, said = said_by(TORC, "web", "--listen", "127.0.0.1:0", "--pidfile", "/nowhere/at/all")
    check(code, 1)
    assert "--pidfile /nowhere/at/all: there is no such thing" in said, said


# ---- the background ----


def is_alive(pid):
    """Whether a process runs: one that has ended and was not waited for does not."""
    try:
        return status(pid)["State"][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def daemon_returns_when_it_serves():
    for way in WAYS:
        with Folder() as folder:
            command = [TORC, "web", *way, "--path", "www", "--listen", "unix:socket", "--pidfile", "pid", "--daemonize",
                       "--log-file", "log", "--access-log", "access"]
            answer = subprocess.run([str(word) for word in command], cwd=folder.path, capture_output=True, timeout=30)
            check(answer.returncode, 0, answer.stderr)
            pid = int((folder.path / "pid").read_text())
            try:
                check(ask_path(folder.path / "socket"), b"hello\n")
                for member in family(pid):
                    check([os.readlink(f"/proc/{member}/fd/{fd}") for fd in (0, 1, 2)], ["/dev/null"] * 3)
                facts = status(pid)
                check(facts["Umask"], ["0027"])
                assert '"listening"' in (folder.path / "log").read_text()
                check(os.getsid(pid) not in (pid, os.getsid(0)), True, "a session of its own")
            finally:
                os.kill(pid, signal.SIGTERM)
                wait_until(lambda: not is_alive(pid), "the end of the daemon")
            check((folder.path / "pid").exists(), False, "the pidfile")
            check((folder.path / "access").read_text().count('"GET / HTTP/1.1" 200'), 1)


def ask_path(path):
    from serving import Peer

    with Peer(path=str(path)) as peer:
        return peer.get("/").body


def a_daemon_that_does_not_come_to_serve_is_told():
    with Folder() as folder, torc(folder) as server:
        for way in WAYS:
            code, said = said_by(TORC, "web", *way, "--listen", f"127.0.0.1:{server.port}", "--daemonize",
                                 "--log-file", "/dev/null")
            check(code, 1)
            assert "in use" in said, said


# ---- the service manager ----


def units(folder, *dropin, **named):
    return Activated(ROOT / "dist/torc.service", ROOT / "dist/torc.socket", TORC, folder.path,
                     dropin=[f"TORC_PATH={folder.www}", *dropin], **named)


def the_units_start_it_on_their_sockets():
    for way in WAYS:
        with Folder() as folder, units(folder, f"'TORC_OPTIONS={' '.join(way)}'") as server:
            told = server.wait_told(READY="1")
            check("MAINPID" in told, False, "the number, which the manager knows")
            check_serves(server.ports[0])
            environment = pathlib.Path(f"/proc/{server.process.pid}/environ").read_bytes()
            assert b"LISTEN_FDS=1" in environment, environment


def reload_and_stop_are_told():
    with Folder() as folder, units(folder, "'TORC_OPTIONS=--workers 2'") as server:
        server.wait_told(READY="1")
        server.reload()
        told = server.wait_told(RELOADING="1")
        assert int(told["MONOTONIC_USEC"]) > 0, told
        server.wait_told(READY="1")
        check(get(server.ports[0], "/").body, b"hello\n")
        server.signal()
        server.wait_told(STOPPING="1")


def the_watchdog_is_told_that_it_lives():
    for way in WAYS:
        with Folder() as folder, units(folder, f"'TORC_OPTIONS={' '.join(way)}'", watchdog_us=100_000) as server:
            for _ in range(3):
                server.wait_told(WATCHDOG="1")


def a_daemon_tells_its_number():
    with Folder() as folder, units(folder, "'TORC_OPTIONS=--daemonize --log-file /dev/null'") as server:
        pid = int(server.wait_told(READY="1")["MAINPID"])
        check(pid != server.process.pid, True)
        check(server.exit_code(), 0)
        check(get(server.ports[0], "/").body, b"hello\n")
        os.kill(pid, signal.SIGTERM)
        server.wait_told(STOPPING="1")
        wait_until(lambda: not is_alive(pid), "the end of the daemon")


def what_was_not_passed_is_told():
    code, said = said_by(TORC, "web", "--listen", "systemd:name=http")
    check(code, 1)
    assert "systemd:name=http: no sockets were passed to this process" in said, said
    code, said = said_by(TORC, "web", "--listen", "fd:77")
    check(code, 1)
    assert "the descriptor 77 is not open" in said, said


def the_sockets_stay_when_it_is_started_anew():
    """The queue is the manager's: who connects meanwhile is answered by the next."""
    from serving import Peer, head

    with Folder() as folder, units(folder) as server:
        server.wait_told(READY="1")
        port = server.ports[0]
        server.signal()
        check(server.exit_code(), 0)
        with Peer(port) as peer:
            peer.send(head("GET", "/"))
            server.output.close()
            server.start_with(server.variables(0), None)
            check(peer.response().body, b"hello\n")


def the_units_are_what_systemd_reads():
    if not shutil.which("systemd-analyze"):
        raise Skipped("there is no systemd-analyze")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name in ("torc.service", "torc.socket"):
            text = (ROOT / "dist" / name).read_text()
            (folder / name).write_text(text.replace("/usr/bin/torc", "/bin/true").replace("man:torc-web(1)", "man:true(1)"))
        answer = run("systemd-analyze", "verify", "--man=no", folder / "torc.service", folder / "torc.socket")
        said = answer.stderr.decode()
        ours = [line for line in said.splitlines() if "torc." in line]
        check((answer.returncode, ours), (0, []))
        answer = run("systemd-analyze", "security", "--offline=yes", "--threshold=20", folder / "torc.service")
        check(answer.returncode, 0, answer.stdout.decode()[-300:])


# ---- standard streams ----


def answer_at(sock):
    """What it answers; None while it does not listen yet."""
    try:
        with Peer(path=str(sock)) as peer:
            return peer.get("/").body
    except ConnectionRefusedError:
        return None


def closed_streams_are_not_taken_by_what_is_opened():
    """Else a log of a server that has no standard error is written into its pidfile, or to a client."""
    for way in WAYS:
        for closed in ("<&-", "2>&-", "<&- >&- 2>&-"):
            with Folder() as folder:
                sock, pidfile, access = folder.path / "sock", folder.path / "pid", folder.path / "access"
                command = [TORC, "web", "--path", folder.www, "--listen", f"unix:{sock}", "--pidfile", pidfile, "--access-log",
                           access, *way]
                process = subprocess.Popen(["sh", "-c", f'exec "$@" {closed}', "sh", *command], stderr=subprocess.DEVNULL)
                try:
                    wait_until(lambda: sock.exists() and answer_at(sock), "an answer")
                    check(pidfile.read_text(), f"{process.pid}\n", closed)
                    for pid in family(process.pid):
                        for fd in range(3):
                            target = os.readlink(f"/proc/{pid}/fd/{fd}")
                            assert str(folder.path) not in target and "anon_inode" not in target, (closed, fd, target)
                finally:
                    process.terminate()
                    check(process.wait(SECONDS), 0)
                check(len(access.read_text().splitlines()), 1, closed)


# ---- containers ----


def it_may_be_process_1():
    """With children that are not its own, which it has to wait for; and with no terminal."""
    need_root()
    if not shutil.which("unshare"):
        raise Skipped("there is no unshare")
    if subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True).returncode:
        raise Skipped("no namespaces may be made here")
    for way in WAYS:
        with Folder() as folder:
            command = ["unshare", "--pid", "--fork", "--kill-child", "sh", "-c", '(sleep 0.1; true) & exec "$@"', "sh", TORC]
            with App(*command, "web", "--path", folder.www, *way, environment=without_proc()) as server:
                first = int(pathlib.Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text())
                check(status(first)["NSpid"][-1], "1")
                check_serves(server.port)
                wait_until(lambda: orphans(first) == [], "the children of others to be waited for")
                for line in server.said().splitlines():
                    json.loads(line)
                os.kill(first, signal.SIGTERM)
                check(server.exit_code(), 0)


def orphans(pid):
    """Children of the process that are no workers; one that ends meanwhile is looked at again."""
    try:
        return [child for child in family(pid)[1:] if status(child)["Name"] != ["torc"]]
    except (FileNotFoundError, ProcessLookupError):
        return None


if __name__ == "__main__":
    sys.exit(run_cases([
        root_serves_as_the_user_with_no_rights_left,
        another_group_may_be_given,
        the_root_folder_is_changed,
        mistakes_are_told_before_anything_is_opened,
        what_the_system_refuses_is_told,
        only_root_may_become_somebody_else,
        the_logs_are_the_users_when_they_are_opened_anew,
        root_is_not_led_astray_by_who_owns_the_folder_of_the_logs,
        all_that_is_served_is_served_with_filtered_calls,
        a_parent_with_filtered_calls_replaces_its_workers,
        rights_and_filters_go_together,
        the_pidfile_is_there_while_it_serves,
        who_reads_the_pidfile_may_signal_at_once,
        a_pidfile_out_of_reach_is_emptied,
        a_pidfile_that_cannot_be_is_told,
        daemon_returns_when_it_serves,
        a_daemon_that_does_not_come_to_serve_is_told,
        the_units_start_it_on_their_sockets,
        reload_and_stop_are_told,
        the_watchdog_is_told_that_it_lives,
        a_daemon_tells_its_number,
        what_was_not_passed_is_told,
        the_sockets_stay_when_it_is_started_anew,
        the_units_are_what_systemd_reads,
        closed_streams_are_not_taken_by_what_is_opened,
        it_may_be_process_1,
    ]))
