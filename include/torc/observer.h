/* SPDX-License-Identifier: MIT */
#ifndef TORC_OBSERVER_H
#define TORC_OBSERVER_H

#include <torc/request.h>

/**
 * Observers: told of every request of a site when it is over. Access logs and metrics are such.
 *
 * A request is over for an observer when its response has left, but for what the kernel takes at
 * once, or when it is certain that the rest never will: so the numbers are what the peer was sent,
 * and not what was written.
 */
typedef struct torc_observer torc_observer;

/** How a request went. */
typedef struct torc_outcome {
    torc_err reason; /* TORC_OK: the response left whole; else why not */
    /**
     * Of the response. When none was begun: 499 if the peer went away before, 444 if the connection
     * was ended by this side; these two are nginx's.
     */
    int status;
    uint64_t body_bytes; /* of its content that left */
    uint64_t sent_bytes; /* and of all: head, content and what frames it; 0 where it is not known */
} torc_outcome;

/** A request that was refused before there was one: malformed, too slow, too large. */
typedef struct torc_refusal {
    torc_addr peer;
    int status;    /* that it was answered with: 400, 408, 414, 431, 503 … */
    torc_str line; /* the first line, as far as it came */
} torc_refusal;

typedef struct torc_observer_ops {
    /**
     * The request can still be asked everything, and its response by torc_response_field(); nothing
     * can be changed. Called by the reactor, in its round.
     */
    void (*request_over)(torc_observer *observer, torc_request *request,
                         const torc_outcome *outcome);
    /** May be NULL. Lent for the call. */
    void (*request_refused)(torc_observer *observer, const torc_refusal *refusal);
} torc_observer_ops;

/** Embedded in who observes; outlives the site. */
struct torc_observer {
    const torc_observer_ops *ops;
    torc_observer *next; /* private */
};

#endif
