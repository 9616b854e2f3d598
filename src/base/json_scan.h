/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_JSON_SCAN_H
#define TORC_BASE_JSON_SCAN_H

#include <torc/str.h>

/*
 * Finding what a JSON string may not hold as it is.
 */

/*
 * The number of bytes at the beginning that need no look: all before the first control, quote or
 * backslash; with `for_html`, before the first '<', '>', '&' or 0xE2 (of U+2028 and U+2029), too.
 */
size_t torc_json_scan(torc_str text, bool for_html);
/*
 * Copy a text, if it can stand in a string as it is, as most can: ASCII without controls, quote and
 * backslash, with `for_html` without '<', '>' and '&', too. So it needs no other look, and is valid
 * UTF-8. False: it cannot, and `to` holds anything.
 */
bool torc_json_copy_plain(char *to, torc_str text, bool for_html);
/* The same as torc_json_scan(), byte by byte: the twin that the vectorised one is tested against.
 */
size_t torc_json_scan_scalar(torc_str text, bool for_html);

#endif
