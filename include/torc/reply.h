/* SPDX-License-Identifier: MIT */
#ifndef TORC_REPLY_H
#define TORC_REPLY_H

#include <torc/json.h>
#include <torc/producer.h>
#include <torc/request.h>

/**
 * Responses: whole ones in a call (torc_reply_…), and in steps (torc_response_… for the head,
 * torc_request_write, torc_request_finish).
 *
 * Setting and writing fail stickily and return nothing; the call that ends the sequence reports.
 * What is invalid (a field with a line break) makes the response fail: nothing of it was sent, and
 * a 500 goes out instead. After the first byte a failure aborts the connection; nothing is ever
 * appended to a body. HEAD needs no care: the body is counted and not sent. Server, Date, framing
 * and, where there is a body and the application set none, Content-Type (text/html) are added.
 */

/** An error that is to be replied to. All of it is lent for the call. */
typedef struct torc_error_reply {
    int status;                  /* that fits it, 400 to 599 */
    torc_err err;                /* TORC_OK: it has none */
    torc_str detail;             /* what the peer may be told; empty: nothing */
    const torc_failure *failure; /* for logs and developers, not for the peer; NULL: none */
} torc_error_reply;

TORC_BEGIN_DECLS

/** Reply with text in UTF-8 ("text/plain; charset=utf-8"). For a route: `return
 * torc_reply_text(…)`. */
TORC_API torc_render torc_reply_text(torc_request *request, int status, const char *text);
/** Reply with a copy of `bytes`. `content_type` may be NULL: none. */
TORC_API torc_render torc_reply_bytes(torc_request *request, int status, const char *content_type,
                                      torc_str bytes);
/** Reply with bytes that outlive the response and never change: not copied. */
TORC_API torc_render torc_reply_static(torc_request *request, int status, const char *content_type,
                                       torc_str bytes);
/** Begin a JSON document that becomes the whole response; then write to it, then torc_reply_end().
 */
TORC_API torc_json *torc_reply_json(torc_request *request, int status);
/**
 * End the response in a route: the document of torc_reply_json(), which is sent now, or becomes a
 * 500 if anything went wrong on the way; or else what was written, by torc_request_finish().
 */
TORC_API torc_render torc_reply_end(torc_request *request);
/** Reply with a redirect (301, 302, 303, 307, 308) to `location`, a URI reference, and a short
 * page. */
TORC_API torc_render torc_reply_redirect(torc_request *request, int status, const char *location);
/** The same with the query that was asked, behind that of `location` if it has one. */
TORC_API torc_render torc_reply_redirect_with_query(torc_request *request, int status,
                                                    const char *location);
/**
 * Whether a location, as a peer has given it ("?next=…"), leads to the site that was asked and
 * nowhere else: a path from its root, "/a?b", which may stand behind its own scheme and authority.
 */
TORC_API bool torc_request_is_local(const torc_request *request, torc_str location);
/** Reply with a redirect to a location that a peer has given, if it is local; else to `otherwise`,
 * or with a 400 if that is NULL. */
TORC_API torc_render torc_reply_redirect_local(torc_request *request, int status, torc_str location,
                                               const char *otherwise);
/** Let browsers load `location` after so many seconds, or this page again (NULL): the Refresh
 * field. */
TORC_API void torc_response_set_refresh(torc_request *request, uint32_t seconds,
                                        const char *location);
/**
 * Reply with the error page of a status, 400 to 599. `detail`, which may be NULL, is for the peer.
 * This and what follows is answered by the handlers and pages of the tree first, see
 * <torc/error_page.h>. After the first byte, and after a loss, it aborts quietly.
 */
TORC_API torc_render torc_reply_status(torc_request *request, int status, const char *detail);
/**
 * The status that fits an error: 413 for TOO_LARGE, 415 for MEDIA_TYPE, 404 for NOT_FOUND and
 * NOT_DIRECTORY, 403 for PERMISSION, 503 for NO_MEMORY, LIMIT, BUSY, FILE_TABLE_FULL and STOPPING,
 * 504 for TIMEOUT, 408 for STALLED, 400 for SYNTAX, UTF8, TRUNCATED, PEER and UPGRADE, 500 for all
 * others.
 */
TORC_API int torc_err_status(torc_err err);
/** Reply with the error page that fits an error; its text is shown only where error details are on.
 */
TORC_API torc_render torc_reply_error(torc_request *request, torc_err err);

/**
 * Reply with a 500 for what went wrong here. `text` goes to the log, and to the peer only where
 * error details are on.
 */
