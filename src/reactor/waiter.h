/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_WAITER_H
#define TORC_REACTOR_WAITER_H

#include "reactor/fiber.h"

/*
 * Who waits for a lock, a queue, an event: fibers and deferreds in one line, first come, first
 * served. One that is cancelled leaves the line. One that has lost a race stays until it is told,
 * but is passed over.
 */
typedef struct torc_waiters {
    torc_list list;
    torc_reactor *reactor;
    size_t count;
} torc_waiters;

/* A place in the line: on the stack of the fiber, or allocated for the deferred. */
typedef struct torc_waiter {
    torc_list_node node;
    torc_waiters *line;
    torc_deferred *deferred; /* NULL: a fiber's */
    torc_wait wait;
    void *value; /* what it brought, or what it was given */
    torc_dispose_fn *dispose;
} torc_waiter;

void torc_waiters_init(torc_waiters *line, torc_reactor *reactor);
/* The first that still wants to be served; NULL: nobody. */
torc_waiter *torc_waiters_first(const torc_waiters *line);
/*
 * A deferred at the end of the line, which brings a value. When it is cancelled, or there is no
 * memory, the value is disposed of.
 */
torc_deferred *torc_waiters_defer(torc_waiters *line, void *value, torc_dispose_fn *dispose);
/* On a fiber: put a waiter at the end; then torc_waiter_wait(), which waits unless it was served
 * in between. A value that it brought is then its caller's again, if it returns an error. */
void torc_waiters_push(torc_waiters *line, torc_waiter *waiter);
torc_err torc_waiter_wait(torc_waiter *waiter) TORC_MUST_CHECK;
/* Serve one: what it brought is the caller's, and what it is given is its own. It is gone. */
void torc_waiter_serve(torc_waiter *waiter, torc_err err, void *value, torc_dispose_fn *dispose);
/* Tell all that nothing more comes; what they brought is disposed of. */
void torc_waiters_fail(torc_waiters *line, torc_err err);

#endif
