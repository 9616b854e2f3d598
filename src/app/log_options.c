/* SPDX-License-Identifier: MIT */
/*
 * The options of logs: where they go, what is in them, when a file is full.
 */
#include "app/log_options.h"

#include <stdio.h>
#include <string.h>

#include <torc/access_log.h>

#include "app/app.h"

static const char *apply_level(torc_app *app, const char *value, char text[160]) {
    torc_log *log;
    torc_buf buf;
    char nothing[1];

    (void)text;
    torc_buf_init_fixed(&buf, nothing, sizeof(nothing));
    if (torc_log_new_buf(NULL, &buf, TORC_LOG_FORMAT_TEXT, &log)) return "out of memory";
    const torc_err err = torc_log_set_levels(log, torc_str_of(value));
    torc_log_free(log);
    if (err) return "levels are debug, info, warn, error, critical, off; or `info,http=debug`";
    app->settings.log.levels = value;
    return NULL;
}

static const char *apply_format(torc_app *app, const char *value, char text[160]) {
    (void)text;
    app->settings.log.format = strcmp(value, "text") == 0   ? TORC_LOG_FORMAT_TEXT
                               : strcmp(value, "json") == 0 ? TORC_LOG_FORMAT_JSON
                                                            : TORC_LOG_FORMAT_AUTO;
    return NULL;
}

static const char *apply_file(torc_app *app, const char *value, char text[160]) {
    (void)text;
    if (!value[0]) return "name the file, or - for the standard output";
    app->settings.log.file = value;
    return NULL;
}

static const char *apply_access_log(torc_app *app, const char *value, char text[160]) {
    (void)text;
    if (!value[0]) return "name the file, or - for the standard output";
    app->settings.log.access_file = value;
    return NULL;
}

static const char *apply_access_format(torc_app *app, const char *value, char text[160]) {
    torc_access_format_error error;
    const torc_err err = torc_access_format_check(torc_str_of(value), &error);

    if (err == TORC_ERR_NO_MEMORY) return "out of memory";
    if (err) {
        snprintf(text, 160, "at %zu: %s", error.place + 1, error.text);
        return text;
    }
    app->settings.log.access_format = value;
    return NULL;
}

/* A number and one of `units`, each `factors` of it; 0: it is none. */
static uint64_t read_amount(const char *value, const char *units, const uint64_t *factors) {
    const size_t digits = strspn(value, "0123456789");
    const char *unit = value[digits] ? strchr(units, value[digits]) : NULL;
    uint64_t number;

    if (digits == 0 || digits > 12 || (value[digits] && (!unit || value[digits + 1]))) return 0;
    if (torc_str_parse_uint(torc_str_make(value, digits), UINT32_MAX, &number)) return 0;
    return number * (unit ? factors[unit - units] : 1);
}

static const char *apply_rotate_size(torc_app *app, const char *value, char text[160]) {
    static const uint64_t factors[] = {1 << 10, 1 << 20, 1 << 30};
    const uint64_t bytes = read_amount(value, "KMG", factors);

    (void)text;
    if (bytes < 4096) return "write a size of 4K or more: 500K, 100M, 2G";
    app->settings.log.rotate_bytes = bytes;
    return NULL;
}

static const char *apply_rotate_every(torc_app *app, const char *value, char text[160]) {
    static const uint64_t factors[] = {60, 3600, 86400, 7 * 86400};
    const uint64_t seconds = read_amount(value, "mhdw", factors);

    (void)text;
    if (seconds < 60 || seconds > 366 * 86400)
        return "write a time of a minute or more: 1h, 1d, 1w";
    app->settings.log.rotate_seconds = (uint32_t)seconds;
    return NULL;
}

static const char *apply_keep(torc_app *app, const char *value, char text[160]) {
    uint64_t count;

    (void)text;
    if (torc_str_parse_uint(torc_str_of(value), 10000, &count) || count == 0)
        return "write a number of files from 1 to 10000";
    app->settings.log.keep = (uint32_t)count;
    return NULL;
}

static const torc_option options[] = {
    {"log-level", "debug|info|warn|error|critical|off|LEVELS",
     "what is logged; also by area: info,http=debug (info)", apply_level},
    {"log-format", "auto|text|json", "auto is text on a terminal, else JSON lines", apply_format},
    {"log-file", "FILE",
     "where it is logged (the standard error)\n"
     "A path, or `-` for the standard output. SIGHUP and SIGUSR1 open it anew, after it was moved "
     "away.",
     apply_file},
    {"access-log", "FILE",
     "a line for each request, to this file (none)\n"
     "A path, or `-` for the standard output, `+` for the standard error. Lines are written in "
     "the background, within a second; while the disk is full or a reader sleeps they are kept, up "
     "to 1 MiB. SIGHUP and SIGUSR1 open the file anew, without losing a line.",
     apply_access_log},
    {"access-log-format", "combined|common|json|logfmt|FORMAT",
     "what is in it; FORMAT as Apache's '%h %>s %{Host}i'\n"
     "Variables: %h client, %{c}a peer, %t time (%{iso}t), %r request line, %m method, %U path, %q "
     "query, %H protocol, %v host, %s status, %b and %B bytes of content, %O bytes sent, %D "
     "microseconds (%{ms}T, %T), %X X if the response was cut short, %{NAME}i and %{NAME}o fields "
     "of request and response, %P process, %% a percent sign.",
     apply_access_format},
    {"log-rotate-size", "SIZE",
     "begin a new file when one has this size, as 100M\n"
     "Of both logs. FILE becomes FILE.1, FILE.1 becomes FILE.2, and so on.",
     apply_rotate_size},
    {"log-rotate-every", "TIME",
     "begin a new file after this time, as 1h, 1d, 1w\n"
     "At the beginning of an hour, a day or a week of local time, once there is something in the "
     "file.",
     apply_rotate_every},
    {"log-keep", "COUNT", "files to keep when a new one is begun (7)", apply_keep},
};

const torc_option *torc_log_options(size_t *count) {
    *count = TORC_COUNT_OF(options);
    return options;
}

const char *torc_log_options_check(const torc_log_settings *settings) {
    if (settings->access_format && !settings->access_file)
        return "--access-log-format: there is no access log: add --access-log FILE, or -";
    if ((settings->rotate_bytes || settings->rotate_seconds) && !settings->access_file &&
        !settings->file)
        return "--log-rotate-size, --log-rotate-every: add --log-file FILE or --access-log FILE";
    if (settings->keep && !settings->rotate_bytes && !settings->rotate_seconds)
        return "--log-keep: add --log-rotate-size SIZE or --log-rotate-every TIME";
    return NULL;
}
