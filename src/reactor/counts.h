/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_COUNTS_H
#define TORC_REACTOR_COUNTS_H

#include <torc/reactor.h>

/*
 * What a reactor counts of itself, for its metrics. Counting is an addition, on the reactor's
 * thread.
 */
enum {
    TORC_COUNT_METRICS = 10,
    TORC_CLASS_METRICS = 4 /* of each class of threads */
};

/* Of one class of threads. */
typedef struct torc_class_counts {
    uint64_t jobs, refused, abandoned;
    uint64_t ended; /* told, or taken back */
    torc_metric metrics[TORC_CLASS_METRICS];
} torc_class_counts;

typedef struct torc_counts {
    uint64_t completions, calls, timers, accepted, accepts_failed, bytes_received, bytes_sent;
    uint64_t jobs, jobs_refused, jobs_ended; /* ended: told, or taken back */
    torc_class_counts threads[TORC_THREAD_CLASSES];
    torc_metric metrics[TORC_COUNT_METRICS];
    torc_memory_metrics memory;
    torc_metrics registry;
} torc_counts;

/* Make the reactor's registry, with these in it. */
void torc_counts_register(torc_reactor *reactor);

#endif
