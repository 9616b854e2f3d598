#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""testssl.sh finds nothing worse than "low" in `torc web`, but for what a certificate for development implies. Prints TAP.

    check_testssl.py TORC

The server is started here, with a certificate of a local authority, once for each preset. Ends within four minutes.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from tap import report

PATIENCE_S = 230
PRESETS = ("modern", "compatible", "strict")
HARMLESS = {"OK", "INFO", "LOW"}
# Nobody's authority has signed it, it is not revoked by anybody, and no browser has to know of it.
OF_DEVELOPMENT = re.compile(
    r"cert_(chain_of_trust|trust|crlDistributionPoints|ocspURL|revocation|extlifeSpan|notAfter|validityPeriod)"
    r"|DNS_CAArecord|certificate_transparency|OCSP_stapling|engine_problem")
# What there must be an answer to, so that a scan that has looked at nothing is no success.
LOOKED_AT = {"SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3", "cipherlist_NULL", "heartbleed", "secure_renego",
             "secure_client_renego", "CRIME_TLS", "POODLE_SSL", "SWEET32", "FREAK", "LOGJAM", "BEAST", "RC4", "ROBOT"}
NOT_OF_13 = {"SWEET32", "LOGJAM", "FREAK", "BEAST", "RC4", "POODLE_SSL"}


class Server:
    """`torc web` by TLS, for the length of a `with`."""

    def __init__(self, torc, folder, preset):
        made = pathlib.Path(folder) / "certificates"
        subprocess.run([torc, "cert", "--ca", "--force", "--out", made], check=True, capture_output=True, timeout=60)
        self.log = open(pathlib.Path(folder) / f"{preset}.log", "w+b")  # closed by __exit__
        self.process = subprocess.Popen(
            [torc, "web", "--path", folder, "--listen", "ssl:0:interface=127.0.0.1", "--tls-cert", made / "cert.pem",
             "--tls-key", made / "key.pem", "--tls-preset", preset, "--workers", "1", "--log-format", "json"],
            stdout=self.log, stderr=self.log)

    def __enter__(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            self.log.seek(0)
            found = re.search(rb"https://127\.0\.0\.1:(\d+)/", self.log.read())
            if found:
                return int(found[1])
            time.sleep(0.05)
        raise AssertionError("it does not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def scan(port, folder, preset, until):
    """What was found: an object for each; it is ended as a whole when its time is over."""
    output = pathlib.Path(folder) / f"{preset}.json"
    output.unlink(missing_ok=True)  # it would be added to
    command = ["testssl", "--quiet", "--color", "0", "--warnings", "batch", "--nodns", "none", "--ip", "127.0.0.1",
               "--connect-timeout", "10", "--openssl-timeout", "10", "-p", "-s", "-S", "-U", "--jsonfile", str(output),
               f"localhost:{port}"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        process.wait(max(until - time.monotonic(), 1))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise AssertionError("testssl.sh did not end in time") from None
    return json.loads(output.read_text())


def problems(torc, folder, preset, until):
    try:
        with Server(torc, folder, preset) as port:
            findings = scan(port, folder, preset, until)
            # It says so when a check of its own came to nothing: then the whole is looked at once more.
            if any(finding["severity"] == "WARN" for finding in findings):
                findings = scan(port, folder, preset, until)
    except AssertionError as failure:
        yield str(failure)
        return
    for finding in findings:
        # Its own client fails in this now and then; that sessions are resumed the system tests see.
        if finding["severity"] == "WARN" and finding["id"].startswith("sessionresumption"):
            continue
        if finding["severity"] not in HARMLESS and not OF_DEVELOPMENT.match(finding["id"]):
            yield f"{finding['severity']}: {finding['id']}: {finding['finding']}"
    wanted = LOOKED_AT - NOT_OF_13 if preset == "strict" else LOOKED_AT
    missed = wanted - {finding["id"].split(" ")[0] for finding in findings}
    if missed:
        yield f"not looked at: {', '.join(sorted(missed))}"


def main():
    torc = str(pathlib.Path(sys.argv[1]).resolve())
    until = time.monotonic() + PATIENCE_S
    with tempfile.TemporaryDirectory(prefix="torc-testssl-") as folder:
        return report((f"--tls-preset {preset}", problems(torc, folder, preset, until)) for preset in PRESETS)


if __name__ == "__main__":
    sys.exit(main())
