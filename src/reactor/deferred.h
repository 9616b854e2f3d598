/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_DEFERRED_H
#define TORC_REACTOR_DEFERRED_H

#include <torc/deferred.h>

#include "base/list.h"

/* What is behind the name; a reactor has one of its own, for when there is no memory. */
struct torc_deferred {
    torc_reactor *reactor;
    torc_list_node node;     /* among the reactor's that have not fired, or that nobody consumes */
    torc_callback *callback; /* the consumer, once it is known */
    void *value;             /* once it is fired */
    torc_dispose_fn *dispose;
    torc_canceller_fn *cancel;
    void *context;
    const char *made_at;   /* a place of the program; NULL: the library's */
    const char *failed_at; /* once it has failed */
    torc_failure *failure; /* what else is known of it */
    int16_t err;
    bool is_fired;
    bool is_decided;   /* it has a value, or will have: too late to cancel */
    bool is_cancelled; /* the producer was asked to stop */
    bool is_unwanted;  /* it will be asked in this turn */
    bool is_detached;  /* nobody is told */
    bool has_producer; /* it may still fire */
    bool has_consumer; /* it was not delivered or dropped */
    bool is_permanent; /* the reactor's: failed for want of memory */
    bool is_link;      /* it fires as others do, which are the ones to name */
};

/* The reactor's, failed with TORC_ERR_NO_MEMORY. */
torc_deferred *torc_deferred_permanent(torc_reactor *reactor);
/*
 * A consumer that may pass the value on, since it learns how that is disposed of; and the failure,
 * which it owns. If it is a link, what it consumes is wanted only as long as its `result` is.
 */
typedef struct torc_owner torc_owner;
struct torc_owner {
    torc_callback callback;
    torc_dispose_fn *dispose; /* when it has been told, as the next two */
    torc_failure *failure;
    const char *failed_at;
    torc_deferred *result; /* of a link, or NULL */
    /* Of a link, or NULL: a value will be told, and cannot be stopped any more. Called by whoever
     * fires it, so it may call nobody; or by torc_deferred_own(). */
    void (*decided)(torc_owner *owner);
};
/* As torc_deferred_then(), of its callback. */
void torc_deferred_own(torc_deferred *deferred, torc_owner *owner, torc_callback_fn *fired);
/* The link that fires it has a value to come: it cannot be cancelled any more. */
void torc_deferred_decide(torc_deferred *deferred);
/* Fail it with all that an owner was told, and place `at` if that knew none. */
void torc_deferred_pass_failure(torc_deferred *deferred, torc_err err, torc_owner *owner);
/* What an owner was told, as a failure, made if there is none: the caller's; NULL: no memory. */
torc_failure *torc_owner_take_failure(torc_owner *owner, torc_memory *memory, torc_err err);
/* Dispose of a value in the given way, which may be NULL. */
void torc_deferred_dispose_of(void *value, torc_dispose_fn *dispose);
/* Name those that have not fired, of a reactor that is about to be freed, if it reports. */
void torc_deferreds_report(torc_reactor *reactor);
/* Cancel all that have not fired. */
void torc_deferreds_cancel_all(torc_reactor *reactor);
/* Free those that have fired and nobody consumes, of a reactor in which nothing runs any more. */
void torc_deferreds_free(torc_reactor *reactor);

/*
 * The error that is being told: for torc_deferred_take_failure(). torc_told_end() frees what nobody
 * has taken.
 */
typedef struct torc_told {
    torc_failure *failure;
    const char *failed_at;
    torc_err err;
} torc_told;
void torc_told_begin(torc_reactor *reactor, torc_err err, torc_failure *failure,
                     const char *failed_at);
void torc_told_end(torc_reactor *reactor);

#endif
