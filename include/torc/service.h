/* SPDX-License-Identifier: MIT */
#ifndef TORC_SERVICE_H
#define TORC_SERVICE_H

#include <torc/looping_call.h>
#include <torc/schedule.h>

/**
 * Services: the parts of a program that start and stop, as a tree.
 *
 * A tree starts from its root on, a service before its children and these in their order, one after
 * the other; it stops in the reverse order. Either may take time: then it answers a deferred, which
 * is waited for. When one cannot start, those that have are stopped again.
 *
 * Before it starts, what needs rights (a low port, a key) is done by `privileged_start`, without a
 * reactor: torc_app_run() calls it once, before it gives up its rights and forks, and starts the
 * tree in each worker.
 */
typedef struct torc_service torc_service;

/** What a service does; any may be NULL. */
typedef struct torc_service_ops {
    torc_err (*privileged_start)(torc_service *service);
    /* NULL: it has started; or a deferred, whose value is not used. */
    torc_deferred *(*start)(torc_service *service, torc_reactor *reactor);
    /* Only of one that has started. Cancelled, the deferred is to come to its end soon. */
    torc_deferred *(*stop)(torc_service *service);
    void (*dispose)(torc_service *service); /* frees it; it has stopped */
} torc_service_ops;

/** A service, embedded in what it is. */
struct torc_service {
    const torc_service_ops *ops;
    const char *name; /* in logs and for torc_service_find(); must outlive it. May be NULL */
    torc_service *parent;
    torc_reactor *reactor;   /* from its start to its stop */
    torc_list_node node;     /* private, as all that follows: among its parent's children */
    torc_list_node children; /* a list's head */
    struct torc_service_walk *walk;
    bool is_started;
};

TORC_BEGIN_DECLS

TORC_API void torc_service_init(torc_service *service, const torc_service_ops *ops,
                                const char *name);
/** Make a service that is nothing but its children. NULL: there is no memory. */
TORC_API torc_service *torc_service_group_new(const char *name);
/** Put a service, which this takes, behind the other children of a parent. It starts with the
 * parent; if that has started already, start it yourself. */
TORC_API void torc_service_add(torc_service *parent, torc_service *child);
/** Take it out of its parent: it is the caller's. One that is in no tree is left alone. */
TORC_API void torc_service_remove(torc_service *service);
/** The child of this name, or NULL. */
TORC_API torc_service *torc_service_find(const torc_service *parent, const char *name);
TORC_API bool torc_service_is_started(const torc_service *service);

/** Call `privileged_start` of all, in order, up to the first that fails: its error, and in
 * `*failed`, which may be NULL, which it was. */
TORC_API torc_err torc_service_privileged_start(torc_service *service,
                                                torc_service **failed) TORC_MUST_CHECK;
/**
 * Start it and what is below it. Fires when all have started; or fails, with the error of the one
 * that could not (which is logged) or TORC_ERR_CANCELLED, when those that had are stopped again.
 * TORC_ERR_BUSY while the tree starts or stops.
 */
TORC_API torc_deferred *torc_service_start(torc_service *service, torc_reactor *reactor);
/**
 * Stop all that have started, which also ends a start that is not over. Fires when they have, at
 * once when there are none; what went wrong is logged. Cancelled, by a timeout for example, each is
 * told to stop and not waited for.
 */
TORC_API torc_deferred *torc_service_stop(torc_service *service, torc_reactor *reactor);
/** Dispose of it and of what is below it; none is started. NULL is fine. */
TORC_API void torc_service_free(torc_service *service);

/** A looping call as a service: its ticks begin with the start; the stop waits for the tick in
 * progress. See torc_looping_call. NULL: there is no memory. */
TORC_API torc_service *torc_looping_service_new(const char *name, uint64_t interval_ms,
                                                torc_looping_fn *tick, void *context);
TORC_API torc_service *torc_looping_service_new_on_fiber(const char *name, uint64_t interval_ms,
                                                         torc_looping_fiber_fn *tick,
                                                         void *context);
/** A cron job on fibers as a service; the stop cancels the run in progress. `options` is copied,
 * the strings must outlive the service. An expression or zone that cannot be used is told by
 * `privileged_start`, and logged. NULL: there is no memory. */
TORC_API torc_service *torc_cron_service_new(const char *name, const char *expression,
                                             const torc_cron_options *options,
                                             torc_cron_fiber_fn *run, void *context);

TORC_END_DECLS

#endif
