/* SPDX-License-Identifier: MIT */
#ifndef TORC_MESSAGE_BYTES_H
#define TORC_MESSAGE_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <torc/str.h>

/*
 * What a byte may be in a message, by table.
 */
enum {
    TORC_BYTE_TOKEN = 1,   /* tchar, RFC 9110 §5.6.2 */
    TORC_BYTE_VALUE = 2,   /* of a field's value: visible, SP, HTAB, 0x80 and above */
    TORC_BYTE_TARGET = 4,  /* of a path or query, but for `%` and `?`: visible ASCII without `#` */
    TORC_BYTE_REG_NAME = 8 /* unreserved and sub-delims, RFC 3986 §3.2.2 */
};

extern const uint8_t torc_byte_classes[256];

static inline bool torc_byte_is(char byte, unsigned classes) {
    return (torc_byte_classes[(uint8_t)byte] & classes) != 0;
}

/* Whether a text is a scheme: a letter, then letters, digits, `+`, `-` and `.` (RFC 3986 §3.1). */
bool torc_is_scheme(torc_str text);

/* 16 bytes that are looked at together; comparing them gives 0 or 255 for each. */
typedef uint8_t torc_bytes16 __attribute__((vector_size(16)));

/* Which of the bytes are sought. */
typedef torc_bytes16 torc_bytes16_fn(torc_bytes16 v);

static inline torc_bytes16 torc_bytes16_of(const char *low, const char *high) {
    uint64_t halves[2];
    torc_bytes16 v;

    memcpy(&halves[0], low, 8);
    memcpy(&halves[1], high, 8);
    memcpy(&v, halves, 16);
    return v;
}

static inline bool torc_bytes16_any(torc_bytes16 v) {
    uint64_t halves[2];

    memcpy(halves, &v, 16);
    return (halves[0] | halves[1]) != 0;
}

/* Whether any of `len` bytes, at least 8, is sought; some of them are looked at twice. */
__attribute__((always_inline)) static inline bool torc_bytes_have(const char *at, size_t len,
                                                                  torc_bytes16_fn *sought) {
    const char *const end = at + len;

    for (; end - at > 16; at += 16)
        if (torc_bytes16_any(sought(torc_bytes16_of(at, at + 8)))) return true;
    const char *const low = len < 16 ? at : end - 16;
    return torc_bytes16_any(sought(torc_bytes16_of(low, end - 8)));
}

#endif
