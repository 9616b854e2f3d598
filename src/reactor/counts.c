/* SPDX-License-Identifier: MIT */
/*
 * The names of what a reactor counts.
 */
#include "reactor/counts.h"

#include "reactor/reactor.h"

static int64_t read_count(const void *context) {
    return (int64_t) * (const uint64_t *)context;
}

static int64_t read_pending(const void *context) {
    const torc_class_counts *counts = context;
    return (int64_t)(counts->jobs - counts->ended);
}

/* The names of each class, and of what is counted of it. */
#define OF_CLASS(name)                                                                             \
    {                                                                                              \
        "thread_" name "_jobs", "thread_" name "_refused", "thread_" name "_abandoned",            \
            "thread_" name "_pending"                                                              \
    }
static const char *const class_names[TORC_THREAD_CLASSES][TORC_CLASS_METRICS] = {
    OF_CLASS("file"), OF_CLASS("name"), OF_CLASS("cpu"), OF_CLASS("user")};
static const char *const class_helps[TORC_CLASS_METRICS] = {
    "Jobs given to threads of this class.",
    "Jobs of this class that found its queue full, or no thread.",
    "Jobs of this class that had begun when nobody needed them any more.",
    "Jobs of this class that wait or are worked on."};

static void register_class(torc_metrics *registry, size_t class_, torc_class_counts *counts) {
    const void *const contexts[TORC_CLASS_METRICS] = {&counts->jobs, &counts->refused,
                                                      &counts->abandoned, counts};

    for (size_t i = 0; i < TORC_CLASS_METRICS; i++) {
        const bool is_gauge = i == 3;
        counts->metrics[i] = (torc_metric){
            .name = class_names[class_][i],
            .help = class_helps[i],
            .unit = "",
            .kind = is_gauge ? TORC_METRIC_GAUGE : TORC_METRIC_COUNTER,
            .read = is_gauge ? read_pending : read_count,
            .context = contexts[i],
        };
        torc_metrics_add(registry, &counts->metrics[i]);
    }
}

void torc_counts_register(torc_reactor *reactor) {
    torc_counts *self = &reactor->counts;
    const struct {
        const uint64_t *count;
        const char *name, *help, *unit;
    } table[TORC_COUNT_METRICS] = {
        {&reactor->turns, "reactor_turns", "Turns that the reactor made.", ""},
        {&self->completions, "reactor_completions", "Completions of I/O that were told.", ""},
        {&self->calls, "reactor_calls", "Posted calls that were run.", ""},
        {&self->timers, "reactor_timers", "Timers that expired.", ""},
        {&self->accepted, "reactor_accepts", "Connections that the kernel handed over.", ""},
        {&self->accepts_failed, "reactor_accepts_failed", "Accepts that the kernel refused.", ""},
        {&self->bytes_received, "reactor_received", "Bytes received on streams.", "bytes"},
        {&self->bytes_sent, "reactor_sent", "Bytes sent on streams.", "bytes"},
        {&self->jobs, "thread_jobs", "Jobs given to threads.", ""},
        {&self->jobs_refused, "thread_jobs_refused", "Jobs that found the queue full.", ""},
    };

    torc_metrics_init(&self->registry);
    reactor->metrics = &self->registry;
    for (size_t i = 0; i < TORC_COUNT_METRICS; i++) {
        self->metrics[i] = (torc_metric){
            .name = table[i].name,
            .help = table[i].help,
            .unit = table[i].unit,
            .kind = TORC_METRIC_COUNTER,
            .read = read_count,
            .context = table[i].count,
        };
        torc_metrics_add(&self->registry, &self->metrics[i]);
    }
    for (size_t i = 0; i < TORC_THREAD_CLASSES; i++)
        register_class(&self->registry, i, &self->threads[i]);
    torc_metrics_add_memory(&self->registry, &self->memory, &reactor->memory);
}
