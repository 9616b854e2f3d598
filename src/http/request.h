/* SPDX-License-Identifier: MIT */
#ifndef TORC_HTTP_REQUEST_H
#define TORC_HTTP_REQUEST_H

#include <torc/cidr.h>
#include <torc/coding.h>
#include <torc/log.h>
#include <torc/observer.h>
#include <torc/reply.h>
#include <torc/ticket.h>

#include "base/list.h"
#include "protocol/exchange.h"
#include "reactor/reactor.h"

/*
 * A request and its response, over an exchange of any wire, answered by a handler.
 *
 * The handler (a site, or a test) is the acceptor: for each exchange a request is made in the
 * exchange's arena, and the handler is told when its head has come. What this layer knows: body,
 * response, loss, tickets, the fiber that renders. What it does not: trees, routes, pages.
 */
typedef struct torc_handler torc_handler;
typedef struct torc_handler_ops {
    /* The head came, the path is split: find out who answers, and call torc_request_run(). */
    void (*request_received)(torc_handler *handler, torc_request *request);
    /* A render answered DECLINED: reply 405 or 501. */
    void (*request_declined)(torc_handler *handler, torc_request *request);
    /* Answer an error: nothing was sent yet, and the status is set. It may finish the response.
     * `is_plain`: doing this has gone wrong already, so ask nobody else. */
    void (*write_error_page)(torc_handler *handler, torc_request *request,
                             const torc_error_reply *error, bool is_plain);
    /* The request is over, for logs and for what it held. TORC_OK: finished. */
    void (*request_ended)(torc_handler *handler, torc_request *request, torc_err reason);
    /* No server will hand it requests any more. May be NULL. */
    void (*unused)(torc_handler *handler);
} torc_handler_ops;

struct torc_handler {
    const torc_handler_ops *ops;
    torc_acceptor acceptor;
    torc_log *log;                 /* may be NULL: the reactor's */
    const torc_limits *limits;     /* NULL: those of the exchange */
    torc_str server;               /* of the Server field; empty: none */
    torc_str default_content_type; /* empty: none */
    const torc_fields *fields;     /* of every response, besides its own; NULL: none */
    void *context;
    const torc_cidr *trusted; /* proxies that are believed whom they ask for; lent */
    size_t trusted_count;
    bool trusts_forwarded; /* by Forwarded; else by X-Forwarded-For */
    bool believes_scheme, believes_host, believes_port, believes_prefix; /* of trusted proxies */
    torc_observer *observers; /* NULL: nobody is told how requests went */
    bool show_errors;
    bool is_closed; /* to new requests: they are refused with 503 */
};

void torc_handler_init(torc_handler *handler, const torc_handler_ops *ops);

/* What a request runs: a route's function or a resource's render, found by the handler. */
typedef torc_render torc_request_step_fn(torc_request *request, void *context);
/*
 * Run `step` and act on its answer: on a fiber, started at once on top of the reactor's stack (503
 * beyond the limit of fibers), or right here.
 */
void torc_request_run(torc_request *request, torc_request_step_fn *step, void *context,
                      bool on_fiber);

/* The answer may take so long at most, from the request's head on, if not less already; see
 * torc_limits.answer_ms. From within a step, or between two. TORC_ERR_NO_MEMORY. */
torc_err torc_request_bound_answer(torc_request *request, uint32_t ms) TORC_MUST_CHECK;

/* The path's segments, split and decoded once, in the arena. */
typedef struct torc_path {
    torc_str *raw, *decoded;
    uint32_t count;
    uint32_t depth;      /* how many of them led to who renders */
    uint32_t root_depth; /* and to the root of its application */
} torc_path;
torc_path *torc_request_path_of(torc_request *request);

enum {
    TORC_REQUEST_SEGMENTS = 8 /* of a path that have their place in the request itself */
};
/* The path as it was, to go back to: with what rules have made of it since, and its query. */
typedef struct torc_path_mark {
    torc_path path;
    struct torc_request_rewritten *rewritten;
    torc_str segments[TORC_REQUEST_SEGMENTS];
} torc_path_mark;
void torc_request_mark_path(const torc_request *request, torc_path_mark *mark);
void torc_request_return_to_path(torc_request *request, const torc_path_mark *mark);
/* Go back to the path and the query that were asked, before rules changed them, at its beginning.
 * TORC_ERR_NO_MEMORY: it is as it was. */
torc_err torc_request_restart_path(torc_request *request) TORC_MUST_CHECK;
/*
 * Take the last segment away if it is empty, or add an empty one: the path with one slash less at
 * its end, or one more. False: that is none, or there is no memory.
 */
