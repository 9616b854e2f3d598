/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_HTTP1_PARSE_H
#define TORC_PROTOCOL_HTTP1_PARSE_H

#include <torc/arena.h>
#include <torc/head.h>
#include <torc/limits.h>

/*
 * Heads of HTTP/1 (RFC 9112 §2 to §5): bytes in, a torc_head out, strictly.
 *
 * The caller presents the head's bytes from its start, contiguous, with ever more of them, in the
 * same place or another: only offsets are kept. Bytes are looked at a bounded number of times
 * however they come, and the outcome is the same. When the head is complete, the caller puts its
 * bytes where they may stay and takes the head from there.
 *
 * Two leniencies by name; all else that RFC 9112 says to refuse is refused.
 */
typedef enum torc_http1_outcome {
    TORC_HTTP1_MORE, /* incomplete so far */
    TORC_HTTP1_DONE,
    TORC_HTTP1_BAD /* `status` and `problem` say what is wrong */
} torc_http1_outcome;

enum {
    TORC_HTTP1_ALLOW_BARE_LF = 1, /* lines may end in LF alone */
    TORC_HTTP1_ALLOW_FOLD =
        2 /* values may go on in the next line (obs-fold); joined by one space */
};

/* A field's place in the head's bytes. */
typedef struct torc_http1_span {
    uint32_t name, value; /* offsets */
    uint32_t value_len;
    uint16_t name_len;
    uint16_t id;
} torc_http1_span;

/* The last Host that was looked at and is one. Most requests name the same: comparing is quicker.
 */
typedef struct torc_http1_known_host {
    uint8_t len; /* 0: none */
    char bytes[63];
} torc_http1_known_host;

enum {
    TORC_HTTP1_SPANS_INSIDE = 16
};

typedef struct torc_http1_parser {
    torc_arena *arena; /* for more spans than are inside */
    const torc_limits *limits;
    torc_http1_known_host *known_host; /* may be NULL; set by who has one, after the init */
    torc_http1_span *spans;
    uint32_t span_count, span_capacity;
    uint32_t line; /* offset of the line that is being parsed */
    uint32_t
        scanned;    /* of that line: where the scan of an incomplete run goes on; 0: at its start */
    uint32_t colon; /* of a field line: offset of its colon; 0: not seen yet */
    uint32_t value; /* offset of its value's first byte; 0: not seen yet */
    uint32_t section_bytes; /* of complete lines, without their ends */
    uint32_t section_max;   /* what they may become */
    uint8_t flags;
    uint8_t stage; /* private */
    bool is_response;
    bool has_fold;
    uint8_t version; /* 10 or 11 */
    uint16_t method_len;
    uint16_t status_of_response;
    uint32_t target, target_len; /* or the reason of a response */
    uint32_t start;              /* offset of the first line: behind an empty one */

    int status; /* BAD: to answer (400, 414, 417, 431, 501, 503, 505); of a response: 502 */
    const char *problem; /* BAD: static, with the section of the RFC */
    uint32_t head_len;   /* DONE: bytes of the head, with its empty line */
    torc_http1_span inside[TORC_HTTP1_SPANS_INSIDE];
} torc_http1_parser;

/* What the head says of its message and connection, for the wire. */
typedef struct torc_http1_framing {
    int64_t body_len; /* -1: by chunks, or until the connection's end; 0: none */
    bool is_chunked;
    bool until_close; /* a response's body without length */
    bool keeps_alive; /* the connection may serve another message after this */
    bool expects_continue;
    bool has_upgrade;    /* Upgrade, and Connection names it */
    bool takes_trailers; /* TE: trailers */
} torc_http1_framing;

/* Begin a head. The arena and the limits (all resolved) must outlive the parser. */
void torc_http1_parser_init(torc_http1_parser *parser, torc_arena *arena, const torc_limits *limits,
                            bool is_response, unsigned flags);
/* Go on with the head, of which `bytes` is all that came so far (bytes behind the head are fine).
 */
torc_http1_outcome torc_http1_parse(torc_http1_parser *parser, torc_str bytes);
/*
 * Take a request's head that is DONE from its bytes (at least head_len of them), which it refers to
 * from then on; folded values are joined in place. DONE or BAD, as what the fields mean is looked
 * at here.
 */
torc_http1_outcome torc_http1_take_request(torc_http1_parser *parser, char *bytes, torc_head *head,
                                           torc_http1_framing *framing);
/* The same for a response to a request of `method`. */
torc_http1_outcome torc_http1_take_response(torc_http1_parser *parser, char *bytes,
                                            torc_method method, torc_head *head,
                                            torc_http1_framing *framing);
/*
 * Parse trailers (field lines and the empty line) that are present as a whole or not yet. The spans
 * are taken by torc_http1_take_trailers(); fields that may not stand there are refused. Their bytes
 * are limited by trailers_bytes_max.
 */
void torc_http1_parser_init_trailers(torc_http1_parser *parser, torc_arena *arena,
                                     const torc_limits *limits, unsigned flags);
torc_http1_outcome torc_http1_take_trailers(torc_http1_parser *parser, char *bytes,
                                            torc_fields *fields);
/* Note what is wrong with the head; returns BAD. For the parts of the parser alone. */
torc_http1_outcome torc_http1_bad(torc_http1_parser *parser, int status, const char *problem);

#endif
