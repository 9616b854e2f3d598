/* SPDX-License-Identifier: MIT */
#ifndef TORC_REQUEST_JSON_H
#define TORC_REQUEST_JSON_H

#include <torc/body.h>
#include <torc/json_struct.h>

/**
 * JSON in requests: the body as a tree of values, or as a struct.
 *
 *     user user;
 *     if (torc_request_json_struct(request, &user_json, &user)) return TORC_RENDER_DONE;
 *
 * What is wrong with the body has been answered when these functions return an error, as a problem
 * (RFC 9457, <torc/problem.h>):
 *
 *  - 415 for another Content-Type than application/json or one that ends in +json, in UTF-8;
 *  - 413 for a body beyond the limit `body_bytes_max`, or with too many levels or values;
 *  - 400 for what is no JSON, with line and column and what was expected there;
 *  - 422 for what does not fit the struct, each mistake with its JSON pointer.
 *
 * Values live as long as the request.
 */

/** Told the value of a body; or an error, which has been answered. */
typedef void torc_request_json_fn(torc_request *request, torc_err err, const torc_json_value *value,
                                  void *context);

TORC_BEGIN_DECLS

/** On a fiber: read the body as JSON. An error has been answered. */
TORC_API torc_err torc_request_json(torc_request *request,
                                    const torc_json_value **value) TORC_MUST_CHECK;
/** The same by other limits of JSON and other rules (TORC_JSON_I_JSON), which may be NULL. */
TORC_API torc_err torc_request_json_by(torc_request *request, const torc_json_limits *limits,
                                       const torc_json_value **value) TORC_MUST_CHECK;
/** On a fiber: read the body into a struct. An error has been answered. */
TORC_API torc_err torc_request_json_struct(torc_request *request, const torc_json_struct *mapping,
                                           void *into) TORC_MUST_CHECK;
/**
 * Off fibers: `told` is called once, later, with the value or with an error, which has been
 * answered. What this returns has not been answered, and `told` is then never called: the errors of
 * torc_body_request_all().
 */
TORC_API torc_err torc_request_json_later(torc_request *request, torc_request_json_fn *told,
                                          void *context) TORC_MUST_CHECK;
/** A value into a struct: of torc_request_json_later(). An error has been answered. */
TORC_API torc_err torc_request_json_map(torc_request *request, const torc_json_value *value,
                                        const torc_json_struct *mapping,
                                        void *into) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
