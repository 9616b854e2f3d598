/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_HTTP1_CHUNKED_H
#define TORC_PROTOCOL_HTTP1_CHUNKED_H

#include <torc/limits.h>
#include <torc/str.h>

/*
 * The chunked coding (RFC 9112 §7.1): bytes in, slices of content out, nothing copied.
 *
 * Strict: sizes are hexadecimal digits that fit, lines end in CR LF, extensions follow their
 * grammar, content is followed by CR LF. Extensions are limited in each line, and in all lines
 * together (RFC 9112 §7.1.1): what exceeds twice the content by 16 of the longest lines, with 16
 * bytes of each line free, is refused. The trailers are not read here: after the last chunk come
 * their lines, for the parser of fields.
 */
typedef enum torc_chunked_outcome {
    TORC_CHUNKED_MORE,    /* all was taken; more is needed */
    TORC_CHUNKED_CONTENT, /* a slice of content */
    TORC_CHUNKED_LAST,    /* the last chunk's line was taken: trailers follow */
    TORC_CHUNKED_BAD      /* `problem` says what is wrong */
} torc_chunked_outcome;

typedef struct torc_chunked_decoder {
    uint64_t left;     /* bytes of the chunk's content that are to come */
    uint32_t line_len; /* bytes of the size line so far */
    uint32_t line_max;
    uint64_t excess; /* private: bytes of lines that the content has not outweighed so far */
    uint8_t stage;   /* private */
    bool has_digit;
    const char *problem;
} torc_chunked_decoder;

void torc_chunked_decoder_init(torc_chunked_decoder *decoder, uint32_t line_max);
/*
 * Go on with `bytes`: answers how far in `*taken`, and a slice of at most `content_max` bytes in
 * `*content`. With `content_max` 0 it stops before content (MORE, with bytes left).
 */
torc_chunked_outcome torc_chunked_decode(torc_chunked_decoder *decoder, torc_str bytes,
                                         size_t content_max, size_t *taken, torc_str *content);

/* Room for a chunk's size line. */
enum {
    TORC_CHUNKED_LINE_MAX = 18
};

/* Write the line that goes before `len` bytes of content (not 0); its length. CR LF follows the
 * content. */
size_t torc_chunked_write_line(uint64_t len, char line[TORC_CHUNKED_LINE_MAX]);

#endif
