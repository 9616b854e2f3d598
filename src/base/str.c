/* SPDX-License-Identifier: MIT */
/*
 * Functions on slices.
 *
 *  - An empty slice may have NULL bytes, so the functions of <string.h> are called for others only.
 *  - Letters are ASCII's; the locale has no say.
 */
#include <torc/str.h>

static unsigned char lower(char letter) {
    unsigned char byte = (unsigned char)letter;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : byte;
}

bool torc_str_equals_nocase(torc_str a, torc_str b) {
    if (a.len != b.len) return false;

    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.bytes[i]) != lower(b.bytes[i])) return false;
    }
    return true;
}

bool torc_str_starts_with(torc_str str, torc_str prefix) {
    return torc_str_equals(torc_str_head(str, prefix.len), prefix);
}

bool torc_str_ends_with(torc_str str, torc_str suffix) {
    return str.len >= suffix.len &&
           torc_str_equals(torc_str_from(str, str.len - suffix.len), suffix);
}

int torc_str_compare(torc_str a, torc_str b) {
    const size_t len = a.len < b.len ? a.len : b.len;
    const int order = len > 0 ? memcmp(a.bytes, b.bytes, len) : 0;

    if (order != 0) return order;
    return (a.len > b.len) - (a.len < b.len);
}

ptrdiff_t torc_str_find_byte(torc_str str, char byte) {
    const char *found = str.len > 0 ? memchr(str.bytes, byte, str.len) : NULL;
    return found ? found - str.bytes : -1;
}

ptrdiff_t torc_str_find(torc_str str, torc_str needle) {
    if (needle.len == 0) return 0;
    if (str.len < needle.len) return -1;

    const char *found = memmem(str.bytes, str.len, needle.bytes, needle.len);
    return found ? found - str.bytes : -1;
}

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t';
}

torc_str torc_str_trim(torc_str str) {
    while (str.len > 0 && is_blank(str.bytes[0])) str = torc_str_from(str, 1);
    while (str.len > 0 && is_blank(str.bytes[str.len - 1])) str.len--;
    return str;
}

bool torc_str_split(torc_str *rest, char separator, torc_str *part) {
    if (!rest->bytes) return false;

    const ptrdiff_t at = torc_str_find_byte(*rest, separator);
    if (at < 0) {
        *part = *rest;
        *rest = torc_str_make(NULL, 0);
    } else {
        *part = torc_str_head(*rest, (size_t)at);
        *rest = torc_str_from(*rest, (size_t)at + 1);
    }
    return true;
}

torc_err torc_str_parse_uint(torc_str str, uint64_t max, uint64_t *value) {
    uint64_t number = 0;
    bool is_over = false;

    if (str.len == 0) return TORC_ERR_SYNTAX;
    for (size_t i = 0; i < str.len; i++) {
        const unsigned digit = (unsigned char)str.bytes[i] - (unsigned)'0';

        /* The rest is still looked at: junk is SYNTAX, however large the number before it. */
        if (digit > 9) return TORC_ERR_SYNTAX;
        if (digit > max || number > (max - digit) / 10) is_over = true;
        if (!is_over) number = number * 10 + digit;
    }
    if (is_over) return TORC_ERR_LIMIT;
    *value = number;
    return TORC_OK;
}

int torc_hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}
