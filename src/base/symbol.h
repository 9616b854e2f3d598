/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_SYMBOL_H
#define TORC_BASE_SYMBOL_H

#include <torc/types.h>

/*
 * Names of functions, for people who look into a running program.
 */
enum {
    TORC_SYMBOL_TEXT = 128
};

/*
 * What is at an address of code: `function+0x12 (program)`, from the dynamic symbols, or else from
 * the file's own table, which knows static functions as long as it was not stripped; otherwise
 * `program+0x1234`, which addr2line takes. Reads files; slow.
 */
void torc_symbol_text(const void *address, char text[TORC_SYMBOL_TEXT]);

#endif
