/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_AS_IS_H
#define TORC_WEB_AS_IS_H

#include "web/found_file.h"

/*
 * Files that are whole responses: a head, an empty line, and the content.
 *
 * The head may begin with a status line ("HTTP/1.1 410 Gone") or have a Status field; else it is
 * 200. Its lines end in CRLF or LF. What frames a message (Content-Length, Transfer-Encoding,
 * Connection …) is left out, since the server frames it; everything else is sent as it stands. A
 * head that is malformed, or longer than TORC_AS_IS_HEAD_MAX bytes, is answered with 500 and a line
 * in the log, so that nothing of it reaches the wire.
 */
enum {
    TORC_AS_IS_HEAD_MAX = 16384,
    TORC_AS_IS_FIELDS_MAX = 64
};

typedef struct torc_as_is_head {
    int status;      /* 200 to 599 */
    torc_str reason; /* empty: the standard phrase */
    uint32_t field_count;
    torc_str names[TORC_AS_IS_FIELDS_MAX], values[TORC_AS_IS_FIELDS_MAX];
    size_t len; /* of the head, with the empty line */
} torc_as_is_head;

/* Read the head at the beginning of a text, whose slices it keeps; false: it is malformed. */
bool torc_as_is_parse(torc_str text, torc_as_is_head *head);
/* On a fiber: reply with such a file, which stays the caller's. */
torc_render torc_as_is_reply(torc_request *request, torc_found_file *file);

#endif
