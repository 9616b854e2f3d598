/* SPDX-License-Identifier: MIT */
#ifndef TORC_METRICS_H
#define TORC_METRICS_H

#include <torc/memory.h>
#include <torc/str.h>

/**
 * Metrics: numbers that tell how it goes, by name.
 *
 * A counter only grows; a gauge goes up and down. Each is a member of the object that counts, and
 * is linked into a registry, so registering neither allocates nor fails, and counting is one
 * addition. What is counted elsewhere is registered with a function that reads it. Names are words
 * of [a-z0-9_]
 * ("http_requests"), without the unit; names, helps and units are static strings. There is one
 * registry per reactor, and all of it belongs to the reactor's thread.
 */
typedef struct torc_metric torc_metric;
typedef struct torc_metrics torc_metrics;

typedef enum torc_metric_kind {
    TORC_METRIC_COUNTER,
    TORC_METRIC_GAUGE
} torc_metric_kind;

/** The number now. */
typedef int64_t torc_metric_read_fn(const void *context);

/** What a registry knows of a number. Zero: not registered. */
struct torc_metric {
    const char *name;
    const char *help; /* a sentence */
    const char *unit; /* "bytes", "seconds"; "" for a number of things */
    torc_metric_kind kind;
    torc_metric_read_fn *read; /* private */
    const void *context;       /* private */
    torc_list_node node;       /* private */
};

typedef struct torc_counter {
    uint64_t value;
    torc_metric metric;
} torc_counter;

typedef struct torc_gauge {
    int64_t value;
    torc_metric metric;
} torc_gauge;

struct torc_metrics {
    torc_list_node head; /* private */
};

/** What torc_metrics_add_memory() registers. */
typedef struct torc_memory_metrics {
    torc_metric used[TORC_MEMORY_CLASSES];
    torc_metric used_total, used_peak, allocated, refused;
} torc_memory_metrics;

static inline void torc_counter_add(torc_counter *counter, uint64_t count) {
    counter->value += count;
}

static inline void torc_gauge_add(torc_gauge *gauge, int64_t count) {
    gauge->value += count;
}

static inline void torc_gauge_set(torc_gauge *gauge, int64_t value) {
    gauge->value = value;
}

TORC_BEGIN_DECLS

/** Make an empty registry. */
TORC_API void torc_metrics_init(torc_metrics *metrics);
/** Let go of all that is still registered. */
TORC_API void torc_metrics_dispose(torc_metrics *metrics);
/** Register a counter, and set it to 0. It must be removed before its memory goes. */
TORC_API void torc_metrics_add_counter(torc_metrics *metrics, torc_counter *counter,
                                       const char *name, const char *help, const char *unit);
/** Register a gauge, and set it to 0. */
TORC_API void torc_metrics_add_gauge(torc_metrics *metrics, torc_gauge *gauge, const char *name,
                                     const char *help, const char *unit);
/**
 * Register a number that `metric->read(metric->context)` tells; the caller has set all members of
 * `metric` but the node.
 */
TORC_API void torc_metrics_add(torc_metrics *metrics, torc_metric *metric);
/** Register what a memory counts: memory_<class>, memory_used, memory_peak, memory_allocated … */
TORC_API void torc_metrics_add_memory(torc_metrics *metrics, torc_memory_metrics *of,
                                      const torc_memory *memory);
TORC_API void torc_metrics_remove_memory(torc_memory_metrics *of);
/** Take a metric out of its registry; one that is in none is left alone. */
TORC_API void torc_metric_remove(torc_metric *metric);
/** The number now; counters stop at INT64_MAX. */
TORC_API int64_t torc_metric_value(const torc_metric *metric);
/** The first metric of this name, or NULL. */
TORC_API const torc_metric *torc_metrics_find(const torc_metrics *metrics, torc_str name);
/** Walk in the order of registration: after NULL comes the first; NULL at the end. */
TORC_API const torc_metric *torc_metrics_next(const torc_metrics *metrics,
                                              const torc_metric *metric);

TORC_END_DECLS

#endif
