/* SPDX-License-Identifier: MIT */
#ifndef TORC_HTTP_FORM_PARSE_H
#define TORC_HTTP_FORM_PARSE_H

#include <torc/form.h>

#include "reactor/reactor.h"

/*
 * The two parsers of forms: bytes go in, in pieces of any size, and events come out, the same
 * whatever the pieces are (but that content may be cut elsewhere).
 *
 * Each call takes from the front of `*bytes` what it has used, and tells one event. Content is a
 * slice of the piece, or of a few bytes that the parser has kept; it is valid until the next call.
 * A parser holds no more of the input than the head of one part.
 */
typedef enum torc_form_event {
    TORC_FORM_MORE, /* all bytes were taken */
    TORC_FORM_PART, /* one begins: `part` */
    TORC_FORM_CONTENT,
    TORC_FORM_PART_END,
    TORC_FORM_END,
    TORC_FORM_BAD /* for good: `err` and `problem` */
} torc_form_event;

/* What a parser may take, and why it gave up. Both begin with it. */
typedef struct torc_form_parser {
    torc_form_part part; /* valid from TORC_FORM_PART until the next one */
    uint32_t head_bytes_max, fields_max, name_bytes_max;
    torc_err err;
    const char *problem;
} torc_form_parser;

/* ---- application/x-www-form-urlencoded (URL Standard §5.1) ---- */

enum {
    TORC_URLENCODED_PIECE = 256
};

typedef struct torc_urlencoded {
    torc_form_parser base;
    uint8_t state;
    uint8_t held_len;
    char held[3]; /* of an escape that is not complete */
    torc_buf name;
    char decoded[TORC_URLENCODED_PIECE];
} torc_urlencoded;

void torc_urlencoded_init(torc_urlencoded *parser, torc_reactor *reactor,
                          const torc_limits *limits);
void torc_urlencoded_dispose(torc_urlencoded *parser);
/* `is_last`: what there is of `*bytes` is the last of the body. */
torc_form_event torc_urlencoded_parse(torc_urlencoded *parser, torc_str *bytes, bool is_last,
                                      torc_str *content);

/* ---- multipart/form-data (RFC 7578, RFC 2046 §5.1) ---- */

enum {
    TORC_BOUNDARY_MAX = 70,
    TORC_DELIMITER_MAX = TORC_BOUNDARY_MAX + 4 /* behind a line break and "--" */
};

typedef struct torc_multipart {
    torc_form_parser base;
    uint8_t state;
    uint8_t delimiter_len;
    uint8_t matched; /* bytes of the delimiter that were taken last */
    uint8_t unreal;  /* of them: the line break of the head before, which is no content */
    bool is_in_part;
    size_t line_start; /* in `head` */
    torc_buf head;     /* of the part */
    torc_arena arena;  /* what was made of it */
    torc_fields fields;
    char delimiter[TORC_DELIMITER_MAX + 1]; /* and a `-`, which may turn out to be content */
} torc_multipart;

/* The boundary is valid: torc_multipart_boundary() has read it. */
void torc_multipart_init(torc_multipart *parser, torc_reactor *reactor, const torc_limits *limits,
                         torc_str boundary);
void torc_multipart_dispose(torc_multipart *parser);
torc_form_event torc_multipart_parse(torc_multipart *parser, torc_str *bytes, bool is_last,
                                     torc_str *content);

/*
 * Read the head of a part, ended by its empty line, into the parser's part and fields; the bytes
 * are changed, and lent.
 */
torc_err torc_multipart_read_head(torc_multipart *parser, torc_str head) TORC_MUST_CHECK;

/* What a Content-Type names. */
typedef enum torc_form_kind {
    TORC_FORM_KIND_NONE,
    TORC_FORM_KIND_URLENCODED,
    TORC_FORM_KIND_MULTIPART
} torc_form_kind;
torc_form_kind torc_form_kind_of(torc_str content_type);
/*
 * The boundary of multipart content, copied to `bytes` of TORC_BOUNDARY_MAX. False: there is none,
 * or it is none.
 */
bool torc_multipart_boundary(torc_str content_type, char *bytes, torc_str *boundary);

#endif
