/* SPDX-License-Identifier: MIT */
#ifndef TORC_HTTP1_READER_H
#define TORC_HTTP1_READER_H

#include <torc/buf.h>
#include <torc/head.h>
#include <torc/limits.h>

/**
 * Readers of HTTP/1 (RFC 9112) for protocols of one's own: bytes in, events out, no I/O.
 *
 * This is the parser of Torc's own server and client, as strict as there: give it the bytes of a
 * connection as they come, in pieces of any size, and it tells of each message its head, the slices
 * of its body without their chunks, and its end. Bodies are not kept. A reader belongs to one
 * thread; in a callback everything is allowed, also freeing it.
 */
typedef struct torc_http1_reader torc_http1_reader;

typedef struct torc_http1_reader_ops {
    /** The head, which lives until message_ended has returned. body_len -1: by chunks, or until the
     * connection ends. */
    void (*head_received)(torc_http1_reader *reader, void *context, const torc_head *head);
    /** The next bytes of its body, never none; lent. NULL: nobody wants them. */
    void (*body_received)(torc_http1_reader *reader, void *context, torc_str bytes);
    /** The message is complete; trailers or NULL. What comes next is another. May be NULL. */
    void (*message_ended)(torc_http1_reader *reader, void *context, const torc_fields *trailers);
} torc_http1_reader_ops;

/** Zeros are the defaults; `size` first. */
typedef struct torc_http1_reader_options {
    size_t size;               /* sizeof(torc_http1_reader_options) */
    bool reads_responses;      /* else requests */
    const torc_limits *limits; /* of heads, chunk lines and trailers; copied; NULL: the defaults */
    bool allow_bare_lf;        /* lines may end in LF alone */
    bool allow_folded_fields;  /* values may go on in the next line */
} torc_http1_reader_options;

TORC_BEGIN_DECLS

/** Make a reader. `memory` (NULL: uncounted) and `ops` must outlive it. `options` may be NULL. */
TORC_API torc_err torc_http1_reader_new(torc_memory *memory, const torc_http1_reader_ops *ops,
                                        const torc_http1_reader_options *options, void *context,
                                        torc_http1_reader **reader) TORC_MUST_CHECK;
/** NULL is fine. From a callback the reader tells nothing any more and is freed behind it. */
TORC_API void torc_http1_reader_free(torc_http1_reader *reader);
/** The next response answers a request of this method: GET unless said, for each anew. */
TORC_API void torc_http1_reader_expect(torc_http1_reader *reader, torc_method method);
/**
 * Read the next bytes. `*taken`: how many; fewer than all if it was stopped, or if no message can
 * follow (behind `Connection: close`, 101, a tunnel). TORC_ERR_PEER, TORC_ERR_TOO_LARGE,
 * TORC_ERR_NO_MEMORY: the bytes are no message; see torc_http1_reader_status(). It stays failed.
 */
TORC_API torc_err torc_http1_reader_feed(torc_http1_reader *reader, torc_str bytes,
                                         size_t *taken) TORC_MUST_CHECK;
/** The connection has ended. A body that lasts until then is complete; TORC_ERR_LOST: in the middle
 * of a message. */
TORC_API torc_err torc_http1_reader_end(torc_http1_reader *reader) TORC_MUST_CHECK;
/** In a callback: return from feeding once this has returned, at the byte behind what it was told.
 * Feeding again goes on there. */
TORC_API void torc_http1_reader_stop(torc_http1_reader *reader);
/** Whether the connection may serve another message after this one. From the head on. */
TORC_API bool torc_http1_reader_keeps_alive(const torc_http1_reader *reader);
/** Whether the message tells its own end; false: its body may be cut and nobody knows. From the
 * head on. */
TORC_API bool torc_http1_reader_is_delimited(const torc_http1_reader *reader);
/** What to answer a request that failed: 400, 414, 417, 431, 501, 503, 505; 502 of responses; 0. */
TORC_API int torc_http1_reader_status(const torc_http1_reader *reader);
/** What is wrong with it, with the section of the RFC; static; NULL: nothing. */
TORC_API const char *torc_http1_reader_problem(const torc_http1_reader *reader);

/* ---- chunks, as values (RFC 9112 §7.1) ---- */

/** Append a chunk of these bytes; without bytes the last one and an end without trailers. */
TORC_API void torc_chunk_encode(torc_buf *buf, torc_str bytes);
/**
 * Take a whole chunk from the front of `*rest`: its content, a slice of it; empty for the last one,
 * behind whose line the trailers stand. TORC_ERR_AGAIN: it is not whole yet; TORC_ERR_SYNTAX.
 */
TORC_API torc_err torc_chunk_decode(torc_str *rest, torc_str *content) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
