/* SPDX-License-Identifier: MIT */
#ifndef TORC_BODY_H
#define TORC_BODY_H

#include <torc/request.h>

/**
 * The body of a request, at the reader's speed: the peer is read no faster than the body is.
 *
 * Three ways: piece by piece on a fiber (torc_body_read), whole (torc_body_read_all), or spooled to
 * an unlinked temporary file past a threshold (torc_body_spool). Each has a form with a callback,
 * for renders on the reactor's stack. A body that nobody reads is dropped up to a limit when the
 * response is finished. `Expect: 100-continue` is answered when the body is first read, so that a
 * render can refuse first.
 */

/** A body as a whole: in memory, or in a file past the threshold. Freed with the request. */
typedef struct torc_body {
    torc_str bytes; /* in memory; `.bytes` is NULL if it was spooled */
    int fd;         /* a file positioned anywhere, read it by pread; -1: in memory. The request's */
    uint64_t len;
} torc_body;

/** Told that bytes are there (`len` 0 with TORC_OK: the end), or why none will come. */
typedef void torc_body_chunk_fn(torc_request *request, torc_err err, torc_str chunk, void *context);
typedef void torc_body_whole_fn(torc_request *request, torc_err err, const torc_body *body,
                                void *context);

TORC_BEGIN_DECLS

/**
 * On a fiber: wait for the next bytes of the body; empty at its end. A chunk is valid until the
 * next read. TORC_ERR_TOO_LARGE beyond the limit `body_bytes_max` (reply 413); TORC_ERR_LOST,
 * TORC_ERR_STALLED when that happened while waiting, TORC_ERR_GONE when the request was over
 * before; TORC_ERR_STATE while a callback is owed bytes.
 */
TORC_API torc_err torc_body_read(torc_request *request, torc_str *chunk) TORC_MUST_CHECK;
/** On a fiber: the whole body in memory, at most `max` bytes, else TORC_ERR_TOO_LARGE. */
TORC_API torc_err torc_body_read_all(torc_request *request, size_t max,
                                     torc_str *bytes) TORC_MUST_CHECK;
/** On a fiber: the whole body, spooled to a file when longer than the limit `body_memory_max`. */
TORC_API torc_err torc_body_spool(torc_request *request, torc_body *body) TORC_MUST_CHECK;
/**
 * Ask for the next bytes; `chunk` is called once, later, with bytes lent until it returns. One read
 * at a time: TORC_ERR_STATE while another is outstanding.
 */
TORC_API torc_err torc_body_request_chunk(torc_request *request, torc_body_chunk_fn *chunk,
                                          void *context) TORC_MUST_CHECK;
/** The same for the whole body in memory, at most `max` bytes. */
TORC_API torc_err torc_body_request_all(torc_request *request, size_t max,
                                        torc_body_whole_fn *whole, void *context) TORC_MUST_CHECK;
/** The trailer fields, once the end was read; NULL when there are none. */
TORC_API const torc_fields *torc_body_trailers(const torc_request *request);

TORC_END_DECLS

#endif
