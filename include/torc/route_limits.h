/* SPDX-License-Identifier: MIT */
#ifndef TORC_ROUTE_LIMITS_H
#define TORC_ROUTE_LIMITS_H

#include <torc/limits.h>
#include <torc/middleware.h>

/**
 * Limits of a part of the tree: how large and how slow its requests' bodies may be, how long its
 * answers may take, and how many of them are in progress at a time.
 *
 *     torc_resource_use(uploads, torc_route_limits_new(&(torc_route_limits_options){
 *         .size = sizeof(torc_route_limits_options), .body_bytes_max = 100 << 20}));
 *
 * Of each number 0 leaves what holds outside. Those of bodies replace it, in both directions; an
 * answer's time can only become shorter.
 */
typedef struct torc_route_limits_options {
    size_t size;              /* sizeof(torc_route_limits_options) */
    uint64_t body_bytes_max;  /* beyond: 413, at once where the length is announced */
    uint32_t body_memory_max; /* see torc_limits, as the three that follow */
    uint32_t body_stall_ms;   /* beyond: 408 */
    uint32_t body_rate_min;   /* below: 408 */
    uint32_t body_ms;         /* from its first read to its last byte; beyond: 408 */
    /**
     * From the head of the request on. Beyond it a fiber's waits return TORC_ERR_TIMEOUT, and a
     * request that was left NOT_DONE_YET is answered with 504, if nothing of the response has gone:
     * who was to answer it finds it gone (a ticket leads nowhere, a watch was told).
     */
    uint32_t answer_ms;
    uint32_t requests_max; /* in progress in this process; beyond: they wait, or 503 */
    uint32_t queue_max; /* of those beyond, so many wait for their turn, in their order; 0: none */
    uint32_t queue_ms;  /* for so long, then 503; 0: 10 s */
    uint32_t retry_after_s; /* Retry-After of such a 503; 0: 1 */
} torc_route_limits_options;

TORC_BEGIN_DECLS

/** Make it; the options are copied. NULL when out of memory. */
TORC_API torc_middleware *torc_route_limits_new(const torc_route_limits_options *options);

TORC_END_DECLS

#endif
