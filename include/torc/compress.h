/* SPDX-License-Identifier: MIT */
#ifndef TORC_COMPRESS_H
#define TORC_COMPRESS_H

#include <torc/coding.h>
#include <torc/middleware.h>

/**
 * Compression: responses in a coding that the peer likes (RFC 9110 §12.5.3), streamed.
 *
 *     torc_app_use(app, torc_compress_new(NULL));
 *
 * A response is coded when its type is among those that get shorter, it is not known to be too
 * short, and the peer accepts a coding; one that could have been coded says `Vary: Accept-Encoding`
 * in any case. A strong entity tag is made weak then, and Content-Length is that of the coded body
 * where all of it is there, or left out. Never coded are parts (206) and what has a
 * Content-Encoding or a Content-Range, `Cache-Control: no-transform`, or no body. HEAD has the
 * fields of GET.
 *
 * What is written stays in the coder until there is enough of it: torc_request_flush() sends it on.
 * Of a `text/event-stream` each write is sent at once. On a fiber a body of more than 64 KiB is
 * coded in pieces, and others may run in between: a reply or a write returns when all is coded, or
 * the peer is lost, or the fiber's deadline is over (504).
 *
 * A page that shows a secret beside what somebody else can choose should not be compressed: its
 * length tells of the secret (BREACH). See docs/design/coding.md.
 */
typedef struct torc_compress_options {
    size_t size;         /* sizeof(torc_compress_options) */
    const char *codings; /* those to use, of what the peer likes equally the first; NULL: "zstd, br,
                            gzip", as far as the library was built with them */
    const char *types;   /* a list of types ("text/html"), kinds (an asterisk behind the slash) and
                            suffixes ("+json"); NULL: torc_compress_types() */
    uint64_t bytes_min;  /* of a body whose length is known: 0: 256; 1: any */
    int gzip_level, brotli_level, zstd_level; /* 0: the defaults of <torc/coding.h> */
    bool is_shallow; /* for the resource itself, not for what is beneath it */
} torc_compress_options;

TORC_BEGIN_DECLS

/** What is wrong with the options, as a sentence part in `text`; NULL: nothing. */
TORC_API const char *torc_compress_check(const torc_compress_options *options, char text[200]);
/**
 * Make it; the options are copied, NULL: the defaults. NULL when out of memory; what is wrong with
 * options is reported where it is used, as by torc_resource_use().
 */
TORC_API torc_middleware *torc_compress_new(const torc_compress_options *options);
/** The types that are coded unless others are named: text, and what is text by another name. */
TORC_API const char *torc_compress_types(void);

TORC_END_DECLS

#endif
