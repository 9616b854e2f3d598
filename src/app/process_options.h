/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_PROCESS_OPTIONS_H
#define TORC_APP_PROCESS_OPTIONS_H

#include "app/options.h"
#include "app/rights.h"

/* What the arguments say of the process: who it is, and what of it the system sees. */
typedef struct torc_app_process_settings {
    torc_rights rights;
    const char *pidfile; /* NULL: none */
    bool daemonize, seccomp;
    bool has_umask;
    mode_t umask;
} torc_app_process_settings;

enum {
    TORC_PROCESS_OPTION_COUNT = 7
};

/* The options, for a group of their own. */
extern const torc_option torc_app_process_options[TORC_PROCESS_OPTION_COUNT];
/*
 * Whether they go together: NULL, or a line that names the option and the fix. `has_log_file`: the
 * log does not go to the standard error.
 */
const char *torc_app_process_check(const torc_app_process_settings *settings, bool has_log_file);

#endif
