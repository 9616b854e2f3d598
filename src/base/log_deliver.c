/* SPDX-License-Identifier: MIT */
/*
 * The sinks of a log: adding them, giving them events, and telling of those that fail.
 *
 *  - A sink that fails stops nobody: the others have the event all the same.
 *  - That it fails is told to the others once. It works again when it takes an event a second
 *    later or more: then all are told, and how many events were lost meanwhile. So one that takes
 *    every other event makes two lines a second at most.
 *  - What is told may fail in turn, at other sinks, and be told; what is told of that is not.
 */
#include <errno.h>
#include <stdio.h>
#include <torc/log_ring.h>

#include "base/log.h"
#include "base/options.h"

enum {
    SETTLED_US = 1000000,
    DEPTH_MAX = 2 /* of telling about sinks that cannot be told */
};

static void give(torc_log_inside *self, const torc_log_config *config,
                 const torc_log_record *record, const torc_log_sink *except, int depth);

/* ---- what is told of sinks ---- */

static void tell(torc_log_inside *self, const torc_log_config *config, const torc_log_record *cause,
                 torc_log_level level, const char *text, const torc_log_field *fields,
                 const torc_log_sink *except, int depth) {
    const torc_log_record record = {
        .time_us = cause->time_us,
        .offset_s = cause->offset_s,
        .level = level,
        .space = "log",
        .text = text,
        .fields = fields,
        .field_count = 2,
    };
    give(self, config, &record, except, depth + 1);
}

static void failed(torc_log_inside *self, const torc_log_config *config, torc_log_sink *sink,
                   const torc_log_record *record, torc_err err, int depth) {
    const torc_log_field fields[] = {TORC_LOG_TEXT("sink", sink->name),
                                     TORC_LOG_TEXT("error", torc_err_text(err))};

    const uint64_t lost = atomic_fetch_add(&sink->lost, 1);
    if (depth >= DEPTH_MAX || atomic_exchange(&sink->is_failing, true)) return;
    atomic_store(&sink->lost_before, lost);
    atomic_store(&sink->failing_since_us, record->time_us);
    tell(self, config, record, TORC_LOG_LEVEL_ERROR,
         err == TORC_ERR_AGAIN ? "a log takes nothing now; events are lost"
                               : "a log cannot be written; events are lost",
         fields, sink, depth);
}

static void worked(torc_log_inside *self, const torc_log_config *config, torc_log_sink *sink,
                   const torc_log_record *record, int depth) {
    const int64_t since_us = record->time_us - atomic_load(&sink->failing_since_us);

    if (depth >= DEPTH_MAX || (since_us >= 0 && since_us < SETTLED_US) ||
        !atomic_exchange(&sink->is_failing, false))
        return;
    const torc_log_field fields[] = {
        TORC_LOG_TEXT("sink", sink->name),
        TORC_LOG_UINT("lost", atomic_load(&sink->lost) - atomic_load(&sink->lost_before)),
    };
    tell(self, config, record, TORC_LOG_LEVEL_WARN, "a log is written again", fields, NULL, depth);
}

/* ---- events ---- */

static void give(torc_log_inside *self, const torc_log_config *config,
                 const torc_log_record *record, const torc_log_sink *except, int depth) {
    const torc_str space = torc_str_of(record->space);

    for (size_t i = 0; i < config->sink_count; i++) {
        torc_log_sink *sink = config->sinks[i];
        if (sink == except || !torc_log_config_enables(config, i, space, record->level)) continue;
        if (sink->filter && !sink->filter(sink->filter_context, record)) continue;
        const torc_err err = sink->write(sink->context, record);
        if (err)
            failed(self, config, sink, record, err, depth);
        else if (atomic_load_explicit(&sink->is_failing, memory_order_relaxed))
            worked(self, config, sink, record, depth);
    }
}

/* Apart, so that only the quick path stands on a fiber's stack while sinks write. */
__attribute__((noinline)) static void
give_redacted(torc_log_inside *self, const torc_log_config *config, const torc_log_record *record) {
    torc_log_redaction redaction;

    give(self, config, torc_log_redact(config, record, &redaction), NULL, 0);
}

