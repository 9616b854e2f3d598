/* SPDX-License-Identifier: MIT */
#ifndef TORC_MESSAGE_BYTES_H
#define TORC_MESSAGE_BYTES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What a byte may be in a message, by table.
 */
enum {
    TORC_BYTE_TOKEN = 1,   /* tchar, RFC 9110 §5.6.2 */
    TORC_BYTE_VALUE = 2,   /* of a field's value: visible, SP, HTAB, 0x80 and above */
    TORC_BYTE_TARGET = 4,  /* of a path or query, but for `%` and `?`: visible ASCII without `#` */
    TORC_BYTE_REG_NAME = 8 /* unreserved and sub-delims, RFC 3986 §3.2.2 */
};

extern const uint8_t torc_byte_classes[256];

static inline bool torc_byte_is(char byte, unsigned classes) {
    return (torc_byte_classes[(uint8_t)byte] & classes) != 0;
}

#endif
