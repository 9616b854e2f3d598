/* SPDX-License-Identifier: MIT */
#ifndef TORC_TIMING_H
#define TORC_TIMING_H

#include <torc/middleware.h>

/**
 * Server-Timing: how long it took, for the tools of browsers (W3C Server Timing). `total` is from
 * the request's head to the response's; parts are added by whoever knows them. Whoever sees these
 * numbers learns something of the service: torc_middleware_when() tells them to some only.
 */
typedef struct torc_timing_options {
    size_t size;              /* sizeof(torc_timing_options) */
    bool hides_total;         /* the parts alone */
    bool has_x_response_time; /* X-Response-Time, too: "12.345ms" */
} torc_timing_options;

enum {
    TORC_TIMING_PARTS_MAX = 32 /* of a request; more are not told */
};

TORC_BEGIN_DECLS

/** Make it; `options` NULL: Server-Timing with its total. NULL when out of memory. */
TORC_API torc_middleware *torc_timing_new(const torc_timing_options *options);
/**
 * Tell of a part: a name (a token, as "db"), how long it took in microseconds, and what it was in
 * ASCII, which may be NULL. Copied. Parts of one name stand beside each other. Left out without
 * memory, with a name that is no token, and once the head has gone.
 */
TORC_API void torc_request_timing_add(torc_request *request, const char *name, uint64_t us,
                                      const char *description);

TORC_END_DECLS

#endif