TORC_API torc_render torc_reply_failure(torc_request *request, const char *text);
/**
 * Reply to a failure, which this takes, by the status that fits its error. It is logged with all
 * that it came from: as an error from 500 on, else as information; the peer is shown it only where
 * error details are on. NULL is a failure of which nothing is known.
 */
TORC_API torc_render torc_reply_failed(torc_request *request, torc_failure *failure);

/** The status of the response, 200 unless set. `reason` NULL: the standard phrase. */
TORC_API void torc_response_set_status(torc_request *request, int status, const char *reason);
TORC_API int torc_response_status(const torc_request *request);
/** Set a field, replacing all of its name; an invalid name or value makes the response fail. */
TORC_API void torc_response_set(torc_request *request, const char *name, torc_str value);
/** Add a field, besides those of its name. */
TORC_API void torc_response_add(torc_request *request, const char *name, torc_str value);
TORC_API void torc_response_remove(torc_request *request, const char *name);
/** Whether a name and value could be set: for what comes from outside. */
TORC_API bool torc_response_accepts(torc_str name, torc_str value);
/** The value of the first field of that name set so far; `.bytes` NULL: none. */
TORC_API torc_str torc_response_field(const torc_request *request, const char *name);
/**
 * Set a cookie, besides others, but in place of one that the response sets already and that a
 * client would take for the same: of this name, domain and path, and kept apart (is_partitioned) or
 * not as this is. One that torc_cookie_check() refuses makes the response fail: ask it first where
 * name or value come from outside.
 */
TORC_API void torc_response_add_cookie(torc_request *request, const torc_cookie *cookie);
/** Let the client forget a cookie, which it finds by name, domain and path; what its prefix wants
 * must be there, too. */
TORC_API void torc_response_delete_cookie(torc_request *request, const torc_cookie *cookie);
/** All fields set so far, in order; lent until the next call that changes them. */
TORC_API torc_fields torc_response_fields(const torc_request *request);
/** The response depends on these fields of the request ("Accept, Accept-Language"): say so in Vary,
 * once for each. */
TORC_API void torc_response_add_vary(torc_request *request, const char *names);
/** Announce how long the body will be; without it HTTP/1.1 is sent in chunks. */
TORC_API void torc_response_set_length(torc_request *request, uint64_t len);
/** Set a trailer field, sent after a body of unknown length to peers that accept trailers. */
TORC_API void torc_response_set_trailer(torc_request *request, const char *name, torc_str value);
/** Send an interim response: 103 with the fields set by now, which stay set. */
TORC_API torc_err torc_response_send_interim(torc_request *request, int status);
/** Whether the head has gone: status and fields can no longer change. */
TORC_API bool torc_response_is_started(const torc_request *request);

/**
 * Send a copy of `bytes` as the next of the body; the first write sends the head. An empty write
 * sends nothing else. On a route's fiber it waits while the peer is slow; elsewhere see
 * torc_request_room().
 */
TORC_API void torc_request_write(torc_request *request, torc_str bytes);
/** The same for bytes that outlive the response and never change. */
TORC_API void torc_request_write_static(torc_request *request, torc_str bytes);
/** The same for a range of an open file. Takes `fd` and closes it, whatever happens. */
TORC_API void torc_request_write_file(torc_request *request, int fd, uint64_t offset, uint64_t len);
/** Send the head, before the body begins if need be, and all that was written, also what a stage of
 * the body keeps. */
TORC_API void torc_request_flush(torc_request *request);
/** Bytes that may be written before it is time to wait. */
TORC_API size_t torc_request_room(const torc_request *request);
/**
 * Let a producer feed the body (as torc_transport_register_producer()); finish when it is done,
 * which lets it go. It is resumed and paused from the reactor's queue. TORC_ERR_STATE if there is
 * one already, TORC_ERR_GONE: then it is never called.
 */
TORC_API torc_err torc_request_register_producer(torc_request *request, torc_producer *producer,
                                                 bool streaming) TORC_MUST_CHECK;
TORC_API void torc_request_unregister_producer(torc_request *request);
/**
 * The response is complete. TORC_ERR_GONE: it was finished already, or the peer is lost. Another
 * error: the first failure on the way, and a 500 or a reset went out instead. The request must not
 * be used after this round.
 */
TORC_API torc_err torc_request_finish(torc_request *request);
/** Drop the request: the peer sees its connection reset (HTTP/1) or its stream. */
TORC_API void torc_request_abort(torc_request *request);

TORC_END_DECLS

#endif
