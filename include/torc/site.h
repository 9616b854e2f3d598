/* SPDX-License-Identifier: MIT */
#ifndef TORC_SITE_H
#define TORC_SITE_H

#include <torc/cidr.h>
#include <torc/limits.h>
#include <torc/observer.h>
#include <torc/rate.h>
#include <torc/resource.h>

/**
 * Sites: a tree of resources, served on any number of listeners (see <torc/listen.h>).
 *
 * A site belongs to one reactor's thread. It is closed to new requests and freed when the last
 * request in it has ended. HEAD is answered by what answers GET, OPTIONS by an Allow field,
 * `OPTIONS *` by the site itself, and a method that a resource does not answer by 405, or 501 if it
 * is unknown everywhere.
 */
typedef struct torc_site_options {
    size_t size;                      /* sizeof(torc_site_options) */
    const char *server;               /* "Torc/<version>"; "" for no Server field */
    const char *default_content_type; /* "text/html"; "" for none */
    bool show_errors;                 /* error pages tell details; for development */
    bool allow_trace;                 /* TRACE is answered with the request; off: 405 */
    const torc_limits *limits;        /* copied; NULL: those of the listener */
    torc_log *log;                    /* NULL: the reactor's */
    /* Added to each response, error pages too, behind its own; copied. At most 64; no field that
     * frames or describes a message, as Content-Length, Content-Type, Date, ETag or Location do. */
    const torc_field *fields;
    size_t field_count;
} torc_site_options;

typedef struct torc_acceptor torc_acceptor;

TORC_BEGIN_DECLS

/** Make a site over a tree, which it takes. NULL when out of memory, or when the tree was marked as
 * broken. */
TORC_API torc_site *torc_site_new(torc_resource *root, const torc_site_options *options);
/**
 * Let go of the site: freed, tree and all, once the last request has ended and no connection of its
 * listeners is left. A request that comes meanwhile is refused with a 503. NULL is fine.
 */
TORC_API void torc_site_free(torc_site *site);
TORC_API torc_resource *torc_site_root(torc_site *site);
/**
 * The resource that would answer the request by the tree of this site, from its root; NULL when
 * nobody would (404, 405, or no memory). As when a request comes, find_child is called on the way,
 * and torc_request_depth() and the parameters become those of the place that is found.
 */
TORC_API torc_resource *torc_site_resolve(torc_site *site, torc_request *request);
/** What torc_request_context() gives. */
TORC_API void torc_site_set_context(torc_site *site, void *context);
/** Which field proxies tell by whom they ask for. */
typedef enum torc_proxy_field {
    TORC_PROXY_FIELD_X_FORWARDED_FOR, /* what most write */
    TORC_PROXY_FIELD_FORWARDED        /* RFC 7239 */
} torc_proxy_field;
/** What a trusted proxy may tell besides whom it asks for. */
typedef enum torc_proxy_claim {
    TORC_PROXY_SCHEME = 1, /* by X-Forwarded-Proto, or `proto` of Forwarded */
    TORC_PROXY_HOST = 2,   /* by X-Forwarded-Host, or `host` of Forwarded */
    TORC_PROXY_PORT = 4,   /* by X-Forwarded-Port, in place of the host's own */
    TORC_PROXY_PREFIX = 8  /* by X-Forwarded-Prefix: what it took from the front of the path */
} torc_proxy_claim;
/**
 * Believe peers within these ranges whom they ask for, see torc_request_client(); nobody is
 * believed before. Replaces what was set, and copies. The other field is never read: a proxy that
 * writes one hands on the other as anybody wrote it.
 *
 * With X-Forwarded-For the scheme is believed, too; with Forwarded scheme and host, which stand in
 * the same element; torc_site_set_proxy_claims() changes that. They become what
 * torc_request_scheme(), torc_request_is_secure(), torc_request_authority() and the URLs made of
 * them say. What cannot be read is as if it were not there. Behind a PROXY header the peer is whom
 * that tells.
 */
TORC_API torc_err torc_site_trust_proxies(torc_site *site, const torc_cidr *proxies, size_t count,
                                          torc_proxy_field field) TORC_MUST_CHECK;
/** Where limits that were not told otherwise count (<torc/rate_limit.h>); lent. NULL, as at first:
 * in memory of this site's own. */
TORC_API void torc_site_set_rate_store(torc_site *site, torc_rate_store *store);
/** Believe trusted proxies these torc_proxy_claim bits, and no others. Name only those fields that
 * every one of them sets or removes: else anybody may write them. */
TORC_API void torc_site_set_proxy_claims(torc_site *site, unsigned claims);
/** Tell an observer of each request from now on; those that were added first are told first. */
TORC_API void torc_site_add_observer(torc_site *site, torc_observer *observer);
/** What a listener hands its requests to. */
TORC_API torc_acceptor *torc_site_acceptor(torc_site *site);

TORC_END_DECLS

#endif
