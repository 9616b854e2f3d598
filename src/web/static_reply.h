/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_STATIC_REPLY_H
#define TORC_WEB_STATIC_REPLY_H

#include "web/static_config.h"
#include "web/static_lookup.h"

/*
 * How a file that was found is sent: its type, the sibling that the peer likes best, its tag, and
 * how long it may be kept.
 */

/* What is behind the names of compressed siblings, for a query. */
const torc_str *torc_static_suffixes(uint32_t *count);

/* Whether looking for siblings of a file makes sense by its name: pictures, sound and films are
 * compressed already. */
bool torc_static_may_have_siblings(const torc_static_config *config, torc_str name);

/*
 * Reply with a file. `path` is where it was found, `name` its name if that is empty. With another
 * status than 200 it is the page of an error: sent whole, whatever the request's conditions and
 * ranges, and without validators. `answer` stays the caller's.
 */
torc_render torc_static_reply(const torc_static_config *config, torc_request *request,
                              const torc_static_path *path, torc_str name,
                              const torc_static_answer *answer, int status);

/* Say how long what is at a path may be kept; it begins with a slash. */
void torc_static_set_cache_control(const torc_static_config *config, torc_request *request,
                                   torc_str path);

#endif
