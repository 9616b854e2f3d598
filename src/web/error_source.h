/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_ERROR_SOURCE_H
#define TORC_WEB_ERROR_SOURCE_H

#include <torc/str.h>

/*
 * The lines of a source around a place of the program, for developers whose sources are here.
 */
enum {
    TORC_SOURCE_LINES = 7,
    TORC_SOURCE_BYTES = 2048
};

typedef struct torc_source_lines {
    uint32_t first, wanted, count; /* numbers of lines, from 1 on */
    torc_str at[TORC_SOURCE_LINES];
    char bytes[TORC_SOURCE_BYTES];
} torc_source_lines;

/* Read those around "src/shop/cart.c:12", below the current folder or where it was built from.
 * False when they are not to be had. Blocks. */
bool torc_source_read(const char *place, torc_source_lines *lines);

#endif
