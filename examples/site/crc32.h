/* SPDX-License-Identifier: MIT */
#ifndef CRC32_H
#define CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The CRC-32 of zip and Ethernet, continued over more bytes; begin with 0. */
static inline uint32_t crc32_add(uint32_t crc, const char *bytes, size_t len) {
    static uint32_t table[256];

    for (uint32_t i = 0; !table[255] && i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ (0xedb88320u & (0u - (value & 1)));
        table[i] = value;
    }
    crc = ~crc;
    for (size_t i = 0; i < len; i++) crc = table[(crc ^ (uint8_t)bytes[i]) & 0xff] ^ (crc >> 8);
    return ~crc;
}

#endif
