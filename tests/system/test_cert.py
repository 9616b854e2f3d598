#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`torc cert`: what it makes, as openssl reads it, and what it refuses.

    test_cert.py BUILD_DIR ROOT

Prints TAP.
"""
import os
import pathlib
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile

from serving import SECONDS, Skipped, check, run_cases

TORC = (pathlib.Path(sys.argv[1]) / "torc").resolve()


class Folder:
    """An empty folder for the length of a `with`, and the command in it."""

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="torc-cert-")
        self.path = pathlib.Path(self.temporary.name)
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()

    def cert(self, *options, code=0):
        done = subprocess.run([str(TORC), "cert", *options], cwd=self.path, capture_output=True, text=True, timeout=SECONDS)
        check(done.returncode, code, f"torc cert {options}: {done.stderr}")
        return done.stdout if code == 0 else done.stderr

    def refused(self, *options, code):
        """What is said: one line."""
        said = self.cert(*options, code=code)
        assert re.fullmatch(r"torc cert: [^\n]+\n", said), said
        return said

    def names(self):
        return sorted(file.name for file in self.path.iterdir())


def openssl(folder, *arguments):
    if not shutil.which("openssl"):
        raise Skipped("there is no openssl")
    return subprocess.run(["openssl", *arguments], cwd=folder.path, capture_output=True, text=True, timeout=SECONDS)


def shown(folder, file="cert.pem"):
    return openssl(folder, "x509", "-in", file, "-noout", "-text").stdout


def one_for_this_machine_is_made():
    with Folder() as folder:
        said = folder.cert()
        check(folder.names(), ["cert.pem", "key.pem"])
        check(stat.S_IMODE(os.stat(folder.path / "key.pem").st_mode), 0o600)
        check(stat.S_IMODE(os.stat(folder.path / "cert.pem").st_mode), 0o644)
        for part in ("localhost, 127.0.0.1 and ::1", "./cert.pem", "./key.pem", "SHA-256", "sha256/", "--tls-cert",
                     "update-ca-certificates", "certutil", "curl --cacert ./cert.pem https://localhost:8443/"):
            assert part in said, said


def openssl_trusts_it_for_its_names():
    with Folder() as folder:
        folder.cert("--name", "a.test", "--name", "*.b.test", "--ip", "192.0.2.1")
        for question in (["-verify_hostname", "a.test"], ["-verify_hostname", "x.b.test"], ["-verify_ip", "192.0.2.1"]):
            done = openssl(folder, "verify", "-CAfile", "cert.pem", "-purpose", "sslserver", *question, "cert.pem")
            check(done.returncode, 0, done.stderr)
        done = openssl(folder, "verify", "-CAfile", "cert.pem", "-verify_hostname", "c.test", "cert.pem")
        assert done.returncode != 0
        text = shown(folder)
        for part in ("TLS Web Server Authentication", "CA:FALSE", "ecdsa-with-SHA256", "DNS:a.test, DNS:*.b.test"):
            assert part in text, text


def an_authority_signs_it_and_is_kept():
    with Folder() as folder:
        said = folder.cert("--ca", "--out", "d", "--name", "a.test")
        folder.path /= "d"
        check(folder.names(), ["authority-key.pem", "authority.pem", "cert.pem", "key.pem"])
        check(stat.S_IMODE(os.stat(folder.path / "authority-key.pem").st_mode), 0o600)
        assert "--cacert d/authority.pem" in said, said
        before = (folder.path / "authority.pem").read_bytes()
        first = (folder.path / "cert.pem").read_bytes()
        said = folder.cert("--ca", "--name", "b.test", "--force")
        assert "which was there" in said, said
        check((folder.path / "authority.pem").read_bytes(), before)
        assert (folder.path / "cert.pem").read_bytes() != first
        done = openssl(folder, "verify", "-x509_strict", "-CAfile", "authority.pem", "-verify_hostname", "b.test", "cert.pem")
        check(done.returncode, 0, done.stderr)


def keys_of_every_kind_are_made():
    kinds = {"ec": "P-256", "ec384": "P-384", "rsa": "2048 bit", "rsa3072": "3072 bit", "ed25519": "ED25519"}
    for kind, word in kinds.items():
        with Folder() as folder:
            folder.cert("--key", kind, "--days", "3")
            assert word in shown(folder), kind
            pair = [openssl(folder, "x509", "-in", "cert.pem", "-noout", "-pubkey").stdout,
                    openssl(folder, "pkey", "-in", "key.pem", "-pubout").stdout]
            check(pair[0], pair[1])


def nothing_is_replaced_without_force():
    with Folder() as folder:
        folder.cert()
        before = (folder.path / "cert.pem").read_bytes()
        said = folder.refused(code=1)
        assert "key.pem" in said and "--force" in said, said
        (folder.path / "key.pem").unlink()
        assert "cert.pem" in folder.refused(code=1)
        check((folder.path / "cert.pem").read_bytes(), before)
        check(folder.names(), ["cert.pem"])
        folder.cert("--force")
        assert (folder.path / "cert.pem").read_bytes() != before


def a_damaged_authority_is_told():
    with Folder() as folder:
        folder.cert("--ca")
        (folder.path / "authority.pem").write_text("nothing\n")
        assert "no certificate in it" in folder.refused("--ca", "--force", code=1)
        (folder.path / "authority.pem").write_bytes((folder.path / "cert.pem").read_bytes())
        assert "not the key of" in folder.refused("--ca", "--force", code=1)
        (folder.path / "authority.pem").unlink()
        assert "authority.pem" in folder.refused("--ca", "--force", code=1)


def what_cannot_be_is_refused():
    for options, part in ((("--name", "a b"), "neither a host name nor an address"), (("--name", ""), "write a name"),
                          (("--name", "a\nb"), "neither"), (("--name", "m\u00fcnchen.test"), "xn--"),
                          (("--ip", "1.2.3"), "write an address"), (("--days", "0"), "36500"), (("--days", "x"), "36500"),
                          (("--key", "dsa"), "not one of"), (("--out", ""), "folder"), (("--nam", "x"), "--name"),
                          (("--listen", "80"), "no such option"), (("x",), "x")):
        with Folder() as folder:
            said = folder.refused(*options, code=2)
            assert part in said, f"{options}: {said}"
            check(folder.names(), [])


def a_folder_that_cannot_be_is_told():
    with Folder() as folder:
        (folder.path / "file").write_text("")
        assert "file" in folder.refused("--out", "file", code=1)
        assert "a/b" in folder.refused("--out", "a/b", code=1)


def paths_are_quoted_for_a_shell():
    with Folder() as folder:
        said = folder.cert("--out", "it's here")
        line = re.search(r"torc web .*", said)[0]
        check(shlex.split(line)[-3:], ["it's here/cert.pem", "--tls-key", "it's here/key.pem"])


if __name__ == "__main__":
    sys.exit(run_cases([
        one_for_this_machine_is_made,
        openssl_trusts_it_for_its_names,
        an_authority_signs_it_and_is_kept,
        keys_of_every_kind_are_made,
        nothing_is_replaced_without_force,
        a_damaged_authority_is_told,
        what_cannot_be_is_refused,
        a_folder_that_cannot_be_is_told,
        paths_are_quoted_for_a_shell,
    ]))
