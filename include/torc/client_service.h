/* SPDX-License-Identifier: MIT */
#ifndef TORC_CLIENT_SERVICE_H
#define TORC_CLIENT_SERVICE_H

#include <torc/backoff.h>
#include <torc/connect.h>

/**
 * A client service keeps a connection up: it connects, and when that fails or the connection is
 * lost it waits a while and connects again.
 *
 *     torc_client_service_new(reactor, "tcp:example.org:5000", &factory, NULL, &error, &service);
 *     torc_client_service_start(service);
 *     …
 *     err = torc_client_service_await(service, 3, &protocol);    (on a fiber, up to three tries)
 *
 * Each connection has a protocol of its own, of the factory. The waits grow by a torc_backoff,
 * which begins anew when a connection is ready. One that fails once too often gives up: who waits
 * is told why, and torc_client_service_start() begins anew.
 */
typedef struct torc_client_service torc_client_service;

/** How a connection is kept up. `size` first; zero means the default. */
typedef struct torc_client_service_options {
    size_t size;                            /* sizeof(torc_client_service_options) */
    const torc_backoff *backoff;            /* copied; NULL: the defaults, without an end */
    const torc_filters *filters;            /* on top of those of the string; held */
    const torc_endpoint_prefixes *prefixes; /* for the string */
    uint64_t timeout_ms;                    /* of one try; 0: as the string says */
    uint32_t stop_ms; /* 5,000: a connection that is being closed for longer is aborted */
    /*
     * What is to be done on a new connection before others are told of it (a login): answers a
     * deferred, whose value is disposed of. If that fails the connection is aborted, and it counts
     * as a failure. It may stop the service, but not free it. May be NULL.
     */
    torc_deferred *(*prepare)(void *context, torc_protocol *protocol);
    /* Told of each connection that is ready, and of the end of one that was. May be NULL. */
    void (*connected)(void *context, torc_protocol *protocol);
    void (*lost)(void *context, torc_err reason);
    void *context;
} torc_client_service_options;

TORC_BEGIN_DECLS

/**
 * Make a service, which is stopped; the factory must outlive it. `options` may be NULL.
 * TORC_ERR_SYNTAX: `error` (may be NULL) says what is wrong with the string; others are of the
 * files that it names for TLS, which are read now.
 */
TORC_API torc_err torc_client_service_new(torc_reactor *reactor, const char *endpoint,
                                          torc_factory *factory,
                                          const torc_client_service_options *options,
                                          torc_endpoint_error *error,
                                          torc_client_service **service) TORC_MUST_CHECK;
/** Connect from now on. Repeating it is fine, and so is a service that is being stopped. */
TORC_API void torc_client_service_start(torc_client_service *service);
/**
 * Close the connection, once what was written has left, and connect no more: fires (with NULL) when
 * it is closed. Who waits for a connection is told TORC_ERR_CANCELLED. Repeating it is fine.
 */
TORC_API torc_deferred *torc_client_service_stop(torc_client_service *service);
/**
 * A connection: fires with a torc_connection, which does not end the connection when it is dropped,
 * at once if there is one. After `failures_max` tries that failed it fails with the error of the
 * last; 0: it waits as long as it takes. TORC_ERR_STATE: the service is stopped.
 */
TORC_API torc_deferred *torc_client_service_when_connected(torc_client_service *service,
                                                           uint32_t failures_max);
/** On a fiber: the same, waiting for it. */
TORC_API torc_err torc_client_service_await(torc_client_service *service, uint32_t failures_max,
                                            torc_protocol **protocol) TORC_MUST_CHECK;
/** The protocol of the connection that is ready, or NULL. */
TORC_API torc_protocol *torc_client_service_protocol(const torc_client_service *service);
/** Tries that failed since the last connection. */
TORC_API uint32_t torc_client_service_failures(const torc_client_service *service);
/** The peer may be there again: begin the waits anew, and if it waits, connect now. */
TORC_API void torc_client_service_retry_now(torc_client_service *service);
/** Let go of everything at once; the connection is aborted. Before its reactor. NULL is fine. */
TORC_API void torc_client_service_free(torc_client_service *service);

TORC_END_DECLS

#endif
