/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_LOG_H
#define TORC_BASE_LOG_H

#include <stdatomic.h>
#include <torc/log.h>

/*
 * The inside of a log, for its own sources.
 */

/* The level of one namespace. */
typedef struct torc_log_setting {
    char *space;
    size_t len;
    torc_log_level level;
} torc_log_setting;

typedef struct torc_log_inside {
    torc_log base;
    torc_memory *memory;
    torc_log_sink_fn *sink;
    void *context;
    int64_t (*now_us)(void *context);
    void *clock_context;
    torc_log_level level; /* of namespaces without a setting */
    torc_log_setting *settings;
    size_t setting_count;

    /* Of the sinks to a descriptor and to a buffer. */
    torc_log_format format; /* not AUTO */
    int fd;
    torc_buf *buf;
    atomic_uint_fast64_t dropped;
    atomic_bool is_cut; /* the last line was written in part: its end is still to come */
} torc_log_inside;

/* Append an event as a line, with at most `value_max` bytes of its text and of each value. */
void torc_log_format_short(torc_buf *buf, const torc_log_record *record, torc_log_format format,
                           size_t value_max);

#endif
