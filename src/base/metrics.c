/* SPDX-License-Identifier: MIT */
/*
 * The registry of counters and gauges.
 *
 *  - A metric is in at most one registry; its node is of zeros while it is in none.
 *  - `head` is the head of a list of base/list.h.
 */
#include <torc/metrics.h>

#include "base/list.h"

static torc_list *list_of(const torc_metrics *metrics) {
    return torc_container_of(&metrics->head, torc_list, head);
}

static torc_metric *metric_of(torc_list_node *node) {
    return node ? torc_container_of(node, torc_metric, node) : NULL;
}

void torc_metrics_init(torc_metrics *metrics) {
    torc_list_init(list_of(metrics));
}

void torc_metrics_dispose(torc_metrics *metrics) {
    while (torc_list_pop(list_of(metrics))) continue;
}

void torc_metrics_add(torc_metrics *metrics, torc_metric *metric) {
    metric->node = (torc_list_node){0};
    torc_list_push(list_of(metrics), &metric->node);
}

static int64_t at_most_int64(uint64_t value) {
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static int64_t read_uint64(const void *context) {
    return at_most_int64(*(const uint64_t *)context);
}

static int64_t read_int64(const void *context) {
    return *(const int64_t *)context;
}

static int64_t read_size(const void *context) {
    return at_most_int64(*(const size_t *)context);
}

void torc_metrics_add_counter(torc_metrics *metrics, torc_counter *counter, const char *name,
                              const char *help, const char *unit) {
    counter->value = 0;
    counter->metric = (torc_metric){
        .name = name,
        .help = help,
        .unit = unit,
        .kind = TORC_METRIC_COUNTER,
        .read = read_uint64,
        .context = &counter->value,
    };
    torc_metrics_add(metrics, &counter->metric);
}

void torc_metrics_add_gauge(torc_metrics *metrics, torc_gauge *gauge, const char *name,
                            const char *help, const char *unit) {
    gauge->value = 0;
    gauge->metric = (torc_metric){
        .name = name,
        .help = help,
        .unit = unit,
        .kind = TORC_METRIC_GAUGE,
        .read = read_int64,
        .context = &gauge->value,
    };
    torc_metrics_add(metrics, &gauge->metric);
}

/* A metric over a number within a torc_memory. */
static void add_number(torc_metrics *metrics, torc_metric *metric, const char *name,
                       const char *help, torc_metric_read_fn *read, const void *number) {
    const bool is_counter = read == read_uint64;

    *metric = (torc_metric){
        .name = name,
        .help = help,
        .unit = is_counter ? "" : "bytes",
        .kind = is_counter ? TORC_METRIC_COUNTER : TORC_METRIC_GAUGE,
        .read = read,
        .context = number,
    };
    torc_metrics_add(metrics, metric);
}

static const struct {
    const char *name, *help;
} classes[TORC_MEMORY_CLASSES] = {
    [TORC_MEMORY_OTHER] = {"memory_other", "Bytes of objects with a life."},
    [TORC_MEMORY_CONNECTION] = {"memory_connection", "Bytes that connections cost while idle."},
    [TORC_MEMORY_INPUT] = {"memory_input", "Bytes received and not yet consumed."},
    [TORC_MEMORY_OUTPUT] = {"memory_output", "Bytes written and not yet sent."},
    [TORC_MEMORY_ARENA] = {"memory_arena", "Bytes of requests in progress."},
    [TORC_MEMORY_FIBER] = {"memory_fiber", "Bytes of stacks."},
    [TORC_MEMORY_TLS] = {"memory_tls", "Bytes of TLS."},
    [TORC_MEMORY_CACHE] = {"memory_cache", "Bytes of caches."},
};

void torc_metrics_add_memory(torc_metrics *metrics, torc_memory_metrics *of,
                             const torc_memory *memory) {
    for (size_t i = 0; i < TORC_MEMORY_CLASSES; i++) {
        add_number(metrics, &of->used[i], classes[i].name, classes[i].help, read_size,
                   &memory->used[i]);
    }
    add_number(metrics, &of->used_total, "memory_used", "Bytes in use.", read_size,
               &memory->used_total);
    add_number(metrics, &of->used_peak, "memory_peak", "The most bytes in use so far.", read_size,
               &memory->used_peak);
    add_number(metrics, &of->allocated, "memory_allocated", "Allocations made.", read_uint64,
               &memory->allocated);
    add_number(metrics, &of->refused, "memory_refused", "Allocations that failed.", read_uint64,
               &memory->refused);
}

void torc_metrics_remove_memory(torc_memory_metrics *of) {
    for (size_t i = 0; i < TORC_MEMORY_CLASSES; i++) torc_metric_remove(&of->used[i]);
    torc_metric_remove(&of->used_total);
    torc_metric_remove(&of->used_peak);
    torc_metric_remove(&of->allocated);
    torc_metric_remove(&of->refused);
}

void torc_metric_remove(torc_metric *metric) {
    torc_list_remove(&metric->node);
}

int64_t torc_metric_value(const torc_metric *metric) {
    return metric->read(metric->context);
}

const torc_metric *torc_metrics_next(const torc_metrics *metrics, const torc_metric *metric) {
    const torc_list *list = list_of(metrics);
    return metric_of(metric ? torc_list_next(list, &metric->node) : torc_list_first(list));
}

const torc_metric *torc_metrics_find(const torc_metrics *metrics, torc_str name) {
    const torc_metric *metric = torc_metrics_next(metrics, NULL);

    while (metric && !torc_str_equals(torc_str_of(metric->name), name)) {
        metric = torc_metrics_next(metrics, metric);
    }
    return metric;
}
