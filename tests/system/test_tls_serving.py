#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`torc web` by TLS: its options, certificates that are replaced while it serves, tickets, and what it refuses.

    test_tls_serving.py BUILD_DIR ROOT

Prints TAP.
"""
import hashlib
import os
import pathlib
import pwd
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from serving import SECONDS, App, Skipped, check, run, run_cases, wait_until

TORC = (pathlib.Path(sys.argv[1]) / "torc").resolve()
WAYS = (["--workers", "0"], ["--workers", "2"])
LISTEN = "ssl:0:interface=127.0.0.1"
LOADERS = 3


class Folder:
    """A folder to be served, and one of certificates, for the length of a `with`."""

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="torc-tls-")
        self.path = pathlib.Path(self.temporary.name)
        self.path.chmod(0o755)
        self.www = self.path / "www"
        self.www.mkdir()
        (self.www / "index.html").write_text("hello\n")
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()

    def make(self, folder="c", *options):
        """A new certificate; where it is."""
        done = run(TORC, "cert", "--force", "--out", self.path / folder, *options)
        check(done.returncode, 0, done.stderr.decode())
        return self.path / folder

    def renew(self, folder="c", *options):
        """Another one in the place of the first, as tools do: each file is moved there whole."""
        fresh = self.make("fresh", *options)
        for name in ("key.pem", "cert.pem"):
            os.rename(fresh / name, self.path / folder / name)

    def pair(self, folder="c"):
        return ["--tls-cert", self.path / folder / "cert.pem", "--tls-key", self.path / folder / "key.pem"]

    def torc(self, *options, listen=LISTEN, **named):
        return App(TORC, "web", "--path", self.www, *options, listen=listen, **named)


def context_for(trusted=None, **settings):
    context = ssl.create_default_context(cafile=str(trusted) if trusted else None)
    if not trusted:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def connect(port, context, name="localhost", session=None):
    plain = socket.create_connection(("127.0.0.1", port), SECONDS)
    return context.wrap_socket(plain, server_hostname=name, session=session)


def ask(stream, last=False):
    """One request; the body of its answer. What is not whole is an error."""
    stream.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + (b"Connection: close\r\n" if last else b"") + b"\r\n")
    got = b""
    while not got.endswith(b"\r\n\r\nhello\n"):
        more = stream.recv(65536)
        assert more, f"it ended after {got!r}"
        got += more
    assert got.startswith(b"HTTP/1.1 200 "), got
    return got


def shown(port, name="localhost"):
    """The fingerprint of the certificate that is shown to who asks for a name."""
    with connect(port, context_for(), name) as stream:
        return hashlib.sha256(stream.getpeercert(True)).hexdigest()


def fingerprint(folder):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert((folder / "cert.pem").read_text())).hexdigest()


# ---- serving ----


def it_serves_by_the_options_certificate():
    with Folder() as folder:
        folder.make()
        for way in WAYS:
            with folder.torc(*folder.pair(), *way) as server:
                with connect(server.port, context_for(folder.path / "c/cert.pem")) as stream:
                    ask(stream)
                    ask(stream, last=True)
                    check(stream.version(), "TLSv1.3")
                assert f"https://127.0.0.1:{server.port}/" in server.said()


def the_endpoints_own_key_goes_first():
    with Folder() as folder:
        usual, own = folder.make("usual"), folder.make("own")
        both = own / "both.pem"
        both.write_bytes((own / "cert.pem").read_bytes() + (own / "key.pem").read_bytes())
        for listen in (f"ssl:0:interface=127.0.0.1:privateKey={own}/key.pem:certKey={own}/cert.pem",
                       f"tls:0:interface=127.0.0.1:privateKey={both}"):
            with folder.torc(*folder.pair("usual"), listen=listen) as server:
                check(shown(server.port), fingerprint(own))
        with folder.torc(*folder.pair("usual"), listen="tls:0:interface=127.0.0.1") as server:
            check(shown(server.port), fingerprint(usual))


def an_extra_chain_is_sent():
    with Folder() as folder:
        made = folder.make("c", "--ca")
        authority = made / "authority.pem"
        listen = f"ssl:0:interface=127.0.0.1:privateKey={made}/key.pem:certKey={made}/cert.pem:extraCertChain={authority}"
        with folder.torc(listen=listen) as server:
            done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-showcerts"],
                                  input=b"", capture_output=True, timeout=SECONDS)
            check(done.stdout.count(b"-----BEGIN CERTIFICATE-----"), 2)
            with connect(server.port, context_for(authority)) as stream:
                ask(stream, last=True)


def each_name_has_its_certificate():
    with Folder() as folder:
        first, second = folder.make("a", "--name", "a.test"), folder.make("b", "--name", "*.b.test")
        with folder.torc(*folder.pair("a"), *folder.pair("b")) as server:
            check(shown(server.port, "a.test"), fingerprint(first))
            check(shown(server.port, "x.b.test"), fingerprint(second))
            check(shown(server.port, "c.test"), fingerprint(first))


def a_folder_of_certificates_is_read():
    with Folder() as folder:
        sni = folder.path / "sni"
        sni.mkdir()
        for name in ("a.test", "b.test"):
            made = folder.make(name, "--name", name)
            (sni / f"{name}.pem").write_bytes((made / "cert.pem").read_bytes() + (made / "key.pem").read_bytes())
        with folder.torc(listen=f"ssl:0:interface=127.0.0.1:sni={sni}") as server:
            for name in ("a.test", "b.test"):
                check(shown(server.port, name), fingerprint(folder.path / name))


def one_is_made_at_the_start():
    with Folder() as folder:
        with folder.torc("--tls-self-signed") as server:
            first = shown(server.port)
            check(shown(server.port), first)
            with connect(server.port, context_for()) as stream:
                ask(stream, last=True)
        with folder.torc("--tls-self-signed") as server:
            assert shown(server.port) != first


def the_preset_says_what_is_spoken():
    with Folder() as folder:
        folder.make()
        old = context_for(maximum_version=ssl.TLSVersion.TLSv1_2)
        with folder.torc(*folder.pair(), "--tls-preset", "compatible") as server:
            with connect(server.port, old) as stream:
                check(stream.version(), "TLSv1.2")
        for strict in (["--tls-preset", "strict"], []):
            listen = LISTEN if strict else LISTEN + ":minTLS=1.3"
            with folder.torc(*folder.pair(), *strict, listen=listen) as server:
                try:
                    connect(server.port, old).close()
                except ssl.SSLError:
                    continue
                raise AssertionError("TLS 1.2 was spoken")


def clients_show_who_they_are():
    with Folder() as folder:
        made = folder.make("c", "--ca", "--client")
        with folder.torc(*folder.pair(), "--tls-client-ca", made / "authority.pem") as server:
            known = context_for()
            known.load_cert_chain(made / "cert.pem", made / "key.pem")
            with connect(server.port, known) as stream:
                ask(stream, last=True)
            try:
                with connect(server.port, context_for()) as stream:
                    ask(stream)
            except (ssl.SSLError, ConnectionError):
                pass
            else:
                raise AssertionError("it was served without a certificate")
        with folder.torc(*folder.pair(), "--tls-client-ca", made / "authority.pem", "--tls-client-cert", "optional") as server:
            with connect(server.port, context_for()) as stream:
                ask(stream, last=True)


def who_speaks_no_tls_is_told():
    with Folder() as folder:
        folder.make()
        with folder.torc(*folder.pair()) as server:
            with socket.create_connection(("127.0.0.1", server.port), SECONDS) as plain:
                plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                got = b""
                while more := plain.recv(65536):
                    got += more
            head, body = got.split(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 400 ") and b"https://" in body, got
            check(len(body), int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]))


def its_calls_may_be_filtered():
    if b"sanitizer" in run(TORC, "web", "--seccomp", "--help").stderr:
        raise Skipped("a sanitizer makes calls of its own")
    with Folder() as folder:
        folder.make()
        for way in WAYS:
            with folder.torc(*folder.pair(), "--seccomp", *way) as server:
                with connect(server.port, context_for(folder.path / "c/cert.pem")) as stream:
                    ask(stream, last=True)
                before = shown(server.port)
                folder.renew()
                wait_until(lambda: shown(server.port) != before, "the new certificate")


# ---- replaced while it serves ----


class Load:
    """Requests without end, on new connections and on those that stay, for the length of a `with`; none may fail."""

    def __init__(self, port):
        self.port, self.failures, self.count, self.is_over = port, [], 0, False
        self.lock = threading.Lock()

    def note(self, failure=None):
        with self.lock:
            self.count += 1
            if failure:
                self.failures.append(failure)

    def ask_anew(self):
        context = context_for()
        while not self.is_over:
            try:
                with connect(self.port, context) as stream:
                    ask(stream, last=True)
                self.note()
            except Exception as failure:  # whatever it is, it is one
                self.note(repr(failure))

    def ask_on(self):
        """On one connection for all the time."""
        try:
            with connect(self.port, context_for()) as stream:
                while not self.is_over:
                    ask(stream)
                    self.note()
                    time.sleep(0.002)
        except Exception as failure:
            self.note(repr(failure))

    def __enter__(self):
        self.threads = [threading.Thread(target=self.ask_anew) for _ in range(LOADERS)] + [threading.Thread(target=self.ask_on)]
        for thread in self.threads:
            thread.start()
        wait_until(lambda: self.count > 20, "requests")
        return self

    def __exit__(self, kind, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join(SECONDS)
        assert kind or not self.failures, f"{len(self.failures)} of {self.count} failed: {self.failures[:3]}"


def a_certificate_is_replaced_under_load():
    """No request fails, and no connection notices."""
    for way in WAYS:
        with Folder() as folder:
            folder.make()
            with folder.torc(*folder.pair(), *way) as server, Load(server.port):
                for kind in ("ec384", "rsa"):
                    folder.renew("c", "--key", kind)
                    wait_until(lambda: shown(server.port) == fingerprint(folder.path / "c"), "the new certificate")
                wait_until(lambda: all(shown(server.port) == fingerprint(folder.path / "c") for _ in range(8)), "all workers")


def a_reload_reads_certificates_anew():
    with Folder() as folder:
        folder.make()
        with folder.torc(*folder.pair(), "--workers", "2") as server:
            folder.renew()
            server.signal(1)
            wait_until(lambda: all(shown(server.port) == fingerprint(folder.path / "c") for _ in range(8)), "the new one")


def a_link_that_leads_elsewhere_is_seen():
    with Folder() as folder:
        folder.make("one")
        folder.make("two")
        os.symlink("one", folder.path / "c")
        with folder.torc(*folder.pair()) as server:
            check(shown(server.port), fingerprint(folder.path / "one"))
            os.symlink("two", folder.path / "next")
            os.rename(folder.path / "next", folder.path / "c")
            wait_until(lambda: shown(server.port) == fingerprint(folder.path / "two"), "the new certificate")


def what_cannot_be_used_changes_nothing():
    for way in WAYS:
        with Folder() as folder:
            made = folder.make()
            with folder.torc(*folder.pair(), *way) as server:
                before = fingerprint(made)
                for content in (b"nothing\n", (folder.make("other") / "cert.pem").read_bytes()):
                    lines = server.said().count("the one before stays")
                    (made / "new").write_bytes(content)
                    os.rename(made / "new", made / "cert.pem")
                    wait_until(lambda: server.said().count("the one before stays") > lines, "a line in the log")
                    check(shown(server.port), before)
                assert '"level":"error"' in server.said() and "cert.pem" in server.said(), server.said()
                folder.renew()
                wait_until(lambda: shown(server.port) == fingerprint(made), "the one that can be used")


# ---- tickets ----


def resumed(port, context, session):
    with connect(port, context, session=session) as stream:
        ask(stream, last=True)
        return stream.session_reused, stream.session


def first_session(port, context):
    return resumed(port, context, None)[1]


def a_ticket_is_good_for_all_workers_and_after_a_reload():
    with Folder() as folder:
        made = folder.make()
        with folder.torc(*folder.pair(), "--workers", "2") as server:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = context_for(made / "cert.pem", maximum_version=version)
                session = first_session(server.port, context)
                for _ in range(6):
                    check(resumed(server.port, context, session)[0], True, f"{version}")
            server.signal(1)
            server.wait_for(r"(?s)(reloaded|took over|generation.*generation)")
            for _ in range(6):
                check(resumed(server.port, context, session)[0], True, "after the reload")


def without_tickets_nothing_is_resumed():
    with Folder() as folder:
        made = folder.make()
        with folder.torc(*folder.pair(), "--tls-tickets", "off") as server:
            context = context_for(made / "cert.pem", maximum_version=ssl.TLSVersion.TLSv1_2)
            session = first_session(server.port, context)
            check(resumed(server.port, context, session)[0], False)


# ---- mistakes ----


def refused(code, *options):
    done = run(TORC, "web", *options)
    check(done.returncode, code, done.stderr.decode())
    said = done.stderr.decode().strip().splitlines()
    check(len(said), 1, done.stderr.decode())
    return said[0]


def what_is_missing_or_does_not_fit_is_told():
    with Folder() as folder:
        made, other = folder.make(), folder.make("other")
        locked = folder.path / "locked.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-aes-128-cbc", "-pass", "pass:x", "-out", locked],
                       check=True, timeout=SECONDS, capture_output=True)
        cert, key, plain = made / "cert.pem", made / "key.pem", folder.www / "index.html"
        listen = ["--listen", LISTEN]
        for code, options, parts in (
            (1, [*listen], ["--tls-cert", "--tls-self-signed"]),
            (1, [*listen, "--tls-cert", folder.path / "none"], ["none", "no such"]),
            (1, [*listen, "--tls-cert", plain, "--tls-key", key], ["index.html"]),
            (1, [*listen, "--tls-cert", cert, "--tls-key", plain], ["index.html"]),
            (1, [*listen, "--tls-cert", cert, "--tls-key", other / "key.pem"], ["key.pem"]),
            (1, [*listen, "--tls-cert", cert, "--tls-key", locked], ["locked.pem", "passphrase"]),
            (1, [*listen, "--tls-cert", cert], ["cert.pem"]),
            (1, [*listen, "--tls-self-signed", "--tls-client-ca", plain], ["index.html"]),
            (1, ["--listen", "127.0.0.1:0", "--tls-self-signed"], ["--tls-self-signed", "--listen ssl:"]),
            (1, ["--listen", LISTEN + f":sni={folder.www}/none"], ["none"]),
            (2, [*listen, "--tls-key", key], ["--tls-key", "--tls-cert"]),
            (2, [*listen, "--tls-cert", cert, "--tls-self-signed"], ["--tls-self-signed"]),
            (2, [*listen, "--tls-self-signed", "--tls-client-cert", "required"], ["--tls-client-ca"]),
            (2, [*listen, "--tls-preset", "modem"], ["modern"]),
            (2, [*listen, "--tls-tickets", "25"], ["1 to 24"]),
            (2, [*listen, "--tls-cert", ""], ["name a file"]),
        ):
            said = refused(code, "--path", folder.www, *options)
            for part in parts:
                assert part in said, f"{options}: {said}"


def a_key_of_root_alone_is_read_before_rights_are_given_up():
    if os.geteuid() != 0:
        raise Skipped("needs root")
    try:
        pwd.getpwnam("nobody")
    except KeyError:
        raise Skipped("there is no user `nobody`") from None
    with Folder() as folder:
        made = folder.make()
        with folder.torc(*folder.pair(), "--user", "nobody", "--workers", "2") as server:
            check(shown(server.port), fingerprint(made))
            folder.renew()
            server.signal(1)
            server.wait_for("the one before stays")
            assert fingerprint(made) != shown(server.port)


if __name__ == "__main__":
    sys.exit(run_cases([
        it_serves_by_the_options_certificate,
        the_endpoints_own_key_goes_first,
        an_extra_chain_is_sent,
        each_name_has_its_certificate,
        a_folder_of_certificates_is_read,
        one_is_made_at_the_start,
        the_preset_says_what_is_spoken,
        clients_show_who_they_are,
        who_speaks_no_tls_is_told,
        its_calls_may_be_filtered,
        a_certificate_is_replaced_under_load,
        a_reload_reads_certificates_anew,
        a_link_that_leads_elsewhere_is_seen,
        what_cannot_be_used_changes_nothing,
        a_ticket_is_good_for_all_workers_and_after_a_reload,
        without_tickets_nothing_is_resumed,
        what_is_missing_or_does_not_fit_is_told,
        a_key_of_root_alone_is_read_before_rights_are_given_up,
    ]))
