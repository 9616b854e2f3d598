/* SPDX-License-Identifier: MIT */
#ifndef TORC_FUZZ_FUZZ_H
#define TORC_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <torc/str.h>

/*
 * What all fuzz targets share: an input is read from the front, byte by byte where the target makes
 * choices, the rest as its text; and what has to hold is checked.
 */

/* The entry point, as libFuzzer and replay.c call it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

typedef struct fuzz_input {
    torc_str rest;
} fuzz_input;

static inline fuzz_input fuzz_begin(const uint8_t *data, size_t size) {
    return (fuzz_input){torc_str_make((const char *)data, size)};
}

/* The next byte, for a choice; 0 at the end. */
static inline uint8_t fuzz_byte(fuzz_input *input) {
    if (input->rest.len == 0) return 0;
    const uint8_t byte = (uint8_t)input->rest.bytes[0];
    input->rest = torc_str_from(input->rest, 1);
    return byte;
}

/* A copy in memory of its own, whose end the address sanitizer guards; to be freed. */
static inline char *fuzz_copy(torc_str str) {
    char *copy = malloc(str.len ? str.len : 1);

    FUZZ_CHECK(copy);
    if (str.len) memcpy(copy, str.bytes, str.len);
    return copy;
}

/* How much more is shown in the next step: small numbers mostly, all of them from `seed`. */
static inline size_t fuzz_step(uint32_t *seed) {
    *seed = *seed * 1664525 + 1013904223;
    const uint32_t number = *seed >> 16;
    return number % 4 ? 1 + number % 7 : 1 + number % 200;
}

/* Whether a slice lies within another. */
static inline bool fuzz_is_within(torc_str part, torc_str whole) {
    return part.len == 0 ||
           (part.bytes >= whole.bytes && part.bytes + part.len <= whole.bytes + whole.len);
}

#endif
