#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Hold every include to the rule of tools/layers.toml. Prints TAP: a check per folder.

Checked: that a layer includes only what it may; that every public header has a layer and includes no
layer that this one may not; that siblings inside a layer do not know each other (protocol/http1 and a
later protocol/http2); that programs see <torc/...> alone; that a header of a third party is
included where the rule says and by no public header; that #include "..." names a file that exists.

The second argument is for trying the check itself: --self-test.
"""
import pathlib
import re
import sys
import tempfile
import tomllib

from tap import report

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<([^>]+)>)', re.M)
# Of the C library and the kernel, as far as one may use it without being asked.
LIBC = re.compile(
    r"(?:assert|ctype|dirent|dlfcn|elf|errno|execinfo|fcntl|fenv|fnmatch|ftw|getopt|grp|inttypes|limits|link|locale|math"
    r"|netdb|poll|pthread|pwd"
    r"|sched|setjmp|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn"
    r"|string|strings|syslog|termios|threads|time|ucontext|unistd|wchar)\.h"
    r"|(?:arpa|linux|net|netinet|sys)/[a-z0-9_]+\.h"
)


class Rule:
    def __init__(self, root):
        self.root = root
        with open(root / "tools/layers.toml", "rb") as file:
            rule = tomllib.load(file)
        self.layers = rule["layers"]
        self.third_party = rule["third_party"]
        self.compiler = set(rule["compiler"]["headers"])
        self.public_only = rule["public_only"]["folders"]
        self.assigned = [(name, layer) for layer, names in rule["headers"].items() for name in names]
        self.layer_of = dict(self.assigned)

    def may(self, layer, other):
        return other == layer or other in self.layers[layer]["may"]

    def system(self, path, header):
        """What is wrong with an include <header> that is not Torc's; None: nothing."""
        if LIBC.fullmatch(header) or header in self.compiler:
            return None
        homes = self.third_party.get(header) or self.third_party.get(header.split("/")[0] + "/")
        if homes is None:
            return f"<{header}> is a header of a third party that tools/layers.toml does not know"
        if not path.startswith(tuple(homes)):
            return f"<{header}> belongs to {', '.join(homes)} alone"
        return None

    def public(self, layer, name):
        other = self.layer_of.get(name)
        if other is None:
            return f"<torc/{name}> has no layer in tools/layers.toml"
        if not self.may(layer, other):
            return f"{layer} may not see <torc/{name}>, of {other}"
        return None

    def internal(self, layer, path, header):
        if not (self.root / "src" / header).is_file():
            return f'"{header}" is not a file of src/'
        other = header.split("/")[0]
        if not self.may(layer, other) and header not in self.layers[layer].get("only", []):
            return f'{layer} may not see "{header}"'
        ours, theirs = path.split("/")[2:-1], header.split("/")[1:-1]
        if other == layer and ours and theirs and ours != theirs:
            return f'"{header}" is of a sibling: {ours[0]} and {theirs[0]} do not know each other'
        return None

    def includes(self, path):
        for match in INCLUDE.finditer(path.read_text()):
            yield match[1], match[2]

    def check_layer(self, layer):
        """What is wrong in a layer's folder."""
        for file in sorted((self.root / "src" / layer).rglob("*.[ch]")):
            path = str(file.relative_to(self.root))
            for quoted, angled in self.includes(file):
                if quoted:
                    problem = self.internal(layer, path, quoted)
                elif angled.startswith("torc/"):
                    problem = self.public(layer, angled[5:])
                else:
                    problem = self.system(path, angled)
                if problem:
                    yield f"{path}: {problem}"

    def check_headers(self):
        """What is wrong with the public headers."""
        files = sorted((self.root / "include/torc").glob("*.h"))
        names = {file.name for file in files}
        for name, layer in self.assigned:
            if layer not in self.layers:
                yield f"tools/layers.toml: {layer} is no layer"
            if name not in names:
                yield f"tools/layers.toml: there is no <torc/{name}>"
        if len(self.assigned) != len(self.layer_of):
            yield "tools/layers.toml: a header has two layers"
        listed = set(re.findall(r"'torc/([^']+)'", (self.root / "include/meson.build").read_text()))
        for name in sorted(names ^ listed):
            yield f"include/meson.build and include/torc/ differ by {name}"
        for file in files:
            layer = self.layer_of.get(file.name)
            if layer is None:
                yield f"include/torc/{file.name}: has no layer in tools/layers.toml"
                continue
            for quoted, angled in self.includes(file):
                if quoted or not angled.startswith("torc/"):
                    problem = None if LIBC.fullmatch(angled or "") else f"includes {quoted or angled}"
                elif file.name == "torc.h":
                    problem = f"includes {angled}" if angled.startswith("torc/testing") else None
                else:
                    problem = self.public(layer, angled[5:])
                if problem:
                    yield f"include/torc/{file.name}: {problem}"

    def check_everything_included(self):
        """torc.h includes all but the testing headers."""
        included = {angled[5:] for _, angled in self.includes(self.root / "include/torc/torc.h") if angled}
        expected = {name for name, layer in self.assigned if layer != "testing" and name != "torc.h"}
        for name in sorted(included ^ expected):
            yield f"include/torc/torc.h: {'lacks' if name in expected else 'includes'} <torc/{name}>"

    def check_public_only(self, folder):
        for file in sorted((self.root / folder).rglob("*.[ch]")):
            path = str(file.relative_to(self.root))
            for quoted, angled in self.includes(file):
                if quoted:
                    own = (file.parent / quoted).is_file() or (self.root / folder / quoted).is_file()
                    problem = None if own else f'"{quoted}" is not of this folder'
                elif angled.startswith("torc/"):
                    problem = None if angled[5:] in self.layer_of else f"<{angled}> is not a public header"
                else:
                    problem = self.system(path, angled)
                if problem:
                    yield f"{path}: {problem}"

    def check_folders(self):
        """Every folder of src/ is a layer or one that sees public headers only."""
        for folder in sorted((self.root / "src").iterdir()):
            if folder.is_dir() and folder.name not in self.layers and f"src/{folder.name}" not in self.public_only:
                yield f"src/{folder.name}: is no layer of tools/layers.toml"

    def checks(self):
        yield "every folder of src is a layer", self.check_folders()
        yield "public headers", self.check_headers()
        yield "torc.h includes all of them", self.check_everything_included()
        for layer in self.layers:
            yield f"src/{layer}", self.check_layer(layer)
        for folder in self.public_only:
            if (self.root / folder).is_dir():
                yield folder, self.check_public_only(folder)


