#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""TLS as peers that are not ours see it: Python's, OpenSSL's and curl's.

    test_tls.py BUILD_DIR ROOT

The certificates are made here, and gone afterwards. Prints TAP.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from serving import SECONDS, Server, check, run, run_cases, wait_until

BUILD = pathlib.Path(sys.argv[1])
FOLDER = tempfile.TemporaryDirectory()
ROOT = pathlib.Path(FOLDER.name)


# ---- certificates ----


def make_key(path, kind="ec"):
    kinds = {"ec": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]}
    check(run("openssl", "genpkey", "-algorithm", *kinds[kind], "-out", path).returncode, 0)


def make_certificate(folder, name, subject, names, kind="ec", authority=None):
    """NAME.pem and NAME.key in a folder, signed by itself or by ca.* of another one."""
    make_key(folder / f"{name}.key", kind)
    extensions = folder / f"{name}.cnf"
    extensions.write_text(f"subjectAltName={names}\n" if names else "basicConstraints=critical,CA:TRUE\n")
    request = run("openssl", "req", "-new", "-key", folder / f"{name}.key", "-subj", f"/CN={subject}").stdout
    signer = ["-CA", authority / "ca.pem", "-CAkey", authority / "ca.key", "-CAcreateserial"] if authority else [
        "-signkey", folder / f"{name}.key"]
    made = run("openssl", "x509", "-req", "-days", "2", "-extfile", extensions, *signer, "-out", folder / f"{name}.pem",
               input=request)
    check(made.returncode, 0, made.stderr.decode())


def make_folder(name):
    folder = ROOT / name
    folder.mkdir()
    for file in ("ca.pem", "ca.key"):
        shutil.copy(ROOT / file, folder)
    make_certificate(folder, "a", "a.example", "DNS:a.example,DNS:*.w.example,IP:127.0.0.1", authority=ROOT)
    make_certificate(folder, "b", "b.example", "DNS:b.example", authority=ROOT)
    make_certificate(folder, "rsa", "rsa", "DNS:a.example", "rsa", authority=ROOT)
    (folder / "file").write_bytes(bytes(range(256)) * 1000)
    return folder


class Site(Server):
    def __init__(self, name, *words):
        self.folder = make_folder(name)
        super().__init__([BUILD / "tests/system/tls_site", "tcp:0:interface=127.0.0.1", self.folder, *words])
        self.port = 0

    def start(self):
        super().start()
        found = self.wait_for(r"serving on 127\.0\.0\.1:(\d+)")
        assert found, f"it does not start: {self.said()}"
        self.port = int(found[1])


# ---- peers ----


def client(low=None, high=None, certificate=None, protocols=None, ciphers=None):
    context = ssl.create_default_context(cafile=ROOT / "ca.pem")
    if low:
        context.minimum_version = low
    if high:
        context.maximum_version = high
    if certificate:
        context.load_cert_chain(certificate / "client.pem", certificate / "client.key")
    if protocols:
        context.set_alpn_protocols(protocols)
    if ciphers:
        context.set_ciphers(ciphers)
    return context


def connect(site, context=None, name="a.example", session=None):
    plain = socket.create_connection(("127.0.0.1", site.port), SECONDS)
    return (context or client()).wrap_socket(plain, server_hostname=name, session=session)


