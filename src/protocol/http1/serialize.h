/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_HTTP1_SERIALIZE_H
#define TORC_PROTOCOL_HTTP1_SERIALIZE_H

#include <torc/head.h>

/*
 * Heads of HTTP/1 as bytes (RFC 9112), into memory that the caller has measured.
 */
typedef enum torc_http1_body {
    TORC_HTTP1_BODY_NONE,    /* no field of framing at all: 1xx, 204, requests without a body */
    TORC_HTTP1_BODY_LENGTH,  /* Content-Length */
    TORC_HTTP1_BODY_CHUNKED, /* Transfer-Encoding: chunked */
    TORC_HTTP1_BODY_TO_CLOSE /* until the connection ends */
} torc_http1_body;

typedef enum torc_http1_connection_field {
    TORC_HTTP1_CONNECTION_NONE,
    TORC_HTTP1_CONNECTION_CLOSE,
    TORC_HTTP1_CONNECTION_KEEP_ALIVE,
    TORC_HTTP1_CONNECTION_UPGRADE
} torc_http1_connection_field;

/* What the wire adds to a head. Fields of the head with these names are left out, but for
 * Connection on an upgrade. */
typedef struct torc_http1_framing_out {
    torc_http1_body body;
    uint64_t length;
    torc_http1_connection_field connection;
} torc_http1_framing_out;

/* An upper bound of the bytes of a head: the line, the fields and what the wire adds. */
size_t torc_http1_head_size(const torc_head *head);
/* Write a response's head, with its empty line; the number of bytes. The version is 1.1 always. */
size_t torc_http1_write_response(const torc_head *head, const torc_http1_framing_out *framing,
                                 char *to);
/* Write a request's head: its method, target and fields. */
size_t torc_http1_write_request(const torc_head *head, const torc_http1_framing_out *framing,
                                char *to);
/* Trailers with the empty line that ends them; the size of trailers is bounded by
 * torc_http1_fields_size(). */
size_t torc_http1_fields_size(const torc_fields *fields);
size_t torc_http1_write_trailers(const torc_fields *fields, char *to);

#endif
