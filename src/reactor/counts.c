/* SPDX-License-Identifier: MIT */
/*
 * The names of what a reactor counts.
 */
#include "reactor/counts.h"

#include "reactor/reactor.h"

static int64_t read_count(const void *context) {
    return (int64_t) * (const uint64_t *)context;
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
    torc_metrics_add_memory(&self->registry, &self->memory, &reactor->memory);
}
