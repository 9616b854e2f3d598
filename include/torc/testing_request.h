/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_REQUEST_H
#define TORC_TESTING_REQUEST_H

#include <torc/fields.h>
#include <torc/resource.h>
#include <torc/site.h>

/**
 * Requests without a socket: ask a site, a resource or a route, and look at what it answered.
 *
 *     torc_test_request *test = torc_test_request_resource(reactor, users, "GET /users/7");
 *     torc_test_request_run(test);
 *     assert(torc_test_request_status(test) == 200);
 *     assert(torc_str_equals(torc_test_request_body(test), TORC_STR("…")));
 *     torc_test_request_free(test);
 *
 * The test plays the wire and the peer: it gives the body in pieces of any size, takes the response
 * as fast or as slowly as it likes, and goes away when it wants. All of it happens in turns of the
 * reactor, which the test makes; a reactor with a clock to move (see <torc/testing.h>) makes time
 * part of the test. What was captured lives until torc_test_request_free().
 */
typedef struct torc_test_request torc_test_request;

TORC_BEGIN_DECLS

/**
 * A request to whoever accepts. `head` is "METHOD TARGET", and lines with fields after it, each
 * ended by a line feed or the string: "POST /x\nContent-Type: text/plain". With Content-Length or
 * Transfer-Encoding a body follows, by torc_test_request_send(). The version is HTTP/1.1, unless it
 * stands behind the target ("HTTP/1.0"). NULL when out of memory or if `head` is malformed. Nothing
 * happens before the next turn.
 */
TORC_API torc_test_request *torc_test_request_new(torc_reactor *reactor, torc_acceptor *acceptor,
                                                  const char *head);
/** The same of one resource, as the root of a site of its own. Takes the resource. */
TORC_API torc_test_request *torc_test_request_resource(torc_reactor *reactor,
                                                       torc_resource *resource, const char *head);
/** The same of a function, as a route for every method and path. */
TORC_API torc_test_request *torc_test_request_route(torc_reactor *reactor, torc_render_fn *render,
                                                    const char *head);
/** Free it. A request in progress loses its client first, and the reactor turns until that is over.
 * NULL is fine. */
TORC_API void torc_test_request_free(torc_test_request *test);

/** Let it come from this address, numeric; none unless set. Before the first turn. */
TORC_API torc_err torc_test_request_set_peer(torc_test_request *test, const char *host,
                                             uint16_t port) TORC_MUST_CHECK;
/** Send a copy of the next bytes of the body. They arrive when the request wants them, in pieces as
 * they were sent. */
TORC_API void torc_test_request_send(torc_test_request *test, torc_str bytes);
/** The body is complete. */
TORC_API void torc_test_request_send_end(torc_test_request *test);
/** Add a trailer field, before the end. */
TORC_API void torc_test_request_send_trailer(torc_test_request *test, const char *name,
                                             const char *value);
/** The client goes away: now, or when so many bytes of the response's body have come. */
TORC_API void torc_test_request_disconnect(torc_test_request *test);
TORC_API void torc_test_request_disconnect_after(torc_test_request *test, uint64_t body_bytes);
/** The exchange ends for another reason (TORC_ERR_STALLED, TORC_ERR_STOPPING, TORC_ERR_PEER …). */
TORC_API void torc_test_request_break(torc_test_request *test, torc_err reason);
/** A slow client: nothing of the response is taken any more but by torc_test_request_take(). */
TORC_API void torc_test_request_hold_back(torc_test_request *test);
/** Take `bytes` more of the response; SIZE_MAX: all that comes. */
TORC_API void torc_test_request_take(torc_test_request *test, size_t bytes);
/** Turn the reactor until the exchange is over or nothing more happens without time, threads or the
 * test. */
TORC_API void torc_test_request_run(torc_test_request *test);

/** The status of the response; 0 while none has come. */
TORC_API int torc_test_request_status(const torc_test_request *test);
/** The reason phrase, as set; empty: the standard one. */
TORC_API torc_str torc_test_request_reason(const torc_test_request *test);
/** The fields of the response, or the value of the first of that name (`.bytes` NULL: none). */
TORC_API const torc_fields *torc_test_request_fields(const torc_test_request *test);
TORC_API torc_str torc_test_request_field(const torc_test_request *test, const char *name);
/** The body as far as it has come; the answer to HEAD has none. Ranges of files are read from them.
 */
TORC_API torc_str torc_test_request_body(const torc_test_request *test);
/** The length that the head announced; -1: none. */
TORC_API int64_t torc_test_request_length(const torc_test_request *test);
/** How many pieces the body came in. */
TORC_API uint32_t torc_test_request_piece_count(const torc_test_request *test);
TORC_API const torc_fields *torc_test_request_trailers(const torc_test_request *test);
/** How many interim responses came, and the status of the last. */
TORC_API uint32_t torc_test_request_interim_count(const torc_test_request *test);
TORC_API int torc_test_request_interim_status(const torc_test_request *test);
/** Whether the response came whole. */
TORC_API bool torc_test_request_is_complete(const torc_test_request *test);
/** Whether it is answered, or will never be: the response is complete, or the exchange has ended
 * otherwise. */
TORC_API bool torc_test_request_is_over(const torc_test_request *test);
/** Whether the server reset the exchange, and why. */
TORC_API bool torc_test_request_was_reset(const torc_test_request *test);
TORC_API torc_err torc_test_request_reset_reason(const torc_test_request *test);
/** Whether the server asked for the body: a peer that expects 100 (Continue) would have got it. */
TORC_API bool torc_test_request_was_continued(const torc_test_request *test);
/** Bytes of the request's body that the server took. */
TORC_API uint64_t torc_test_request_consumed(const torc_test_request *test);
/** Whether the server said that it wants no more of the body. */
TORC_API bool torc_test_request_was_stopped(const torc_test_request *test);

TORC_END_DECLS

#endif
