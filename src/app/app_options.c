/* SPDX-License-Identifier: MIT */
/*
 * The options that every program has, in tables by group: what each does to the settings.
 *
 *  - Applying an option only changes settings: nothing is opened yet.
 */
#include <stdio.h>
#include <string.h>
#include <torc/endpoint.h>
#include <torc/version.h>

#include "app/app.h"

static const char *apply_listen(torc_app *app, const char *value, char text[160]) {
    torc_endpoint_error error;
    torc_endpoint endpoint;

    if (app->settings.endpoint_count == TORC_APP_LISTENERS_MAX) return "at most 16 endpoints";
    if (torc_endpoint_parse(torc_str_of(value), &endpoint, &error)) {
        snprintf(text, 160, "%s", error.text);
        return text;
    }
    app->settings.endpoints[app->settings.endpoint_count++] = value;
    return NULL;
}

static const char *apply_limit(torc_app *app, const char *value, char text[160]) {
    return torc_limit_option_apply(&app->settings.limits, value, text);
}

static const char *apply_log_level(torc_app *app, const char *value, char text[160]) {
    torc_log *log;
    torc_buf buf;
    char nothing[1];

    (void)text;
    torc_buf_init_fixed(&buf, nothing, sizeof(nothing));
    if (torc_log_new_buf(NULL, &buf, TORC_LOG_FORMAT_TEXT, &log)) return "out of memory";
    const torc_err err = torc_log_set_levels(log, torc_str_of(value));
    torc_log_free(log);
    if (err) return "levels are debug, info, warn, error, critical, off; or `info,http=debug`";
    app->settings.log_levels = value;
    return NULL;
}

static const char *apply_log_format(torc_app *app, const char *value, char text[160]) {
    static const char *const names[] = {"auto", "text", "json"};

    (void)text;
    for (size_t i = 0; i < TORC_COUNT_OF(names); i++)
        if (strcmp(value, names[i]) == 0) {
            app->settings.log_format = (torc_log_format)i;
            return NULL;
        }
    return "formats are auto, text and json";
}

static const char *apply_show_errors(torc_app *app, const char *value, char text[160]) {
    (void)value;
    (void)text;
    app->settings.show_errors = true;
    return NULL;
}

static const char *apply_help(torc_app *app, const char *value, char text[160]) {
    (void)value;
    (void)text;
    app->settings.wants_help = true;
    return NULL;
}

static const char *apply_help_limits(torc_app *app, const char *value, char text[160]) {
    (void)value;
    (void)text;
    app->settings.wants_limits = true;
    return NULL;
}

static const char *apply_version(torc_app *app, const char *value, char text[160]) {
    (void)value;
    (void)text;
    app->settings.wants_version = true;
    return NULL;
}

static const torc_option serving_options[] = {
    {"listen", "ENDPOINT", "where to listen: 8080, 127.0.0.1:8080, unix:/run/x.sock … (repeatable)",
     apply_listen},
    {"limit", "NAME=VALUE", "set a limit; --help-limits lists them (repeatable)", apply_limit},
    {"show-errors", NULL, "tell details on error pages; for development", apply_show_errors},
};

static const torc_option log_options[] = {
    {"log-level", "LEVELS", "debug, info, warn, error, critical, off; or info,http=debug",
     apply_log_level},
    {"log-format", "FORMAT", "auto (text on a terminal, else json), text, json", apply_log_format},
};

static const torc_option general_options[] = {
    {"help", NULL, "show this help", apply_help},
    {"help-limits", NULL, "list the limits with their defaults", apply_help_limits},
    {"version", NULL, "show the version", apply_version},
};

static torc_option_set option_set(const torc_app *app) {
    return (torc_option_set){
        .groups =
            {
                {"Options", app->own, app->own_count},
                {"Serving", serving_options, TORC_COUNT_OF(serving_options)},
                {"Logs", log_options, TORC_COUNT_OF(log_options)},
                {"General", general_options, TORC_COUNT_OF(general_options)},
            },
        .count = 4,
    };
}

static int print(const torc_buf *text, FILE *stream) {
    fwrite(text->bytes, 1, text->len, stream);
    return fflush(stream) ? 1 : 0;
}

/* Answer --help and its like: whether one was asked for. */
static bool show_texts(const torc_app *app, const torc_option_set *set, int *exit_code) {
    torc_buf text;

    if (!app->settings.wants_help && !app->settings.wants_limits && !app->settings.wants_version)
        return false;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 64 * 1024);
    if (app->settings.wants_help) {
        torc_buf_addf(&text, "Usage: %s [OPTION]...\n", app->name);
        if (app->description) torc_buf_addf(&text, "%s\n", app->description);
        torc_options_write_help(set, &text);
    } else if (app->settings.wants_limits) {
        torc_buf_addf(&text, "Limits, for --limit NAME=VALUE, with their defaults:\n");
        torc_limit_options_write(&text);
    } else {
        torc_buf_addf(&text, "%s (Torc %s)\n", app->name, torc_version());
    }
    *exit_code = print(&text, stdout);
    torc_buf_dispose(&text);
    return true;
}

bool torc_app_read_arguments(torc_app *app, int argc, char **argv, int *exit_code) {
    const torc_option_set set = option_set(app);
    torc_buf mistake;

    torc_buf_init(&mistake, NULL, TORC_MEMORY_OTHER, 4096);
    const bool fine = torc_options_read(&set, app, argc, argv, &mistake);
    if (!fine) {
        fprintf(stderr, "%s: %.*s\n", app->name, (int)mistake.len, mistake.bytes);
        *exit_code = 2;
    }
    torc_buf_dispose(&mistake);
    return fine && !show_texts(app, &set, exit_code);
}
