/* SPDX-License-Identifier: MIT */
#ifndef TORC_RATE_LIMIT_H
#define TORC_RATE_LIMIT_H

#include <torc/middleware.h>
#include <torc/rate.h>

/**
 * Rate limits: how many requests one client may make to what is inside. One that comes too soon is
 * answered with 429 and Retry-After. All responses tell what is left, by the fields RateLimit and
 * RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers).
 *
 *     torc_resource_use(api, torc_rate_limit_new(&(torc_rate_limit_options){
 *         .size = sizeof(torc_rate_limit_options), .rate = "100/min,burst=20"}));
 *
 * In a program that torc_app_run() runs, all workers count together, and go on counting after a
 * reload. Limits of one name share what they count, wherever they are used.
 */
typedef struct torc_rate_limit_options {
    size_t size;      /* sizeof(torc_rate_limit_options) */
    const char *name; /* "default": of the policy; letters, digits, `-`, `_` and `.`, at most 32 */
    const char *rate; /* as torc_rate_parse() reads it: "100/min" */
    /**
     * Whose bucket a request takes from: that of this field's value, as "X-Api-Key", or what this
     * function answers (`.bytes` NULL: the request is not counted). Neither, or no such field: that
     * of the client's address, IPv6 by /64, as trusted proxies tell it; a client without an address
     * of IP is not counted.
     */
    const char *field;
    torc_str (*key)(void *context, torc_request *request);
    uint32_t cost; /* tokens that a request takes; 0: 1 */
    /** The same, by request; 0: it is let through, and told what is left. NULL: `cost`. */
    uint32_t (*cost_of)(void *context, torc_request *request);
    /** Whether a request is not counted at all. NULL: none. */
    bool (*skips)(void *context, torc_request *request);
    void *context;
    torc_rate_store *store; /* lent; NULL: that of the site (torc_site_set_rate_store()) */
    bool is_dry_run;        /* nothing is refused or told: what would be is logged */
    bool hides_fields;      /* no RateLimit fields; Retry-After stays */
    /* RateLimit tells whose bucket it was, too (its `pk`): by 12 bytes of a digest, so that one who
     * sends as several can keep them apart. Guesses at what was digested can be tried: leave it
     * off where a key may be guessed and who sees a response is not who may know it. */
    bool shows_partition;
} torc_rate_limit_options;

TORC_BEGIN_DECLS

/** What is wrong with the options, as a sentence part in `text`; NULL: nothing. */
TORC_API const char *torc_rate_limit_check(const torc_rate_limit_options *options, char text[200]);
/** Make it; the options are copied. NULL when out of memory; what is wrong with options is reported
 * where it is used, as by torc_resource_use(). */
TORC_API torc_middleware *torc_rate_limit_new(const torc_rate_limit_options *options);

TORC_END_DECLS

#endif
