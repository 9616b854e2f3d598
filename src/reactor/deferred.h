/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_DEFERRED_H
#define TORC_REACTOR_DEFERRED_H

#include <torc/deferred.h>

/* What is behind the name; a reactor has one of its own, for when there is no memory. */
struct torc_deferred {
    torc_reactor *reactor;
    torc_list_node node;     /* among the reactor's that have not fired */
    torc_callback *callback; /* the consumer, once it is known */
    void *value;             /* once it is fired */
    torc_dispose_fn *dispose;
    torc_canceller_fn *cancel;
    void *context;
    int16_t err;
    bool is_fired;
    bool is_cancelled; /* the producer was asked to stop */
    bool has_producer; /* it may still fire */
    bool has_consumer; /* it was not delivered or dropped */
    bool is_permanent; /* the reactor's: failed for want of memory */
};

/* The reactor's, failed with TORC_ERR_NO_MEMORY. */
torc_deferred *torc_deferred_permanent(torc_reactor *reactor);
/* A consumer that may pass the value on, since it learns how that is disposed of. */
typedef struct torc_owner {
    torc_callback callback;
    torc_dispose_fn *dispose; /* when it has been told */
} torc_owner;
/* As torc_deferred_then(), of its callback. */
void torc_deferred_own(torc_deferred *deferred, torc_owner *owner, torc_callback_fn *fired);
/* Dispose of a value in the given way, which may be NULL. */
void torc_deferred_dispose_of(void *value, torc_dispose_fn *dispose);
/* Cancel all that have not fired, of a reactor that is about to be freed. */
void torc_deferreds_cancel_all(torc_reactor *reactor);

#endif
