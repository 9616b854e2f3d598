/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_ORIGIN_H
#define TORC_WEB_ORIGIN_H

#include <torc/str.h>

/*
 * Origins, as browsers serialise them, and patterns of them. Functions on values; any thread.
 */

/* What is wrong with a pattern, as a sentence part; NULL: nothing. Static. */
const char *torc_origin_pattern_check(torc_str pattern);
/* Whether an origin is one of those that a checked pattern means. */
bool torc_origin_matches(torc_str pattern, torc_str origin);

#endif
