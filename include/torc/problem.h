/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROBLEM_H
#define TORC_PROBLEM_H

#include <torc/reply.h>

/**
 * Problems: errors told to programs, as application/problem+json (RFC 9457).
 *
 *     const torc_problem problem = {.status = 409, .detail = "It was changed meanwhile."};
 *     return torc_reply_problem(request, &problem);
 *
 * All texts are lent for the call and are written as they are: whoever puts into them what the peer
 * has sent needs no care, and what is not UTF-8 is replaced. A problem is always JSON; an error
 * page of the site (torc_reply_status() and its like) is that, too, for who asks for JSON.
 */

/** One of several things that are wrong with a request: of a member of its body, or of a parameter.
 */
typedef struct torc_problem_error {
    torc_str pointer; /* where in the body, as a JSON pointer (RFC 6901): "/items/0/price"; sent as
                         a fragment, "#/items/0/price". `.bytes` NULL: none */
    torc_str parameter; /* or of which argument, parameter or field; empty: none */
    torc_str detail;    /* what is wrong there */
} torc_problem_error;

/** Members of the caller's own, written into the open object. */
typedef void torc_problem_extend_fn(torc_json *json, void *context);

/** Zero is a problem, too: a 500. */
typedef struct torc_problem {
    int status;         /* 400 to 599; else 500 */
    const char *type;   /* a URI reference that names the kind of problem; NULL: about:blank, which
                           is left out */
    const char *title;  /* of the kind; NULL: the standard phrase of the status */
    const char *detail; /* of this one; NULL: none */
    const char *instance;             /* a URI reference that names this one; NULL: none */
    const torc_problem_error *errors; /* written as the member "errors" */
    size_t error_count;
    torc_problem_extend_fn *extend; /* NULL: no members of one's own */
    void *context;                  /* of `extend` */
} torc_problem;

TORC_BEGIN_DECLS

/** Reply with a problem. After the first byte, and after a loss, it aborts quietly, as
 * torc_reply_status() does. */
TORC_API torc_render torc_reply_problem(torc_request *request, const torc_problem *problem);
/**
 * The same with members of one's own in straight-line code: the object is left open. Write to it,
 * then torc_json_close_object() and torc_reply_end().
 */
TORC_API torc_json *torc_reply_problem_json(torc_request *request, const torc_problem *problem);
/** Write a problem as an object of any document. */
TORC_API void torc_problem_write(const torc_problem *problem, torc_json *json);

TORC_END_DECLS

#endif
