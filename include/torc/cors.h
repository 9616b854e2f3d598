/* SPDX-License-Identifier: MIT */
#ifndef TORC_CORS_H
#define TORC_CORS_H

#include <torc/middleware.h>

/**
 * CORS, as the Fetch standard has it: who else's pages may use what is inside.
 *
 * Preflight requests (OPTIONS with Access-Control-Request-Method) are answered with 204 before any
 * route is asked, also where the route has no OPTIONS. All other requests go on, whatever their
 * origin: it is the browser that keeps an answer from a page, by the fields that are set here. So
 * this is no protection of what changes something.
 *
 * `Vary: Origin` is set wherever the answer depends on the origin.
 */
typedef struct torc_cors_options {
    size_t size; /* sizeof(torc_cors_options) */
    /**
     * Who is allowed, ended by NULL: origins as browsers send them, in small letters and without a
     * path ("https://app.example", "http://localhost:3000", "null"). A host that begins with "*."
     * stands for all names beneath the rest of it, a port of "*" for any, and "*" alone for
     * everybody.
     */
    const char *const *origins;
    /** Asked about the origins that are not among those; in the request's thread. NULL: nobody. */
    bool (*allows_origin)(void *context, torc_request *request, torc_str origin);
    void *context;
    /** Methods, ended by NULL. NULL: GET, HEAD, POST, PUT, PATCH, DELETE. */
    const char *const *methods;
    /** Fields that pages may send, ended by NULL; { "*" } or NULL: any. */
    const char *const *request_fields;
    /** Fields of responses that pages may read, besides the few that they always may; { "*" }: any.
     */
    const char *const *exposed_fields;
    bool credentials;     /* cookies and client certificates may be sent along */
    bool private_network; /* pages of public sites may use this one in a private network */
    uint32_t max_age_s;   /* browsers keep the answer to a preflight for so long; 0: 5 s */
} torc_cors_options;

TORC_BEGIN_DECLS

/** What is wrong with the options, as a sentence part in `text`; NULL: nothing. */
TORC_API const char *torc_cors_check(const torc_cors_options *options, char text[200]);
/** Make it; the options are copied. NULL when out of memory; what is wrong with options is reported
 * where it is used, as by torc_resource_use(). */
TORC_API torc_middleware *torc_cors_new(const torc_cors_options *options);

TORC_END_DECLS

#endif
