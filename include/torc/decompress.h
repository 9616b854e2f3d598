/* SPDX-License-Identifier: MIT */
#ifndef TORC_DECOMPRESS_H
#define TORC_DECOMPRESS_H

#include <torc/coding.h>
#include <torc/middleware.h>

/**
 * Bodies of requests that come in a content coding (RFC 9110 §8.4), for the resource that it is
 * used on and all beneath: they are decoded as they are read, by whatever reads them
 * (<torc/body.h>, <torc/form.h>, <torc/request_json.h>).
 *
 *     torc_resource_use(api, torc_decompress_new(NULL));
 *
 * The limit `body_bytes_max` holds for the body as it comes and as it is read: beyond it reads
 * answer TORC_ERR_TOO_LARGE, for which 413 is replied, and a few bytes that decode to very many are
 * stopped before that by `ratio_max`. What is not of its coding is
 * TORC_ERR_SYNTAX, what ends too soon TORC_ERR_TRUNCATED: both are replied as 400. A coding that is
 * not taken, and more than one around each other, are answered 415 with Accept-Encoding, which says
 * what is taken (RFC 9110 §15.5.16).
 *
 * A decoder holds what its coding asks for, which the peer chooses within it: 70 KiB for gzip and
 * deflate, up to 9 MiB for zstd and 17 MiB for brotli (see <torc/coding.h>), as long as the request
 * lasts. All of it is counted, and sheds as other memory does; where strangers post, name the
 * codings that their clients use.
 *
 * The fields of the request stay as they came: Content-Encoding and Content-Length are those of the
 * bytes on the wire. Without this middleware, bodies are read as they come, and forms and JSON in a
 * coding are refused by 415.
 */
typedef struct torc_decompress_options {
    size_t size;                /* sizeof(torc_decompress_options) */
    const torc_coding *codings; /* which are taken; NULL: all that the library was built with */
    size_t coding_count;
    uint32_t ratio_max; /* bytes that are read to one that came, beyond the first MiB; 0: 200 */
} torc_decompress_options;

TORC_BEGIN_DECLS

/**
 * Make it. The options are copied and may be NULL. A coding that cannot be decoded here is left
 * out. NULL when out of memory.
 */
TORC_API torc_middleware *torc_decompress_new(const torc_decompress_options *options);

TORC_END_DECLS

#endif
