/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_ASCII_H
#define TORC_BASE_ASCII_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Letters and digits of ASCII, whatever the locale: <ctype.h> asks it, and takes no negative char.
 */
static inline bool torc_is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static inline bool torc_is_capital(char byte) {
    return byte >= 'A' && byte <= 'Z';
}

/* Capital or small. */
static inline bool torc_is_letter(char byte) {
    return (byte >= 'a' && byte <= 'z') || torc_is_capital(byte);
}

static inline bool torc_is_alnum(char byte) {
    return torc_is_letter(byte) || torc_is_digit(byte);
}

/* The digit of the lowest four bits: "0123456789abcdef". */
static inline char torc_hex_of(uint64_t number) {
    return "0123456789abcdef"[number & 15];
}

/* A capital as its small letter, anything else as it is. */
static inline char torc_small(char byte) {
    return torc_is_capital(byte) ? (char)(byte | 0x20) : byte;
}

#endif
