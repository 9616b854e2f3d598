/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_FILE_TEXT_H
#define TORC_WEB_FILE_TEXT_H

#include <torc/buf.h>

/*
 * Append the content of a file, of `max` bytes at most: read whole, and no further than that,
 * whatever it is. Blocks: for the set-up of a program. TORC_ERR_TOO_LARGE, or what the system says.
 */
torc_err torc_file_text_read(const char *path, size_t max, torc_buf *text) TORC_MUST_CHECK;

#endif
