#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The torc command as who types it sees it: every option of torc web, every mistake, and a terminal.

    test_torc_web.py BUILD_DIR ROOT

Options of processes and of logs have tests of their own (test_workers.py, test_process.py, test_logs.py); that none of
all is without one is tested here. Prints TAP.
"""
import gzip
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

from serving import SECONDS, App, Skipped, ask, check, get, head, is_free, run, run_cases, wait_until

BUILD, ROOT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
sys.path.insert(0, str(ROOT / "tools"))
import option_table  # noqa: E402

TORC = BUILD / "torc"
FOLDER = tempfile.TemporaryDirectory()
WWW = pathlib.Path(FOLDER.name).resolve()


def fill():
    """A folder with one file for each option to be tried on."""
    for name, content in (("a.txt", "text"), ("b.xyz", "unknown"), ("about.html", "about"), ("app.html", "the application"),
                          ("sub/first.html", "first"), ("sub/second.html", "second"), ("list/one.txt", "1"), (".hidden", "dot"),
                          ("style.css", "css"), ("style.css.gz", ""), ("sorry.html", "sorry"), ("types", "text/x-own  xyz\n"),
                          ("gone.asis", "Status: 410\nX-Own: yes\n\nit was here")):
        (WWW / name).parent.mkdir(exist_ok=True)
        (WWW / name).write_text(content)
    (WWW / "style.css.gz").write_bytes(gzip.compress(b"css"))


def web(*arguments):
    return App(TORC, "web", "--path", WWW, "--workers", "1", *arguments)


def asked(options, path, *lines):
    """One answer of a server with these options."""
    with web(*options) as server:
        return get(server.port, path, *lines)


# ---- options ----


def path_is_a_folder_or_a_file():
    check(asked([], "/a.txt").body, b"text")
    with App(TORC, "web", "--path", WWW / "a.txt", "--workers", "1") as server:
        for path in ("/", "/a.txt"):
            check(get(server.port, path).body, b"text", path)
        check(get(server.port, "/b.xyz").status, 404)


def index_names_are_tried_in_order():
    check(asked([], "/sub/").status, 404)
    options = ["--index", "none.html", "--index=second.html", "--index", "first.html"]
    check(asked(options, "/sub/").body, b"second")
    check(asked(options + ["--index="], "/sub/").status, 404)


def lists_are_asked_for():
    check(asked([], "/list/").status, 404)
    answer = asked(["--list"], "/list/")
    check(answer.status, 200)
    assert b"one.txt" in answer.body, answer.body
    assert "one.txt" in json.dumps(json.loads(asked(["--list"], "/list/?format=json").body))


def types_are_given():
    check(asked([], "/b.xyz").first("Content-Type"), "application/octet-stream")
    check(asked(["--default-type", "text/x-any"], "/b.xyz").first("Content-Type"), "text/x-any")
    check(asked(["--mime-type", "xyz=text/x-pair"], "/b.xyz").first("Content-Type"), "text/x-pair")
    check(asked(["--mime-type", WWW / "types"], "/b.xyz").first("Content-Type"), "text/x-own")
    check(asked(["--mime-type", WWW / "types", "--mime-type=xyz=a/b"], "/b.xyz").first("Content-Type"), "a/b")
    check(asked(["--charset", "utf-8"], "/a.txt").first("Content-Type"), "text/plain; charset=utf-8")


def types_of_a_file_are_read_anew_at_a_reload():
    types = WWW / "changing"

    def reload(content, said):
        types.write_text(content)
        server.signal(signal.SIGHUP)
        server.wait_for(said)
        return get(server.port, "/b.xyz").first("Content-Type")

    types.write_text("text/x-first xyz\n")
    with web("--mime-type", types, "--mime-type", "abc=a/b") as server:
        check(get(server.port, "/b.xyz").first("Content-Type"), "text/x-first")
        check(reload("text/x-second xyz\n", "reloaded"), "text/x-second")
        check(reload("text/x-third xyz\nnonsense\n", "--mime-type " + str(types) + ": line 2: "), "text/x-second")
        types.unlink()
        server.signal(signal.SIGHUP)
        server.wait_for("media types stay as they were read first")
        wait_until(lambda: get(server.port, "/b.xyz").first("Content-Type") == "text/x-first", "the new worker")


def extensions_may_be_left_out():
    check(asked([], "/about").status, 404)
    check(asked(["--ignore-ext", "htm", "--ignore-ext", "html"], "/about").body, b"about")
    check(asked(["--ignore-ext", "*"], "/about").body, b"about")


def files_may_be_whole_responses():
    check(asked([], "/gone.asis").body, b"Status: 410\nX-Own: yes\n\nit was here")
    answer = asked(["--as-is-ext", "raw", "--as-is-ext", "asis"], "/gone.asis")
    check((answer.status, answer.first("X-Own"), answer.body), (410, "yes", b"it was here"))


def fields_are_added_to_all_answers():
    with web("--add-header", "X-Frame-Options: DENY", "--add-header=X-B:b c ") as server:
        for path in ("/a.txt", "/nowhere"):
            answer = get(server.port, path)
            check((answer.first("X-Frame-Options"), answer.first("X-B")), ("DENY", "b c"), path)
        answer = get(server.port, "/a.txt", method="POST")
        check((answer.status, answer.first("X-B")), (405, "b c"))


def caching_is_by_pattern():
    with web("--cache-control", "*.css=max-age=60", "--cache-control", "/sub/*=no-store") as server:
        for path, value in (("/style.css", "max-age=60"), ("/sub/first.html", "no-store"), ("/a.txt", None)):
            check(get(server.port, path).first("Cache-Control"), value, path)


def pages_stand_in_for_what_is_missing():
    answer = asked(["--not-found", "sorry.html"], "/nowhere")
    check((answer.status, answer.body), (404, b"sorry"))
    with web("--fallback", "app.html") as server:
        answer = get(server.port, "/users/7", "Accept: text/html")
        check((answer.status, answer.body), (200, b"the application"))
        check(get(server.port, "/users/7.png").status, 404)


def errors_have_pages_of_their_own():
    lost, sorry, other = WWW / "lost.html", WWW / "sorry.txt", WWW / "other"
    lost.write_text("lost")
    sorry.write_text("sorry")
    other.mkdir()
    with web("--error-page", f"404={lost}", "--error-page", f"4XX={sorry}", "--host", f"b.example={other}") as server:
        answer = get(server.port, "/nowhere", "Accept: text/html")
        check((answer.status, answer.first("Content-Type"), answer.body), (404, "text/html; charset=utf-8", b"lost"))
        check((get(server.port, "/a.txt", method="POST").status, get(server.port, "/a.txt", method="POST").body), (405, b"sorry"))
        check(ask(server.port, b"GET /nowhere HTTP/1.1\r\nHost: b.example\r\n\r\n").body, b"lost")
        check(get(server.port, "/nowhere", "Accept: application/json").first("Content-Type"), "application/problem+json")
        lost.write_text("lost again")
        server.signal(signal.SIGHUP)
        server.wait_for("reloaded")
        check(get(server.port, "/nowhere").body, b"lost again")
        lost.unlink()
        server.signal(signal.SIGHUP)
        server.wait_for(f"--error-page 404={lost}: the error page {lost}: ")
        check(get(server.port, "/nowhere").body, b"lost again")


def a_page_is_for_a_list_of_statuses():
    sorry = WWW / "sorry.txt"
    sorry.write_text("sorry")
    with web("--error-page", f"405, 416,500-502={sorry}") as server:
        check((get(server.port, "/a.txt", method="POST").status, get(server.port, "/a.txt", method="POST").body), (405, b"sorry"))
        answer = get(server.port, "/a.txt", "Range: bytes=9999999-")
        check((answer.status, answer.body), (416, b"sorry"))
        check((get(server.port, "/nowhere").status, b"sorry" in get(server.port, "/nowhere").body), (404, False))


def compressed_siblings_are_sent():
    answer = asked([], "/style.css", "Accept-Encoding: gzip")
    check((answer.first("Content-Encoding"), gzip.decompress(answer.body)), ("gzip", b"css"))
    answer = asked(["--no-precompressed"], "/style.css", "Accept-Encoding: gzip")
    check((answer.first("Content-Encoding"), answer.body), (None, b"css"))


def extensions_may_be_codings():
    answer = asked([], "/style.css.gz")
    check((answer.first("Content-Type"), answer.first("Content-Encoding")), ("application/gzip", None))
    answer = asked(["--codings-by-ext"], "/style.css.gz")
    check((answer.first("Content-Type"), answer.first("Content-Encoding")), ("text/css", "gzip"))


def ask_often(server, count):
    """The statuses of so many answers, each on a connection of its own."""
    return [get(server.port, "/a.txt").status for _ in range(count)]


def rates_are_counted_by_all_workers_together():
    log = WWW.parent / (WWW.name + ".log")
    with App(TORC, "web", "--path", WWW, "--workers", "2", "--rate-limit", "7/day", "--access-log", log, "--access-log-format",
             "%P %s") as server:
        statuses = ask_often(server, 40)
        check((statuses[:7], statuses.count(429)), ([200] * 7, 33))
        answer = get(server.port, "/a.txt")
        check(answer.all("RateLimit-Policy"), ['"default";q=7;w=86400'])
        check(int(answer.all("Retry-After")[0]) > 12000, True)
        lines = wait_until(lambda: len(log.read_text().splitlines()) == 41 and log.read_text().splitlines(), "lines of both workers")
        check(len({line.split()[0] for line in lines}), 2)
        server.signal(signal.SIGHUP)
        server.wait_for("reloaded")
        check(set(ask_often(server, 10)), {429})
    log.unlink()


def a_rate_may_be_none_and_one_process_counts_too():
    check(set(ask_often_of(["--rate-limit", "1/day", "--rate-limit", "none"])), {200})
    check(ask_often_of(["--workers", "0", "--rate-limit", "2/day"]), [200, 200, 429, 429])


def ask_often_of(options):
    with web(*options) as server:
        return ask_often(server, 4)


def answers_are_compressed():
    text = WWW / "long.txt"
    text.write_text("some text, " * 1000)
    accept = "Accept-Encoding: gzip"
    def at(options):
        with web(*options) as server:
            return ask(server.port, head("GET", "/long.txt", accept))
    try:
        answer = at(["--compress", "br, gzip"])
        check((gzip.decompress(answer.body), answer.first("Vary")), (text.read_bytes(), "Accept-Encoding"))
        assert answer.first("ETag").startswith('W/"'), answer.fields
        check(at(["--compress", "on"]).first("Content-Encoding"), "gzip")
        for options in ([], ["--compress", "on", "--compress", "off"], ["--compress", "on", "--compress-min", "11001"],
                        ["--compress", "on", "--compress-type", "text/html, +json"]):
            answer = at(options)
            check((answer.body, answer.first("Content-Encoding")), (text.read_bytes(), None), options)
    finally:
        text.unlink()


def files_with_a_dot_are_asked_for():
    check(asked([], "/.hidden").status, 404)
    check(asked(["--dotfiles"], "/.hidden").body, b"dot")


def hosts_have_folders():
    with web("--host", f"a.example={WWW}/sub", "--host", f"*.b.example={WWW}/list", "--index", "first.html") as server:
        for host, path, answer in (("A.example:80", "/", (200, b"first")), ("x.b.example", "/one.txt", (200, b"1")),
                                   ("c.example", "/a.txt", (200, b"text")), ("a.example", "/a.txt", (404, None))):
            got = ask(server.port, head("GET", path, host=host))
            check((got.status, got.body if answer[1] else None), answer, host)


def paths_lead_elsewhere():
    options = ("--rewrite", "/{page}.php$=/{page}.html", "--redirect", "/old=/sub", "--redirect", "/far=https://far.example/x")
    check(asked(options, "/about.php?a=b").body, b"about")
    for path, location in (("/old/first.html?a", "/sub/first.html?a"), ("/far/y", "https://far.example/x/y")):
        answer = asked(options, path)
        check((answer.status, answer.first("Location")), (308, location), path)


def users_have_folders():
    check(asked(("--user-folders",), "/~nobody-of-that-name/x").status, 404)
    check(asked(("--user-folders",), "/~root/").status, 404)
    check(asked(("--user-folders",), "/a.txt").body, b"text")


def the_cache_has_a_size():
    for size in ("off", "1", "512K", "64M"):
        with web("--file-cache", size) as server:
            for _ in range(2):
                check(get(server.port, "/a.txt").body, b"text", size)


def limits_are_set():
    check(asked(["--limit", "request-line-bytes=100"], "/" + "a" * 200).status, 414)


def logs_have_levels_and_formats():
    with App(TORC, "web", "--path", WWW, "--workers", "1", "--log-level", "info,http=debug") as server:
        record = json.loads(server.said().splitlines()[0])
        check((record["text"], record["serves"]), ("listening", str(WWW)))
    quiet = subprocess.Popen([TORC, "web", "--workers", "0", "--path", WWW, "--listen", f"unix:{WWW}/quiet", "--log-level=error"],
                             stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + SECONDS
        while not (WWW / "quiet").exists() and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.1)
    finally:
        quiet.terminate()
        said = quiet.communicate(timeout=SECONDS)[1]
    check((quiet.returncode, said), (0, b""))


def details_are_shown_if_asked_for():
    check(asked(["--show-errors"], "/nowhere").status, 404)


def proxies_are_believed_if_they_are_trusted():
    log = WWW / "log"
    with web("--access-log", log, "--trusted-proxy", "127.0.0.0/8", "--proxy-field", "forwarded") as server:
        get(server.port, "/a.txt", "Forwarded: for=192.0.2.7", "X-Forwarded-For: 192.0.2.8")
    assert log.read_text().startswith("192.0.2.7 "), log.read_text()
    log.unlink()


# ---- mistakes ----

MISTAKES = (
    (["--pth", "x"], "--pth: no such option; did you mean --path?"),
    (["--path="], "--path : name a folder or a file"),
    (["--path"], "--path: needs a value: --path PATH"),
    (["public"], "public: options begin with `--`; did you mean --path public?"),
    (["-x"], "-x: options begin with `--`; --help lists them"),
    (["--index", "a/b"], "--index a/b: "),
    (["--list=yes"], "--list: takes no value"),
    (["--mime-type", "md"], "--mime-type md: neither EXT=TYPE nor a file that can be read: "),
    (["--mime-type", "md=text"], "--mime-type md=text: write EXT=TYPE, for example md=text/markdown"),
    (["--default-type", "text"], "--default-type text: "),
    (["--charset", "a b"], "--charset a b: "),
    (["--ignore-ext", "a/b"], "--ignore-ext a/b: "),
    (["--as-is-ext", "a/b"], "--as-is-ext a/b: "),
    (["--cache-control", "*.css"], "--cache-control *.css: "),
    (["--add-header", "Content-Length: 1"], "--add-header Content-Length: 1: the server says Content-Length itself"),
    (["--add-header", "X: a\nY: b"], "--add-header X: a?Y: b: a field's value has no control characters"),
    (["--add-header", "X: " + "y" * 32768], "--add-header X: " + "y" * 297 + "...: all fields together have at most 32768 bytes"),
    (["--add-header", "X"], "--add-header X: write 'Name: value'"),
    (["--not-found", "../x"], "--not-found ../x: "),
    (["--error-page", "404"], "--error-page 404: write STATUS=FILE, as 404=/srv/lost.html; STATUS may be 5xx, 500-504 or a list: 404,410"),
    (["--error-page", "200=a"], "--error-page 200=a: write STATUS=FILE"),
    (["--error-page", "504-500=a"], "--error-page 504-500=a: write STATUS=FILE"),
    (["--error-page", "404,=a"], "--error-page 404,=a: write STATUS=FILE"),
    (["--error-page", "=a"], "--error-page =a: write STATUS=FILE"),
    (["--error-page", ",".join(["404"] * 65) + "=a"], "--error-page " + ",".join(["404"] * 65) + "=a: given too often"),
    (["--fallback", "../x"], "--fallback ../x: "),
    (["--file-cache", "many"], "--file-cache many: write a size as 512K, 64M or 1G, or off"),
    (["--host", "a"], "--host a: write NAME=FOLDER, as a.example=/srv/a"),
    (["--host", "a:80=/"], "--host a:80=/: host \"a:80\": a host has no port here"),
    (["--rewrite", "/a"], "--rewrite /a: write FROM=TO, as /old=/new"),
    (["--rewrite", "a=/b"], "--rewrite a=/b: rewriting \"a\": a pattern begins with `/`"),
    (["--redirect", "/{a}=/{b}"], "--redirect /{a}=/{b}: rewriting \"/{a}\": the template names what the pattern has not"),
    (["--compress", "lzma"], "--compress lzma: there is no coding 'lzma': gzip, br, zstd are"),
    (["--compress-type", "text"], "--compress-type text: 'text' is no type, as 'text/html', 'text/*' or '+json'"),
    (["--compress-min", "1K"], "--compress-min 1K: write a number of bytes"),
    (["--rate-limit", "fast"], "--rate-limit fast: 'fast' is no rate: write it as 100/s, 30/min or 10/s,burst=50"),
    (["--rate-limit", "0/s"], "--rate-limit 0/s: '0/s' is beyond what a rate may be"),
    (["--limit", "fieds=1"], "--limit fieds=1: no such limit; did you mean fields?"),
    (["--limit", "fields=-1"], "--limit fields=-1: the value is a whole number"),
    (["--listen", "there"], "--listen there: "),
    (["--workers", "many"], "--workers many: "),
    (["--log-level", "loud"], "--log-level loud: levels are debug"),
    (["--log-format", "jsn"], "--log-format jsn: not one of auto, text, json, logfmt, json-seq; did you mean json?"),
    (["--proxy-field", "forward"], "--proxy-field forward: not one of x-forwarded-for, forwarded; did you mean forwarded?"),
    (["--proxy-tells", "scheme,hots"], "--proxy-tells scheme,hots: write a list of scheme, host, port and prefix"),
    (["--trusted-proxy", "10.0.0.0/80"], "--trusted-proxy 10.0.0.0/80: "),
    (["--log-rotate-size", "x"], "--log-rotate-size x: "),
    (["--log-rotate-every", "x"], "--log-rotate-every x: "),
    (["--log-keep", "x"], "--log-keep x: "),
    (["--access-log-format", "%Q"], "--access-log-format %Q: "),
    (["--user", "nobody-of-that-name"], "--user nobody-of-that-name: "),
    (["--group", "none-of-that-name"], "--group none-of-that-name: "),
    (["--umask", "9"], "--umask 9: "),
    (["--help", "lgos"], "--help lgos: topics are files, responses, hosts, serving"),
)


def fails(code, line, *arguments):
    """It says one line, which begins so, on the standard error only."""
    ended = run(TORC, *arguments)
    said = ended.stderr.decode()
    check((ended.returncode, ended.stdout), (code, b""), arguments)
    assert said.startswith(line) and said.count("\n") == 1 and said.endswith("\n"), f"{arguments}: {said}"


def mistakes_are_a_line_and_2():
    for arguments, line in MISTAKES:
        fails(2, f"torc web: {line}", "web", *arguments)


def what_cannot_be_served_is_a_line_and_1():
    fails(1, "torc web: --path /nowhere/at/all: there is no such folder or file", "web", "--path", "/nowhere/at/all", "--listen",
          "127.0.0.1:0")
    fails(1, "torc web: --path /dev/null: it is neither a folder nor a file", "web", "--path", "/dev/null", "--listen", "127.0.0.1:0")
    fails(1, "torc web: --host a=/nowhere: there is no such folder", "web", "--host", "a=/nowhere", "--listen", "127.0.0.1:0")
    fails(1, "torc web: --error-page 404=/nowhere: the error page /nowhere: there is no such thing", "web", "--error-page", "404=/nowhere",
          "--listen", "127.0.0.1:0")
    with web() as server:
        fails(1, f"torc web: 127.0.0.1:{server.port}: the address is in use: stop the program that listens there, or choose another, "
              f"as in --listen 127.0.0.1:{server.port % 65535 + 1 if server.port < 65535 else 8080}", "web", "--listen",
              f"127.0.0.1:{server.port}")


def commands_have_mistakes_too():
    fails(2, "torc: a command is missing, as in `torc web`; `torc --help` lists them")
    fails(2, "torc: wib: no such command; did you mean `torc web`?", "wib")
    fails(2, "torc: elephant: no such command; `torc --help` lists them", "elephant")
    fails(2, "torc: elephant: no such command; `torc --help` lists them", "help", "elephant")
    fails(2, "torc: --hlep: no such option; did you mean --help?", "--hlep")
    fails(2, "torc: --listen: options stand behind the command, as in `torc web --listen`", "--listen", "80")


# ---- texts ----


def shown(*arguments):
    ended = run(TORC, *arguments)
    check((ended.returncode, ended.stderr), (0, b""), arguments)
    return ended.stdout.decode()


def help_is_the_same_by_all_its_names():
    check(len({shown("help"), shown("--help"), shown("-h"), shown("help", "help")}), 1)
    check(len({shown("help", "web"), shown("web", "--help"), shown("web", "-h"), shown("--help", "web")}), 1)
    check(len({shown("help", "web", "logs"), shown("web", "--help", "logs"), shown("web", "--help=logs")}), 1)
    assert "--log-level" in shown("help", "web", "logs") and "--path" not in shown("help", "web", "logs")


def an_empty_table_of_routes_says_why():
    answer = run(TORC, "web", "--routes")
    check((answer.returncode, answer.stderr), (0, b""))
    check(answer.stdout.split(b"\n")[1:], [b"Nothing before it serves: what it answers is added at its start.", b""])


def versions_are_shown():
    text = shown("--version")
    assert re.fullmatch(r"torc \d+\.\d+\.\d+\nbuilt with (gcc|clang) .* glibc .*\n", text), text
    check(shown("-V"), text)
    assert shown("web", "--version").startswith("torc web (Torc "), shown("web", "--version")


def what_cannot_be_shown_is_1():
    for arguments in (["--help"], ["--version"], ["--help=json"], ["web", "--help"], ["web", "--help=json"], ["web", "--version"]):
        with open("/dev/full", "wb") as full:
            ended = subprocess.run([TORC, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=SECONDS)
        check(ended.returncode, 1, arguments)


# ---- a terminal ----


class Terminal:
    """A command at a terminal: what it says there, and what is typed."""

    def __init__(self, *command):
        self.text = ""
        try:
            self.pid, self.fd = pty.fork()
        except OSError as reason:  # as in a folder that is the root, without /dev/pts
            raise Skipped(f"there is no terminal: {reason}") from None
        if self.pid == 0:
            os.chdir(WWW)
            os.execv(command[0], [str(part) for part in command])

    def read_until(self, pattern):
        until = time.monotonic() + SECONDS
        while not re.search(pattern, self.text):
            assert time.monotonic() < until, f"waited in vain for {pattern}: {self.text!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    break
        return self.text

    def end(self):
        """The exit code, after Ctrl-C."""
        try:
            os.write(self.fd, b"\x03")
            self.read_until("stopped|(?!)")
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        finally:
            os.close(self.fd)


def people_are_told_what_where_and_how_to_stop():
    terminal = Terminal(TORC, "web", "--listen", "127.0.0.1:0", "--workers", "1")
    said = terminal.read_until("stops it")
    found = re.match(r"torc web serves (\S+)\r\n  on http://127\.0\.0\.1:(\d+)/\r\nCtrl-C stops it", said)
    assert found, repr(said)
    check(found[1], str(WWW))
    check(get(int(found[2]), "/a.txt").body, b"text")
    check(terminal.end(), 0)


def all_addresses_are_said_so():
    terminal = Terminal(TORC, "web", "--listen", "0", "--workers", "1")
    said = terminal.read_until("stops it")
    assert re.search(r"  on http://localhost:\d+/, and on all addresses of this machine\r\n", said), repr(said)
    check(terminal.end(), 0)


def bare_it_serves_the_current_folder_on_8080():
    if not is_free(8080):
        fails(1, "torc web: tcp:8080:interface=127.0.0.1: the address is in use: ", "web")
        return
    terminal = Terminal(TORC, "web")
    said = terminal.read_until("stops it|in use")
    assert f"serves {WWW}\r\n  on http://127.0.0.1:8080/\r\n" in said or "in use" in said, repr(said)
    if "in use" not in said:
        check(get(8080, "/a.txt").body, b"text")
        check(terminal.end(), 0)


# ---- all of them ----


def no_option_is_without_a_test():
    tests = "".join(path.read_text() for path in (ROOT / "tests/system").glob("*.py"))
    for command in option_table.read(TORC):
        untested = [option.name for option in command.options if not re.search(rf"--{option.name}\b(?!-)", tests)]
        check(untested, [], f"options of torc {command.name} that no system test names")


CASES = [
    path_is_a_folder_or_a_file,
    index_names_are_tried_in_order,
    lists_are_asked_for,
    types_are_given,
    types_of_a_file_are_read_anew_at_a_reload,
    extensions_may_be_left_out,
    files_may_be_whole_responses,
    fields_are_added_to_all_answers,
    caching_is_by_pattern,
    pages_stand_in_for_what_is_missing,
    errors_have_pages_of_their_own,
    a_page_is_for_a_list_of_statuses,
    compressed_siblings_are_sent,
    extensions_may_be_codings,
    answers_are_compressed,
    files_with_a_dot_are_asked_for,
    hosts_have_folders,
    paths_lead_elsewhere,
    users_have_folders,
    rates_are_counted_by_all_workers_together,
    a_rate_may_be_none_and_one_process_counts_too,
    the_cache_has_a_size,
    limits_are_set,
    logs_have_levels_and_formats,
    details_are_shown_if_asked_for,
    proxies_are_believed_if_they_are_trusted,
    mistakes_are_a_line_and_2,
    what_cannot_be_served_is_a_line_and_1,
    commands_have_mistakes_too,
    help_is_the_same_by_all_its_names,
    an_empty_table_of_routes_says_why,
    versions_are_shown,
    what_cannot_be_shown_is_1,
    people_are_told_what_where_and_how_to_stop,
    all_addresses_are_said_so,
    bare_it_serves_the_current_folder_on_8080,
    no_option_is_without_a_test,
]

if __name__ == "__main__":
    fill()
    code = run_cases(CASES)
    FOLDER.cleanup()
    sys.exit(code)
