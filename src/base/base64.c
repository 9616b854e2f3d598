/* SPDX-License-Identifier: MIT */
/*
 * Base64: three bytes are four digits of six bits; one or two bytes at the end are two or three.
 *
 *  - Decoding looks at all of the text before it appends anything.
 */
#include <torc/base64.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static uint32_t byte_at(torc_str bytes, size_t place) {
    return place < bytes.len ? (unsigned char)bytes.bytes[place] : 0;
}

/* Write the digits of the three bytes at `place`, and answer the end; digits that would encode
 * nothing are padding, or left out. */
static char *put_group(char *to, torc_str bytes, size_t place, torc_base64_options options) {
    const char *alphabet = options & TORC_BASE64_URL ? url : standard;
    const size_t left = bytes.len - place, digits = left >= 3 ? 4 : left + 1;
    const uint32_t group =
        byte_at(bytes, place) << 16 | byte_at(bytes, place + 1) << 8 | byte_at(bytes, place + 2);

    for (size_t i = 0; i < 4; i++) {
        if (i < digits) {
            *to++ = alphabet[group >> (18 - 6 * i) & 63];
        } else if (!(options & TORC_BASE64_NO_PADDING)) {
            *to++ = '=';
        }
    }
    return to;
}

void torc_base64_encode(torc_buf *buf, torc_str bytes, torc_base64_options options) {
    if (bytes.len > SIZE_MAX / 4 * 3 - 3) {
        torc_buf_fail(buf, TORC_ERR_LIMIT);
        return;
    }
    size_t len = (bytes.len + 2) / 3 * 4;
    if (options & TORC_BASE64_NO_PADDING) len -= (3 - bytes.len % 3) % 3;

    char *const start = torc_buf_reserve(buf, len);
    if (!start) return;
    char *to = start;
    for (size_t i = 0; i < bytes.len; i += 3) to = put_group(to, bytes, i, options);
    torc_buf_commit(buf, len);
}

static int digit_value(char digit, torc_base64_options options) {
    const bool is_url = options & TORC_BASE64_URL;

    if (digit >= 'A' && digit <= 'Z') return digit - 'A';
    if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9') return digit - '0' + 52;
    if (digit == (is_url ? '-' : '+')) return 62;
    if (digit == (is_url ? '_' : '/')) return 63;
    return -1;
}

/* Cut the padding off; false when it is not as it should be. */
static bool strip_padding(torc_str *text, torc_base64_options options) {
    size_t padding = 0;

    while (padding < 2 && text->len > padding && text->bytes[text->len - 1 - padding] == '=') {
        padding++;
    }
    const bool is_complete = text->len % 4 == 0;
    text->len -= padding;
    if (options & TORC_BASE64_NO_PADDING) return padding == 0;
    if (options & TORC_BASE64_ANY_PADDING) return padding == 0 || is_complete;
    return is_complete;
}

static bool has_digits_only(torc_str text, torc_base64_options options) {
    for (size_t i = 0; i < text.len; i++) {
        if (digit_value(text.bytes[i], options) < 0) return false;
    }
    return true;
}

/* Whether the last digit, of a group that is not whole, has no bits beyond the last byte. */
static bool ends_in_zero_bits(torc_str text, torc_base64_options options) {
    static const int beyond[4] = {0, 0x3f, 0x0f, 0x03};

    if (text.len % 4 == 1) return false;
    return text.len % 4 == 0 ||
           !(digit_value(text.bytes[text.len - 1], options) & beyond[text.len % 4]);
}

static void get_digits(char *to, torc_str text, torc_base64_options options) {
    uint32_t bits = 0;

    for (size_t i = 0; i < text.len; i++) {
        bits = bits << 6 | (uint32_t)digit_value(text.bytes[i], options);
        if (i % 4 > 0) *to++ = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
    }
}

torc_err torc_base64_decode(torc_buf *buf, torc_str text, torc_base64_options options) {
    if (!strip_padding(&text, options)) return TORC_ERR_SYNTAX;
    if (!has_digits_only(text, options)) return TORC_ERR_SYNTAX;
    if (!ends_in_zero_bits(text, options)) return TORC_ERR_SYNTAX;

    const size_t len = text.len / 4 * 3 + text.len % 4 * 3 / 4;
    char *to = torc_buf_reserve(buf, len);
    if (!to) return torc_buf_err(buf);
    get_digits(to, text, options);
    torc_buf_commit(buf, len);
    return TORC_OK;
}
