/* SPDX-License-Identifier: MIT */
/*
 * The strings of JSON: found by a scan of 16 bytes at a time (torc_json_scan()), then checked and,
 * where they have escapes, decoded.
 *
 *  - A string is checked when all of it is there: first its UTF-8, then its escapes.
 *  - Decoding writes no more bytes than it reads: an escape is longer than what it stands for.
 */
#include <torc/utf8.h>

#include "base/json_scan.h"
#include "base/json_token.h"

enum {
    ESCAPE_LEN = 6, /* \uXXXX */
    REPLACEMENT = 0xfffd
};

static bool has_high(torc_str text) {
    uint64_t all = 0, word = 0;

    for (; text.len >= 8; text = torc_str_from(text, 8)) {
        memcpy(&word, text.bytes, 8);
        all |= word;
    }
    for (size_t i = 0; i < text.len; i++) all |= (unsigned char)text.bytes[i];
    return all & 0x8080808080808080u;
}

const char *torc_json_scan_string(torc_json_string *string, const char *from, const char *end,
                                  torc_json_fault *fault) {
    while (from < end) {
        if (string->is_escaped && (unsigned char)*from >= ' ') {
            /* What comes after a backslash is no quote's end; it is looked at when decoding. */
            string->is_escaped = false;
            string->has_high |= (unsigned char)*from >= 0x80;
            from++;
            continue;
        }
        const torc_str rest = torc_str_make(from, (size_t)(end - from));
        const size_t clean = torc_json_scan(rest, false);
        if (!string->has_high) string->has_high = has_high(torc_str_head(rest, clean));
        from += clean;
        if (from == end || *from == '"') return from;
        if (*from != '\\') {
            *fault = (torc_json_fault){.err = TORC_ERR_SYNTAX,
                                       .at = from,
                                       .expected = "no control character within a string"};
            return NULL;
        }
        string->has_escape = string->is_escaped = true;
        from++;
    }
    return from;
}

static bool refuse(torc_json_fault *fault, const char *at, const char *expected) {
    *fault = (torc_json_fault){.err = TORC_ERR_SYNTAX, .at = at, .expected = expected};
    return false;
}

/* The code of "\uXXXX" at `at`, or -1. */
static int unit_at(const char *at, const char *end) {
    int code = 0;

    if (end - at < ESCAPE_LEN || at[0] != '\\' || at[1] != 'u') return -1;
    for (int i = 2; i < ESCAPE_LEN; i++) {
        const int digit = torc_hex_digit(at[i]);
        if (digit < 0) return -1;
        code = code << 4 | digit;
    }
    return code;
}

static bool is_noncharacter(uint32_t code) {
    return (code & 0xfffe) == 0xfffe || (code >= 0xfdd0 && code <= 0xfdef);
}

/* Decode "\uXXXX", two of them if they are a pair; returns its end. */
static const char *decode_unit(const char *at, const char *end, unsigned rules, uint32_t *code,
                               torc_json_fault *fault) {
    const int unit = unit_at(at, end);

    if (unit < 0) {
        refuse(fault, at, "four hexadecimal digits after `\\u`");
        return NULL;
    }
    *code = (uint32_t)unit;
    if (unit < 0xd800 || unit > 0xdfff) return at + ESCAPE_LEN;

    const int low = unit < 0xdc00 ? unit_at(at + ESCAPE_LEN, end) : -1;
    if (low >= 0xdc00 && low <= 0xdfff) {
        *code = 0x10000 + (((uint32_t)unit & 0x3ff) << 10 | ((uint32_t)low & 0x3ff));
        return at + ESCAPE_LEN + ESCAPE_LEN;
    }
    if (!(rules & TORC_JSON_REPLACE_SURROGATES)) {
        refuse(fault, at, "both halves of a surrogate pair");
        return NULL;
    }
    *code = REPLACEMENT;
    return at + ESCAPE_LEN;
}

/* Decode the escape at `at`; returns its end, or NULL with the fault. */
static const char *decode_escape(const char *at, const char *end, unsigned rules, char **to,
                                 torc_json_fault *fault) {
    static const char meanings[128] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                       ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    const unsigned char letter = (unsigned char)at[1];
    uint32_t code;

    if (letter < sizeof meanings && meanings[letter]) {
        *(*to)++ = meanings[letter];
        return at + 2;
    }
    if (letter != 'u') {
        refuse(fault, at, "one of `\\\"`, `\\\\`, `\\/`, `\\b`, `\\f`, `\\n`, `\\r`, `\\t`, `\\u`");
        return NULL;
    }
    const char *const after = decode_unit(at, end, rules, &code, fault);
    if (!after) return NULL;
    if ((rules & TORC_JSON_I_JSON_BIT) && is_noncharacter(code)) {
        refuse(fault, at, "a character that I-JSON allows");
        return NULL;
    }
    *to += torc_utf8_encode(code, *to);
    return after;
}

static bool check_utf8(torc_str raw, torc_json_fault *fault) {
    const size_t valid = torc_utf8_valid_len(raw);

    if (valid == raw.len) return true;
    *fault = (torc_json_fault){
        .err = TORC_ERR_UTF8, .at = raw.bytes + valid, .expected = "a character in UTF-8"};
    return false;
}

static bool check_characters(torc_str raw, torc_json_fault *fault) {
    torc_str rest = raw;
    uint32_t code;

    while (torc_utf8_decode(&rest, &code) == TORC_OK) {
        if (!is_noncharacter(code)) continue;
        return refuse(fault, rest.bytes - (code > 0xffff ? 4 : 3),
                      "a character that I-JSON allows");
    }
    return true;
}

static bool check_high(torc_str raw, unsigned rules, torc_json_fault *fault) {
    return check_utf8(raw, fault) &&
           (!(rules & TORC_JSON_I_JSON_BIT) || check_characters(raw, fault));
}

bool torc_json_decode_string(const torc_json_string *string, torc_str raw, unsigned rules, char *to,
                             torc_str *decoded, torc_json_fault *fault) {
    const char *at = raw.bytes, *const end = raw.bytes + raw.len;
    char *const first = to;

    if (string->has_high && !check_high(raw, rules, fault)) return false;
    *decoded = raw;
    if (!string->has_escape) return true;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        const size_t len = (size_t)((escape ? escape : end) - at);
        memmove(to, at, len);
        to += len;
        at += len;
        if (escape) at = decode_escape(at, end, rules, &to, fault);
        if (!at) return false;
    }
    *decoded = torc_str_make(first, (size_t)(to - first));
    return true;
}