def ask(connection, path="/", body=b""):
    """The body of the answer, on a connection that stays."""
    method = b"POST" if body else b"GET"
    connection.sendall(b"%s %s HTTP/1.1\r\nHost: a.example\r\nContent-Length: %d\r\n\r\n%s" % (
        method, path.encode(), len(body), body))
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        assert part, f"it ended after {data!r}"
        data += part
    head, data = data.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 "), head
    length = int([line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")][0].split(b":")[1])
    while len(data) < length:
        part = connection.recv(65536)
        assert part, f"it ended after {len(data)} of {length}"
        data += part
    return data


def told(site, context=None, name="a.example"):
    with connect(site, context, name) as connection:
        return json.loads(ask(connection, "/tls"))


def common_name(connection):
    return dict(field[0] for field in connection.getpeercert()["subject"])["commonName"]


def refused(site, context, name="a.example"):
    """The handshake, or with TLS 1.3 the first answer, is refused by an alert: its words."""
    try:
        with connect(site, context, name) as connection:
            ask(connection)
    except ssl.SSLError as error:
        return str(error)
    except ConnectionResetError:
        return "reset"
    raise AssertionError("it was let in")


def s_client(site, *options, given=b"", wait=1.0):
    """OpenSSL's client; it is given its input after a moment, and its end after another."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{site.port}", *options]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for part in given if isinstance(given, list) else [given]:
        process.stdin.write(part)
        process.stdin.flush()
        time.sleep(wait / 4)
    return process.communicate(timeout=SECONDS)[0].decode(errors="replace")


# ---- cases ----


def versions_1_2_and_1_3_are_spoken():
    check(told(MODERN)["version"], "TLSv1.3")
    check(told(MODERN)["cipher"], "TLS_AES_128_GCM_SHA256")
    old = told(MODERN, client(high=ssl.TLSVersion.TLSv1_2))
    check((old["version"], old["secure"]), ("TLSv1.2", True))


def older_versions_are_not():
    for version in ("-tls1", "-tls1_1"):
        said = s_client(MODERN, version, "-cipher", "ALL:@SECLEVEL=0")
        assert "Cipher is (NONE)" in said or "Cipher    : 0000" in said, said


def strict_is_1_3_alone():
    check(told(STRICT, client(certificate=ROOT))["version"], "TLSv1.3")
    assert "VERSION" in refused(STRICT, client(high=ssl.TLSVersion.TLSv1_2)).upper()


def compatible_takes_cbc_and_modern_does_not():
    old = client(high=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE-RSA-AES128-SHA256")
    assert "CBC" in told(COMPATIBLE, old)["cipher"]
    assert "HANDSHAKE" in refused(MODERN, old).upper()


def names_lead_to_certificates():
    for name, expected in (("a.example", "a.example"), ("x.w.example", "a.example"), ("b.example", "b.example")):
        with connect(MODERN, name=name) as connection:
            check(common_name(connection), expected, name)
    rsa = client(high=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE-RSA-AES128-GCM-SHA256")
    with connect(MODERN, rsa) as connection:
        check(common_name(connection), "rsa")
    assert "UNRECOGNIZED" in refused(STRICT, client(), "c.example").upper()


def protocols_are_agreed():
    with connect(MODERN, client(protocols=["h2", "http/1.1"])) as connection:
        check(connection.selected_alpn_protocol(), "http/1.1")
        check(json.loads(ask(connection, "/tls"))["protocol"], "http/1.1")
    said = s_client(MODERN, "-alpn", "h3")
    assert "no application protocol" in said, said


def clients_certificates_are_told():
    mine = client(certificate=ROOT)
    for site in (STRICT, COMPATIBLE):
        about = told(site, mine, "b.example")
        check(about["peer_name"], "CN=Alice")
        assert about["peer_bytes"] > 100
    check(told(COMPATIBLE)["peer_name"], "")
    assert refused(STRICT, client(), "b.example")


def sessions_are_resumed_by_tickets():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = client(low=version, high=version)
        with connect(MODERN, context) as connection:
            check(json.loads(ask(connection, "/tls"))["resumed"], False)
            session = connection.session
        with connect(MODERN, context, session=session) as connection:
            check((json.loads(ask(connection, "/tls"))["resumed"], connection.session_reused), (True, True))


def renegotiation_is_refused():
    request = b"GET /tls HTTP/1.1\r\nHost: a.example\r\n\r\n"
    said = s_client(MODERN, "-tls1_2", given=[request, b"R\n", b""])
    assert "RENEGOTIATING" in said and "no renegotiation" in said, said


def plain_http_is_answered():
    with socket.create_connection(("127.0.0.1", MODERN.port), SECONDS) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert plain.recv(1000).startswith(b"HTTP/1.1 400 ")
        check(plain.recv(1000), b"")
    wait_until(lambda: "plain text" in MODERN.said(), "a line in the log")


def who_stops_in_the_handshake_is_let_go():
    with socket.create_connection(("127.0.0.1", MODERN.port), SECONDS) as plain:
        plain.sendall(b"\x16\x03\x01\x01\x00")
        began = time.monotonic()
        try:
            check(plain.recv(1000), b"")
        except ConnectionResetError:
            pass
        assert 1 < time.monotonic() - began < SECONDS


def much_passes_both_ways():
    data = os.urandom(1 << 20)
    with connect(MODERN) as connection:
        check(ask(connection, "/many/20000000"), b"x" * 20000000)
        check(ask(connection, "/echo", data), data)
        check(ask(connection, "/files/file"), bytes(range(256)) * 1000)


def the_end_is_said():
    with connect(MODERN) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        data = b""
        while part := connection.recv(65536):  # without close-notify this is an error
            data += part
        assert data.endswith(b"hello"), data


def curl_gets():
    if not shutil.which("curl"):
        return
    for version in (["--tlsv1.3"], ["--tls-max", "1.2"]):
        ended = run("curl", "-q", "-sS", "--noproxy", "*", *version, "--cacert", ROOT / "ca.pem", "--resolve",
                    f"a.example:{MODERN.port}:127.0.0.1", f"https://a.example:{MODERN.port}/many/1000000")
        check((ended.returncode, len(ended.stdout)), (0, 1000000), ended.stderr.decode())


def certificates_are_replaced_without_a_lost_request():
    failures, stop = [], threading.Event()

    def keep_asking():
        context, count = client(), 0
        with connect(MODERN, context) as held:
            while not stop.is_set() or count == 0:
                try:
                    check(ask(held), b"hello")
                    with connect(MODERN, context) as connection:
                        check(ask(connection), b"hello")
                    count += 1
                except Exception as failure:  # whatever it is, it is one too many
                    failures.append(failure)
                    return

    threads = [threading.Thread(target=keep_asking) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(5):
        make_certificate(MODERN.folder, "a", f"new{number}", "DNS:a.example", authority=ROOT)
        MODERN.signal(signal.SIGHUP)
        wait_until(lambda: MODERN.said().count("read again") > number, "it to read again")
    stop.set()
    for thread in threads:
        thread.join()
    check(failures, [])
    with connect(MODERN) as connection:
        check(common_name(connection), "new4")


def a_mistake_leaves_what_there_is():
    make_key(MODERN.folder / "a.key")
    MODERN.signal(signal.SIGHUP)
    wait_until(lambda: "the key does not belong to the certificate of \"new4\"" in MODERN.said(), "its complaint")
    with connect(MODERN) as connection:
        check(common_name(connection), "new4")


CASES = [
    versions_1_2_and_1_3_are_spoken,
    older_versions_are_not,
    strict_is_1_3_alone,
    compatible_takes_cbc_and_modern_does_not,
    names_lead_to_certificates,
    protocols_are_agreed,
    clients_certificates_are_told,
    sessions_are_resumed_by_tickets,
    renegotiation_is_refused,
    plain_http_is_answered,
    who_stops_in_the_handshake_is_let_go,
    much_passes_both_ways,
    the_end_is_said,
    curl_gets,
    certificates_are_replaced_without_a_lost_request,
    a_mistake_leaves_what_there_is,
]

if not shutil.which("openssl"):
    print("1..0 # SKIP there is no openssl here")
    sys.exit(0)
make_certificate(ROOT, "ca", "authority", None)
make_certificate(ROOT, "client", "Alice", "DNS:alice", authority=ROOT)
MODERN, STRICT, COMPATIBLE = Site("modern"), Site("strict", "strict", "required", "refuse-names"), Site("compatible", "compatible", "optional")
with FOLDER, MODERN, STRICT, COMPATIBLE:
    exit_code = run_cases(CASES)
sys.exit(exit_code)