void torc_log_deliver(torc_log_inside *self, const torc_log_config *config,
                      const torc_log_record *record) {
    const int saved_errno = errno;

    if (torc_log_has_secrets(config, record))
        give_redacted(self, config, record);
    else
        give(self, config, record, NULL, 0);
    errno = saved_errno;
}

/* ---- adding ---- */

static torc_log_sink_options read_options(const torc_log_sink_options *given) {
    torc_log_sink_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    return options;
}

/* Sink and levels at once, so that it is never given what it does not want. */
static torc_err join(torc_log_inside *self, torc_log_sink *sink, torc_str levels) {
    size_t count = 0;
    const torc_err err = levels.len ? torc_log_count_settings(levels, &count) : TORC_OK;

    if (err) return err;
    torc_log_config *config = torc_log_change(self, count + 1, levels.len);
    if (!config) return TORC_ERR_NO_MEMORY;
    const size_t place = config->sink_count;
    if (place == TORC_LOG_SINKS_MAX || config->setting_count + count >= TORC_LOG_SETTINGS_MAX) {
        torc_log_give_up(self, config);
        return TORC_ERR_LIMIT;
    }
    config->sinks[place] = sink;
    config->sink_count++;
    sink->owner = (unsigned)place + 1;
    if (levels.len) torc_log_put_levels(config, sink->owner, levels);
    torc_log_publish(self, config);
    return TORC_OK;
}

typedef struct replay {
    torc_log_inside *self;
    torc_log_sink *sink;
} replay;

static void tell_again(void *context, const torc_log_record *record) {
    const replay *to = context;
    const torc_log_config *config = torc_log_hold(to->self);

    if (torc_log_config_enables(config, to->sink->owner - 1, torc_str_of(record->space),
                                record->level) &&
        (!to->sink->filter || to->sink->filter(to->sink->filter_context, record)) &&
        to->sink->write(to->sink->context, record))
        atomic_fetch_add(&to->sink->lost, 1);
    torc_log_release(to->self);
}

static torc_log_sink *make_sink(torc_log_inside *self, torc_log_write_fn *write,
                                void (*dispose)(void *context), void *context,
                                const torc_log_sink_options *options) {
    torc_log_sink *sink = torc_alloc_zero(self->memory, TORC_MEMORY_OTHER, 1, sizeof(*sink));

    if (!sink) return NULL;
    sink->log = self;
    sink->write = write;
    sink->dispose = dispose;
    sink->context = context;
    sink->filter = options->filter;
    sink->filter_context = options->filter_context;
    snprintf(sink->name, sizeof(sink->name), "%s", options->name ? options->name : "sink");
    return sink;
}

static torc_err make_and_join(torc_log_inside *self, torc_log_sink *made,
                              const torc_log_sink_options *options, torc_log_sink **sink) {
    replay again = {self, made};

    if (!made) return TORC_ERR_NO_MEMORY;
    const torc_err err = join(self, made, torc_str_of(options->levels));
    if (err) {
        torc_dealloc(self->memory, made);
        return err;
    }
    if (options->replay) torc_log_ring_each(options->replay, tell_again, &again);
    if (sink) *sink = made;
    return TORC_OK;
}

torc_err torc_log_add_sink(torc_log *log, torc_log_write_fn *write, void (*dispose)(void *context),
                           void *context, const torc_log_sink_options *options,
                           torc_log_sink **sink) {
    torc_log_inside *self = torc_container_of(log, torc_log_inside, base);
    const torc_log_sink_options read = read_options(options);
    const torc_err err =
        make_and_join(self, make_sink(self, write, dispose, context, &read), &read, sink);

    if (err && dispose) dispose(context);
    return err;
}

/* ---- asking ---- */

uint64_t torc_log_sink_lost(const torc_log_sink *sink) {
    return atomic_load(&sink->lost);
}

bool torc_log_sink_is_failing(const torc_log_sink *sink) {
    return atomic_load(&sink->is_failing);
}

uint64_t torc_log_dropped(const torc_log *log) {
    uint64_t lost = 0;

    if (!log) return 0;
    const torc_log_inside *self = torc_container_of(log, const torc_log_inside, base);
    const torc_log_config *config = torc_log_hold(self);
    for (size_t i = 0; i < config->sink_count; i++) lost += torc_log_sink_lost(config->sinks[i]);
    torc_log_release(self);
    return lost;
}
