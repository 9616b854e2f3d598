#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make src/message/field_hash.h and field_words.h: perfect hashes of the names in TORC_FIELD_TABLE.

Run it from the root of the project after a name was added to include/torc/fields.h.
"""
import random
import re

HEADER = "include/torc/fields.h"
RESULT = "src/message/field_hash.h"
WORDS = "src/message/field_words.h"
BITS = 10
WORDS_BITS = 9
WORDS_LEN = 15  # of the names that the second one knows: shorter than its 16 bytes


def read_names():
    with open(HEADER, encoding="utf-8") as header:
        return re.findall(r'^ +X\(([A-Z0-9_]+), +"([^"]+)"\)', header.read(), re.M)


def key(name):
    """The four bytes that are looked at, lower-case, as one number."""
    size = len(name)
    places = (0, size // 2, size * 3 // 4, size - 1)
    return sum((ord(name[place]) | 0x20) << 8 * i for i, place in enumerate(places))


def search(names):
    """A factor by which no two names fall into the same slot."""
    source = random.Random(1)
    while True:
        factor = source.getrandbits(32) | 1
        slots = {}
        for name_id, name in names:
            mixed = (key(name) ^ len(name) << 13) * factor & 0xFFFFFFFF
            if slots.setdefault(mixed >> 32 - BITS, name_id) != name_id:
                break
        else:
            return factor, slots


def words(name):
    """A name as two words, lower-case, with zeros behind it."""
    text = bytes(ord(c) | 0x20 for c in name).ljust(16, b"\0")
    return int.from_bytes(text[:8], "little"), int.from_bytes(text[8:], "little")


def search_words(names):
    """A factor by which no two of the shorter names fall into the same slot."""
    source = random.Random(1)
    while True:
        factor = source.getrandbits(64) | 1
        slots = {}
        for name_id, name in names:
            low, high = words(name)
            mixed = ((low + (high << 1) + (high >> 32)) & 0xFFFFFFFFFFFFFFFF) * factor & 0xFFFFFFFFFFFFFFFF
            if slots.setdefault(mixed >> 64 - WORDS_BITS, name_id) != name_id:
                break
        else:
            return factor, slots


def write(path, guard, what, lines):
    head = ["/* SPDX-License-Identifier: MIT */", f"#ifndef {guard}", f"#define {guard}", "",
            "/*", f" * {what}, made by tools/field_hash.py.", " */", "#include <torc/fields.h>", "", "/* clang-format off */"]
    with open(path, "w", encoding="ascii") as result:
        result.write("\n".join([*head, *lines, "/* clang-format on */", "", "#endif", ""]))


def write_hash(names):
    factor, slots = search(names)
    write(RESULT, "TORC_MESSAGE_FIELD_HASH_H", "A perfect hash of the known names of fields", [
        f"enum {{ FIELD_HASH_BITS = {BITS}, FIELD_NAME_LEN_MAX = {max(len(name) for _, name in names)} }};",
        f"#define FIELD_HASH_FACTOR UINT32_C(0x{factor:08x})",
        "",
        "static const uint8_t field_hash[1 << FIELD_HASH_BITS] = {",
        *[f"    [{slot}] = TORC_FIELD_{name_id}," for slot, name_id in sorted(slots.items())],
        "};"])


def write_words(names):
    names = [(name_id, name) for name_id, name in names if len(name) <= WORDS_LEN]
    factor, slots = search_words(names)
    write(WORDS, "TORC_MESSAGE_FIELD_WORDS_H",
          f"The known names of up to {WORDS_LEN} bytes as two words, lower-case, with zeros behind; and a perfect hash of them", [
              f"enum {{ FIELD_WORDS_BITS = {WORDS_BITS} }};",
              f"#define FIELD_WORDS_FACTOR UINT64_C(0x{factor:016x})",
              "",
              "static const uint8_t field_words_hash[1 << FIELD_WORDS_BITS] = {",
              *[f"    [{slot}] = TORC_FIELD_{name_id}," for slot, name_id in sorted(slots.items())],
              "};",
              "",
              "static const uint64_t field_words[TORC_FIELDS][2] = {",
              *[f"    [TORC_FIELD_{name_id}] = {{UINT64_C(0x{words(name)[0]:016x}), UINT64_C(0x{words(name)[1]:016x})}},"
                for name_id, name in names],
              "};"])


def main():
    names = read_names()
    keys = {(key(name), len(name)) for _, name in names}
    if len(keys) != len(names):
        raise SystemExit("two names agree in the bytes that the hash looks at: let it look at others")
    write_hash(names)
    write_words(names)


if __name__ == "__main__":
    main()
