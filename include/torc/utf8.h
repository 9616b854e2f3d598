/* SPDX-License-Identifier: MIT */
#ifndef TORC_UTF8_H
#define TORC_UTF8_H

#include <torc/str.h>

/**
 * UTF-8, strictly (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * All functions may be used in any thread.
 */

/** How far a text that comes in pieces has been checked. `{0}` is its beginning. */
typedef struct torc_utf8 {
    uint8_t left;      /* private: bytes that the character still needs */
    uint8_t low, high; /* private: the range of the next of them */
} torc_utf8;

TORC_BEGIN_DECLS

TORC_API bool torc_utf8_is_valid(torc_str text);
/** The length of the longest valid beginning of `text`, in bytes; it ends between characters. */
TORC_API size_t torc_utf8_valid_len(torc_str text);
/**
 * Check the next piece of a text, which may be cut anywhere. TORC_ERR_UTF8 as soon as no
 * continuation could make it valid; the state is then useless.
 */
TORC_API torc_err torc_utf8_check(torc_utf8 *state, torc_str piece) TORC_MUST_CHECK;
/** Whether the text so far ends between characters, as a whole text must. */
TORC_API bool torc_utf8_is_whole(const torc_utf8 *state);
/** Write a character's 1 to 4 bytes and return their number; 0 for what is no character. */
TORC_API size_t torc_utf8_encode(uint32_t code, char bytes[4]);
/**
 * Take the first character of `*rest`. TORC_ERR_UTF8 when it is malformed, TORC_ERR_TRUNCATED when
 * it is cut or `*rest` is empty; `*rest` is then unchanged.
 */
TORC_API torc_err torc_utf8_decode(torc_str *rest, uint32_t *code) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