def breaches():
    """Trees that break the rule: a name, the file that breaks it, and what it includes."""
    yield "base sees the reactor", "src/base/a.c", "#include <torc/reactor.h>"
    yield "message sees the reactor's inside", "src/message/a.c", '#include "reactor/reactor.h"'
    yield "web sees a wire", "src/web/a.c", '#include "protocol/exchange.h"'
    yield "http sees a wire by name", "src/http/a.c", '#include "protocol/http1/parse.h"'
    yield "http sees a transport", "src/http/a.c", "#include <torc/transport.h>"
    yield "app sees a wire by name", "src/app/a.c", '#include "protocol/http1/server.h"'
    yield "a sibling", "src/protocol/http2/a.c", '#include "protocol/http1/parse.h"'
    yield "the command sees the inside", "src/cli/a.c", '#include "base/list.h"'
    yield "a third party's header", "src/base/a.c", "#include <zlib.h>"
    yield "a third party's header elsewhere", "src/http/a.c", "#include <valgrind/valgrind.h>"
    yield "a header of a folder elsewhere", "src/http/a.c", "#include <openssl/evp.h>"
    yield "a header without a layer", "include/torc/a.h", "#include <torc/types.h>"
    yield "a file that is not there", "src/base/a.c", '#include "base/nowhere.h"'
    yield "a folder without a layer", "src/util/a.c", "#include <stdio.h>"


def self_test(root):
    """Whether each breach, put into a copy of the tree's headers, is found."""
    with tempfile.TemporaryDirectory() as directory:
        copy = pathlib.Path(directory)
        for file in [root / "tools/layers.toml", root / "include/meson.build"] + [
            file for folder in ["src", "include"] for file in (root / folder).rglob("*.h")
        ]:
            target = copy / file.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
        yield "nothing where nothing is wrong", [problem for _, found in Rule(copy).checks() for problem in found]
        for name, path, text in breaches():
            file = copy / path
            made = [folder for folder in file.parents if not folder.exists()]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n")
            problems = [problem for _, found in Rule(copy).checks() for problem in found]
            yield f"found: {name}", [] if problems else [f"{path} with {text} was let pass"]
            file.unlink()
            for folder in made:
                folder.rmdir()


def main():
    root = pathlib.Path(sys.argv[1])
    return report(self_test(root) if "--self-test" in sys.argv[2:] else Rule(root).checks())


if __name__ == "__main__":
    sys.exit(main())