bool torc_request_toggle_slash(torc_request *request);
/* RFC 9110 §7.4: whether "https://…" is asked for over a connection that is not secured, and by
 * nobody who is trusted to ask for others. */
bool torc_request_is_misdirected(const torc_request *request);
/* How many content codings the body is in, and the name of the outermost. `identity` is none,
 * though some send it. */
unsigned torc_request_codings(const torc_request *request, torc_str *name);
/* Have the body decoded as it is read. Before anything of it was; the coding can be decoded, the
 * ratio is as in torc_decoder_limits. */
void torc_request_decode_body(torc_request *request, torc_coding coding, uint32_t ratio_max);
/* Reply with a redirect to what was asked, at another origin. A 400 where the request names no
 * path, or there is no authority. */
torc_render torc_reply_redirect_elsewhere(torc_request *request, int status, torc_str scheme,
                                          torc_str authority);
/* As torc_response_set(), by the id of a known name that does not frame the message. */
void torc_response_put(torc_request *request, torc_field_id id, torc_str value);

/* Fields that are made for many responses: of known names, with valid values that are parts of one
 * text. */
enum {
    TORC_MADE_FIELDS_MAX = 6
};
typedef struct torc_made_fields {
    torc_str text;
    uint32_t count;
    struct {
        torc_field_id id;
        uint32_t at, len;
    } items[TORC_MADE_FIELDS_MAX];
} torc_made_fields;
/* Give a response that has no fields so far these, copied. False: it has some, or there is no room:
 * nothing was done. */
bool torc_response_put_made(torc_request *request, const torc_made_fields *made);

/* Give a response these fields, but for those of names that it has. They are valid, do not frame
 * the message, and live as long as the request. */
void torc_response_lend(torc_request *request, const torc_field *fields, size_t count);

/* Where an error was told: return addresses, the innermost first. */
enum {
    TORC_TRACE_MAX = 32
};
typedef struct torc_trace {
    uint32_t count;
    void *frames[TORC_TRACE_MAX];
} torc_trace;
/* The stack of the error that is being answered; NULL: it is not told, or says nothing. */
const torc_trace *torc_request_trace(const torc_request *request);
/* Make the response fail: it is answered by an error page, or reset if the head has gone. */
void torc_response_fail(torc_request *request, torc_err err);
/* Begin the answer to an error: what was set of a body is forgotten. False when something was sent
 * already: then it is aborted, so that the peer sees that the rest is missing. */
bool torc_response_begin_error(torc_request *request, int status);
/* What runs, or ran last, for a request. */
torc_request_step_fn *torc_request_step(const torc_request *request, void **context);

/* The parameters of the request's route, the newest first: start with `*place` NULL. */
bool torc_request_param_next(const torc_request *request, const void **place, torc_str *name,
                             torc_str *value);

/* Parameters of a route, decoded and as sent; the newest of a name counts. */
torc_err torc_request_add_param(torc_request *request, torc_str name, torc_str value,
                                torc_str raw) TORC_MUST_CHECK;

/*
 * Somebody who is told that a response is about to start: before its head goes, and what goes with
 * it. In the request's arena. Those that were added last are told first.
 */
typedef struct torc_response_hook torc_response_hook;
struct torc_response_hook {
    torc_response_hook *next;
    void (*starting)(torc_response_hook *hook, torc_request *request);
};
void torc_request_add_hook(torc_request *request, torc_response_hook *hook);

/* Something outside the arena that a request holds until it is retired. */
typedef struct torc_holding torc_holding;
struct torc_holding {
    torc_holding *next;
    void (*release)(torc_holding *holding);
};
/* Keep something until the request is retired. */
void torc_request_hold(torc_request *request, torc_holding *holding);

/*
 * Write a part of a chunk, or a range of a counted file, as torc_request_write() does; references
 * are taken as long as they are needed. Short parts of chunks are copied. Whoever calls must have
 * references of its own until these return.
 */
void torc_request_write_chunk(torc_request *request, torc_chunk *chunk, size_t offset, size_t len);
void torc_request_write_shared_file(torc_request *request, torc_shared_file *file, uint64_t offset,
                                    uint64_t len);

/* Who was given the request. */
torc_handler *torc_request_handler(const torc_request *request);
/* Where what happens to the request is told. */
torc_log *torc_request_log(const torc_request *request);
/* The key by which a request keeps the torc_str that is its id, if it was given one. */
extern const char torc_request_id_key;
/* What was asked for, without the query, which may hold secrets: for logs. */
torc_str torc_request_target_to_log(const torc_request *request);
/* Log, as an error, that something went wrong with a request: what, why (NULL: not said), with
 * which one. */
void torc_request_log_failure(torc_request *request, const char *text, const torc_log_field *why);
const torc_head *torc_request_head(const torc_request *request);

#endif
