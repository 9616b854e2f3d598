/* SPDX-License-Identifier: MIT */
#ifndef TORC_RANGE_H
#define TORC_RANGE_H

#include <torc/buf.h>

/**
 * Ranges of bytes (RFC 9110 §14): what a Range field asks for of a representation whose size is
 * known. Functions on values. Any thread may call them.
 */

/** Bytes from `first` on; `len` is not 0, and all of them exist. */
typedef struct torc_range {
    uint64_t first, len;
} torc_range;

enum {
    TORC_RANGES_MAX =
        16 /* a field that asks for more is not heeded: it would cost more than it saves */
};

typedef struct torc_ranges {
    uint32_t count;
    torc_range items[TORC_RANGES_MAX]; /* in the order in which they were asked for */
} torc_ranges;

typedef enum torc_range_outcome {
    TORC_RANGE_WHOLE,        /* not heeded: 200 with everything */
    TORC_RANGE_PARTIAL,      /* 206 with `ranges`, at least one */
    TORC_RANGE_UNSATISFIABLE /* 416 with `Content-Range: bytes` and the size */
} torc_range_outcome;

TORC_BEGIN_DECLS

/**
 * Read the value of a Range field for a representation of `size` bytes. Ends beyond it are clamped,
 * ranges that begin beyond it are left out. Not heeded: what is malformed, units other than bytes,
 * more than TORC_RANGES_MAX ranges, and ranges of which more than two overlap (RFC 9110 §14.2).
 */
TORC_API torc_range_outcome torc_range_parse(torc_str value, uint64_t size, torc_ranges *ranges);

/** Room for "bytes 0-0/18446744073709551615" with the largest numbers, and a NUL. */
#define TORC_CONTENT_RANGE_SIZE 72
/** Write the value of Content-Range for a range; NULL: of a 416. */
TORC_API torc_str torc_content_range_format(const torc_range *range, uint64_t size,
                                            char text[TORC_CONTENT_RANGE_SIZE]);
/**
 * Read the value of Content-Range, "bytes 0-4/10" (RFC 9110 §14.4). An unknown size ("*") is
 * UINT64_MAX; of a 416, which tells the size alone, `range->len` is 0. TORC_ERR_SYNTAX: another
 * unit, or what cannot be.
 */
TORC_API torc_err torc_content_range_parse(torc_str value, torc_range *range,
                                           uint64_t *size) TORC_MUST_CHECK;
/**
 * Append what stands before the bytes of a part of a multipart/byteranges body (RFC 9110 §14.6):
 * the delimiter, Content-Type (an empty one is left out) and Content-Range. `range` NULL: the
 * delimiter at the end.
 */
TORC_API void torc_range_add_part_head(torc_buf *buf, torc_str boundary, torc_str content_type,
                                       const torc_range *range, uint64_t size);

TORC_END_DECLS

#endif
