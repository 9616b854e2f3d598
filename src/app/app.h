/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_APP_H
#define TORC_APP_APP_H

#include <torc/app.h>
#include <torc/log.h>
#include <torc/site.h>
#include <torc/timer.h>

#include "app/options.h"
#include "app/process_options.h"

enum {
    TORC_APP_LISTENERS_MAX = 16,
    TORC_APP_OWN_OPTIONS_MAX = 64,
    TORC_APP_OWN_GROUPS_MAX = 8,
    TORC_APP_FIELDS_MAX = 32
};

/* What the arguments set: complete before anything is opened. */
typedef struct torc_app_settings {
    torc_limits limits;
    const char *endpoints[TORC_APP_LISTENERS_MAX];
    size_t endpoint_count;
    torc_log_format log_format;
    const char *log_levels;
    torc_field fields[TORC_APP_FIELDS_MAX]; /* of every response */
    size_t field_count;
    torc_process_settings process;
    bool show_errors;
    const char *help_topic; /* NULL: all of it */
    bool wants_help, wants_version;
} torc_app_settings;

/* Options of the program's own that stand together. */
typedef struct torc_app_group {
    const char *title;
    size_t first, count;
} torc_app_group;

/*
 * An app: what the program set up, what the arguments say, and what serves. The program's thread
 * owns it.
 */
struct torc_app {
    char name[64];
    const char *description;
    torc_resource *root; /* until the site takes it */
    torc_app_start_fn *start, *stop;
    void *context;
    const char *default_endpoint;
    torc_option own[TORC_APP_OWN_OPTIONS_MAX];
    torc_app_group own_groups[TORC_APP_OWN_GROUPS_MAX];
    size_t own_count, own_group_count;
    bool has_too_many; /* options or groups */
    torc_app_settings settings;

    torc_log *log;
    torc_reactor *reactor; /* while it serves */
    torc_site *site;
};

/* Read the arguments, and answer --help and its like. False: there is nothing to serve, and
 * `*exit_code` is set. */
bool torc_app_read_arguments(torc_app *app, int argc, char **argv, int *exit_code);
/* Serve in this process until a signal ends it. False: it could not, as was said. */
bool torc_app_serve(torc_app *app);
/* Say in one line what could not be done. Always false. */
bool torc_app_fail(const torc_app *app, const char *what, const char *why);

#endif
