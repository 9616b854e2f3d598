/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_LOG_OPTIONS_H
#define TORC_APP_LOG_OPTIONS_H

#include <torc/log.h>

#include "app/log_target.h"
#include "app/options.h"

enum {
    TORC_LOG_TARGETS_MAX = 8
};

/* What the arguments say of logs. */
typedef struct torc_log_settings {
    torc_log_target targets[TORC_LOG_TARGETS_MAX];
    size_t target_count; /* 0: the standard error */
    torc_log_format format;
    const char *levels;
    bool is_local;             /* times are */
    uint32_t ring_events;      /* 0: none are kept */
    const char *ring_levels;   /* NULL: as what is logged */
    const char *crash_report;  /* where it goes; NULL: the standard error; empty: none is made */
    const char *access_file;   /* NULL: none */
    const char *access_format; /* NULL: combined */
    uint64_t rotate_bytes;     /* 0: never */
    uint32_t rotate_seconds;
    uint32_t keep; /* 0: the default */
} torc_log_settings;

/* The options, for a group of their own: `*count` of them. */
const torc_option *torc_log_options(size_t *count);
/* Whether they go together: NULL, or a line that names the option and the fix. */
const char *torc_log_options_check(const torc_log_settings *settings);

#endif
