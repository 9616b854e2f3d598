/* SPDX-License-Identifier: MIT */
#ifndef TORC_STR_H
#define TORC_STR_H

#include <string.h>
#include <torc/err.h>

/**
 * Slices: a pointer and a length, not ended by NUL, into bytes that somebody else owns.
 *
 * A torc_str is a value: copy it freely, pass it by value. `{0}` is the empty slice. A slice
 * given to a callback is valid until that returns, unless its contract says otherwise. Letters
 * are compared as ASCII whatever the locale is. All functions may be used in any thread.
 */
typedef struct torc_str {
    const char *bytes;
    size_t len;
} torc_str;

/** An initialiser for a static slice of a string literal. */
#define TORC_STR_INIT(literal)                                                                     \
    { ("" literal), sizeof(literal) - 1 }

static inline torc_str torc_str_make(const char *bytes, size_t len) {
    torc_str str;
    str.bytes = bytes;
    str.len = len;
    return str;
}

/** The slice of a string literal, its length known when compiling. */
#define TORC_STR(literal) torc_str_make(("" literal), sizeof(literal) - 1)

/** The slice of a NUL-ended string; NULL gives the empty slice. */
static inline torc_str torc_str_of(const char *text) {
    return torc_str_make(text, text ? strlen(text) : 0);
}

/** The arguments of a `%.*s` in a printf format. */
#define TORC_STR_ARGS(str) (int)(str).len, (str).bytes

static inline bool torc_str_equals(torc_str a, torc_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}

/** The part of `str` from `start` on; the empty one at its end when `start` is beyond that. */
static inline torc_str torc_str_from(torc_str str, size_t start) {
    if (start > str.len) start = str.len;
    return start == 0 ? str : torc_str_make(str.bytes + start, str.len - start);
}

/** The first `len` bytes of `str`, or all of them when there are fewer. */
static inline torc_str torc_str_head(torc_str str, size_t len) {
    return torc_str_make(str.bytes, len < str.len ? len : str.len);
}

TORC_BEGIN_DECLS

/** Equal but for the case of ASCII letters. */
TORC_API bool torc_str_equals_nocase(torc_str a, torc_str b);
TORC_API bool torc_str_starts_with(torc_str str, torc_str prefix);
TORC_API bool torc_str_ends_with(torc_str str, torc_str suffix);
/** Less than, equal to or greater than 0, as memcmp; the shorter of two equal beginnings is less.
 */
TORC_API int torc_str_compare(torc_str a, torc_str b);
/** The place of the first `byte` in `str`, or -1. */
TORC_API ptrdiff_t torc_str_find_byte(torc_str str, char byte);
/** The place of the first `needle` in `str`, or -1; the empty needle is at 0. */
TORC_API ptrdiff_t torc_str_find(torc_str str, torc_str needle);
/** Without SP and HTAB at both ends (OWS, RFC 9110 §5.6.3). */
TORC_API torc_str torc_str_trim(torc_str str);
/**
 * Take from `*rest` what stands before the next `separator`, and the separator; the last
 * part leaves `rest->bytes` NULL. Returns false when nothing is left (`rest->bytes` is NULL).
 * "a,,b" gives "a", "", "b"; "" gives "" once.
 */
TORC_API bool torc_str_split(torc_str *rest, char separator, torc_str *part);
/**
 * Read an unsigned decimal number: digits only, all of `str`, no sign, no space, at most `max`.
 * TORC_ERR_SYNTAX for anything else, TORC_ERR_LIMIT above `max`.
 */
TORC_API torc_err torc_str_parse_uint(torc_str str, uint64_t max, uint64_t *value) TORC_MUST_CHECK;
/**
 * Among `count` names the one that may have been meant by `str`: the one that the fewest changes of
 * a letter lead to. NULL when none is near, or `str` is longer than 40.
 */
TORC_API const char *torc_str_nearest(torc_str str, const char *const *names, size_t count);
/** The value of a hexadecimal digit, or -1. */
TORC_API int torc_hex_digit(char digit);

TORC_END_DECLS

#endif
