/* SPDX-License-Identifier: MIT */
#ifndef TORC_CSRF_H
#define TORC_CSRF_H

#include <torc/middleware.h>

/**
 * Forms that other sites cannot send in a user's name (CSRF).
 *
 *     torc_resource_use(account, torc_csrf_new(NULL));
 *     …
 *     token = torc_csrf_token(request); // into <input type="hidden" name="csrf_token" value="…">
 *
 * A browser gets a secret in a signed cookie that scripts do not see, and a page gets a token made
 * of it, another one each time, so that compression does not give it away. A request by another
 * method than GET, HEAD, OPTIONS or TRACE must bring both, or is answered by 403: the token in the
 * field X-CSRF-Token, or else in the field `csrf_token` of its form, which is then read as
 * torc_request_form() does it. A route that reads a form part by part has it sent in the head.
 *
 * Over https the cookie's name begins with "__Host-", so that no other host of the domain can set
 * it. The secret belongs to a browser, not to a user: who logs users in changes nothing here. One
 * is enough on the way to a resource: two with different keys refuse each other's.
 */
typedef struct torc_csrf_options {
    size_t size;  /* sizeof(torc_csrf_options) */
    torc_str key; /* of the signatures, copied: at least 16 secret bytes, the same on all machines
                     that serve the site. Empty: random ones, which the workers of the program
                     share, and which are others after a restart */
} torc_csrf_options;

TORC_BEGIN_DECLS

/** Make the middleware; `options` may be NULL. NULL when out of memory. */
TORC_API torc_middleware *torc_csrf_new(const torc_csrf_options *options);
/** A token for the page that is being made, and the cookie with its response. Lives as long as the
 * request. `.bytes` is NULL without memory, and where no such middleware was passed. */
TORC_API torc_str torc_csrf_token(torc_request *request);

TORC_END_DECLS

#endif
