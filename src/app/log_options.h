/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_LOG_OPTIONS_H
#define TORC_APP_LOG_OPTIONS_H

#include <torc/log.h>

#include "app/options.h"

/* What the arguments say of logs. */
typedef struct torc_log_settings {
    torc_log_format format;
    const char *levels;
    const char *file;          /* NULL: the standard error */
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
