/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_DEFERRED_H
#define TORC_REACTOR_DEFERRED_H

#include <torc/deferred.h>

/* What is behind the name; a reactor has one of its own, for when there is no memory. */
struct torc_deferred {
    torc_reactor *reactor;
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

#endif
