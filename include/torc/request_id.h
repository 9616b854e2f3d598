/* SPDX-License-Identifier: MIT */
#ifndef TORC_REQUEST_ID_H
#define TORC_REQUEST_ID_H

#include <torc/middleware.h>

/**
 * Request ids: a name for each request, by which what is written of it in the logs of several
 * programs is found. It is in the response, in access logs as `%L`, and in what is logged of a
 * request that failed.
 */
typedef enum torc_request_id_kind {
    TORC_REQUEST_ID_RANDOM, /* 128 random bits, 32 hexadecimal digits */
    TORC_REQUEST_ID_UUID7   /* RFC 9562: the time in front, so that later ones sort behind */
} torc_request_id_kind;

/** Whose ids are taken on. */
typedef enum torc_request_id_trust {
    TORC_REQUEST_ID_TRUST_PROXIES, /* of peers that torc_site_trust_proxies() trusts */
    TORC_REQUEST_ID_TRUST_ALL,
    TORC_REQUEST_ID_TRUST_NOBODY
} torc_request_id_trust;

typedef struct torc_request_id_options {
    size_t size;      /* sizeof(torc_request_id_options) */
    const char *name; /* of the field: "X-Request-ID" */
    torc_request_id_kind kind;
    torc_request_id_trust trust;
    bool is_hidden; /* the response does not tell it */
} torc_request_id_options;

enum {
    TORC_REQUEST_ID_LEN_MAX = 128 /* of one that is taken on: letters, digits, and -._~+/=:@ */
};

TORC_BEGIN_DECLS

/** Make it; the options are copied, NULL: the defaults. NULL when out of memory; what is wrong with
 * options is reported where it is used, as by torc_resource_use(). */
TORC_API torc_middleware *torc_request_id_new(const torc_request_id_options *options);
/** The id that the request was given; empty when it came through no such middleware. */
TORC_API torc_str torc_request_id(const torc_request *request);

TORC_END_DECLS

#endif
