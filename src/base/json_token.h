/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_JSON_TOKEN_H
#define TORC_BASE_JSON_TOKEN_H

#include "base/json_node.h"

/*
 * Strings, numbers and words of JSON, as both readers need them, and what is told of mistakes.
 */

enum {
    /* what TORC_JSON_I_JSON is but for the names */
    TORC_JSON_I_JSON_BIT = TORC_JSON_I_JSON & ~TORC_JSON_UNIQUE_NAMES
};

/* A mistake: where, and what would have been right. */
typedef struct torc_json_fault {
    torc_err err;
    const char *at;
    const char *expected; /* "a digit after the point"; or a sentence, if `is_sentence` */
    bool is_sentence;
} torc_json_fault;

/* ---- numbers ---- */

/*
 * Read the number at `from`, which holds '-' or a digit, and return its end; NULL with the fault.
 */
const char *torc_json_read_number(const char *from, const char *end, const torc_json_limits *limits,
                                  torc_json_value *number, torc_json_fault *fault);

/* Read `null`, `true` or `false`, of which the first letter is at `from`; as above. */
const char *torc_json_read_word(const char *from, const char *end, torc_json_value *word,
                                torc_json_fault *fault);

/* ---- strings ---- */

/* What was seen of a string; `{0}` before its first byte. */
typedef struct torc_json_string {
    bool has_escape;
    bool has_high;   /* bytes beyond ASCII */
    bool is_escaped; /* the next byte comes after a backslash */
} torc_json_string;

/*
 * Go on within a string to its closing quote. Returns that; or `end`, when it is not there yet; or
 * NULL with the fault, at a control character.
 */
const char *torc_json_scan_string(torc_json_string *string, const char *from, const char *end,
                                  torc_json_fault *fault);
/*
 * Check a string that was scanned to its end, `raw` without the quotes, and decode its escapes to
 * `to`, which has room for raw.len bytes and may be `raw.bytes` itself; without any, `to` is not
 * used. False with the fault.
 */
bool torc_json_decode_string(const torc_json_string *string, torc_str raw, unsigned rules, char *to,
                             torc_str *decoded, torc_json_fault *fault);

/* ---- mistakes ---- */

/* Where a text has got to. */
typedef struct torc_json_place {
    size_t offset;
    uint32_t line, column; /* from 0 */
} torc_json_place;

/* Go on over bytes of the text. */
void torc_json_place_advance(torc_json_place *place, torc_str bytes);
/*
 * Tell a fault that is at `place`, where `rest` follows; `after` (may be empty) is the name of what
 * stands before it. `error` may be NULL. Returns the fault's error.
 */
torc_err torc_json_tell(torc_json_error *error, const torc_json_fault *fault, torc_json_place place,
                        torc_str rest, const char *after_text, torc_str after);
/* The limits with the defaults in the place of zeros. */
torc_json_limits torc_json_limits_of(const torc_json_limits *limits);

#endif
