#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make src/message/field_hash.h: a perfect hash of the names in TORC_FIELD_TABLE.

Run it from the root of the project after a name was added to include/torc/fields.h.
"""
import random
import re

HEADER = "include/torc/fields.h"
RESULT = "src/message/field_hash.h"
BITS = 10


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


def main():
    names = read_names()
    keys = {(key(name), len(name)) for _, name in names}
    if len(keys) != len(names):
        raise SystemExit("two names agree in the bytes that the hash looks at: let it look at others")
    factor, slots = search(names)
    lines = [
        "/* SPDX-License-Identifier: MIT */",
        "#ifndef TORC_MESSAGE_FIELD_HASH_H",
        "#define TORC_MESSAGE_FIELD_HASH_H",
        "",
        "/*",
        " * A perfect hash of the known names of fields, made by tools/field_hash.py.",
        " */",
        "#include <torc/fields.h>",
        "",
        "/* clang-format off */",
        f"enum {{ FIELD_HASH_BITS = {BITS}, FIELD_NAME_LEN_MAX = {max(len(name) for _, name in names)} }};",
        f"#define FIELD_HASH_FACTOR UINT32_C(0x{factor:08x})",
        "",
        "static const uint8_t field_hash[1 << FIELD_HASH_BITS] = {",
    ]
    lines += [f"    [{slot}] = TORC_FIELD_{name_id}," for slot, name_id in sorted(slots.items())]
    lines += ["};", "/* clang-format on */", "", "#endif", ""]
    with open(RESULT, "w", encoding="ascii") as result:
        result.write("\n".join(lines))


if __name__ == "__main__":
    main()
