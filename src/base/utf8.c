/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 by RFC 3629 §4: after the first byte, the number of bytes that follow and the range of the
 * first of them are known; the others are 80 to BF.
 *
 *  - A whole text is looked at a character at a time, one in pieces a byte at a time.
 *  - A state with `left` 0 stands between characters; `low` and `high` mean something otherwise
 *    only.
 */
#include <torc/utf8.h>

/* Enter a character by its first byte; false when it cannot begin one. */
static bool enter(torc_utf8 *state, unsigned char byte) {
    *state = (torc_utf8){.low = 0x80, .high = 0xbf};
    if (byte < 0x80) return true;
    if (byte < 0xc2 || byte > 0xf4) return false;

    state->left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte == 0xe0) state->low = 0xa0;  /* below: overlong */
    if (byte == 0xed) state->high = 0x9f; /* above: surrogates */
    if (byte == 0xf0) state->low = 0x90;  /* below: overlong */
    if (byte == 0xf4) state->high = 0x8f; /* above: beyond U+10FFFF */
    return true;
}

static bool follow(torc_utf8 *state, unsigned char byte) {
    if (byte < state->low || byte > state->high) return false;
    *state = (torc_utf8){.left = (uint8_t)(state->left - 1), .low = 0x80, .high = 0xbf};
    return true;
}

static bool step(torc_utf8 *state, unsigned char byte) {
    return state->left > 0 ? follow(state, byte) : enter(state, byte);
}

/* The number of bytes, in whole words, that are all ASCII. */
static size_t ascii_words(const char *bytes, size_t len) {
    size_t at = 0;

    for (; len - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        if (word & 0x8080808080808080u) break;
    }
    return at;
}

static inline bool follows(unsigned char byte) {
    return (byte & 0xc0) == 0x80;
}

/* The length of the character of three bytes, or four, that begins a text; 0: there is none. */
static size_t long_character(const unsigned char *bytes, size_t left) {
    if (left < 3 || !follows(bytes[1]) || !follows(bytes[2])) return 0;
    const unsigned start = (unsigned)bytes[0] << 8 | bytes[1];

    if (bytes[0] < 0xf0) return start < 0xe0a0 || (start >= 0xeda0 && start < 0xee00) ? 0 : 3;
    return left >= 4 && start >= 0xf090 && start <= 0xf48f && follows(bytes[3]) ? 4 : 0;
}

/* The length of the character beyond ASCII that begins a text; 0: there is none. */
static inline size_t high_character(const unsigned char *bytes, size_t left) {
    if (bytes[0] >= 0xe0) return long_character(bytes, left);
    return left >= 2 && bytes[0] >= 0xc2 && follows(bytes[1]) ? 2 : 0;
}

size_t torc_utf8_valid_len(torc_str text) {
    const unsigned char *const bytes = (const unsigned char *)text.bytes;
    size_t at = 0;

    while (at < text.len) {
        if (bytes[at] < 0x80) {
            at += ascii_words(text.bytes + at, text.len - at);
            while (at < text.len && bytes[at] < 0x80) at++;
            continue;
        }
        const size_t len = high_character(bytes + at, text.len - at);
        if (len == 0) break;
        at += len;
    }
    return at;
}

bool torc_utf8_is_valid(torc_str text) {
    return torc_utf8_valid_len(text) == text.len;
}

torc_err torc_utf8_check(torc_utf8 *state, torc_str piece) {
    for (size_t at = 0; at < piece.len; at++) {
        if (state->left == 0) at += ascii_words(piece.bytes + at, piece.len - at);
        if (at == piece.len) break;
        if (!step(state, (unsigned char)piece.bytes[at])) return TORC_ERR_UTF8;
    }
    return TORC_OK;
}

bool torc_utf8_is_whole(const torc_utf8 *state) {
    return state->left == 0;
}

/* The byte of `code` that is `place` bytes from the last. */
static char follower(uint32_t code, int place) {
    return (char)(0x80 | (code >> (6 * place) & 0x3f));
}

size_t torc_utf8_encode(uint32_t code, char bytes[4]) {
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
    if (code < 0x80) {
        bytes[0] = (char)code;
        return 1;
    }
    const int followers = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    const uint32_t first = 0xff00u >> (followers + 1) & 0xff;

    bytes[0] = (char)(first | code >> (6 * followers));
    for (int i = 1; i <= followers; i++) bytes[i] = follower(code, followers - i);
    return (size_t)followers + 1;
}

torc_err torc_utf8_decode(torc_str *rest, uint32_t *code) {
    torc_utf8 state;

    if (rest->len == 0) return TORC_ERR_TRUNCATED;
    const unsigned char first = (unsigned char)rest->bytes[0];
    if (!enter(&state, first)) return TORC_ERR_UTF8;

    uint32_t value = state.left == 0 ? first : first & (0x3fu >> state.left);
    size_t len = 1;
    for (; state.left > 0; len++) {
        if (len == rest->len) return TORC_ERR_TRUNCATED;
        const unsigned char byte = (unsigned char)rest->bytes[len];
        if (!follow(&state, byte)) return TORC_ERR_UTF8;
        value = value << 6 | (byte & 0x3f);
    }
    *rest = torc_str_from(*rest, len);
    *code = value;
    return TORC_OK;
}
