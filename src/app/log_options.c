/* SPDX-License-Identifier: MIT */
/*
 * The options of logs: where they go, what is in them, when a file is full.
 */
#include "app/log_options.h"

#include <stdio.h>
#include <string.h>

#include <torc/access_log.h>
#include <torc/log_ring.h>

#include "app/app.h"

static const char *apply_level(torc_app *app, const char *value, char text[160]) {
    (void)text;
    if (torc_log_levels_check(torc_str_of(value)))
        return "levels are debug, info, warn, error, critical, off; or `info,http=debug`";
    app->settings.log.levels = value;
    return NULL;
}

static const char *apply_format(torc_app *app, const char *value, char text[160]) {
    static const char *const names[] = {"auto", "text", "json", "logfmt", "json-seq"};

    (void)text;
    for (size_t i = 0; i < TORC_COUNT_OF(names); i++)
        if (strcmp(value, names[i]) == 0) app->settings.log.format = (torc_log_format)i;
    return NULL;
}

static const char *apply_log(torc_app *app, const char *value, char text[160]) {
    torc_log_settings *settings = &app->settings.log;

    if (settings->target_count == TORC_LOG_TARGETS_MAX) return "at most 8";
    const char *wrong =
        torc_log_target_parse(value, &settings->targets[settings->target_count], text);
    if (!wrong) settings->target_count++;
    return wrong;
}

static const char *apply_file(torc_app *app, const char *value, char text[160]) {
    if (!value[0]) return "name the file, or - for the standard output";
    return apply_log(app, value, text);
}

static const char *apply_time(torc_app *app, const char *value, char text[160]) {
    (void)text;
    app->settings.log.is_local = strcmp(value, "local") == 0;
    return NULL;
}

/* "256", or "256,debug": how many, and which. */
static const char *apply_ring(torc_app *app, const char *value, char text[160]) {
    const torc_str all = torc_str_of(value);
    const ptrdiff_t comma = torc_str_find_byte(all, ',');
    const torc_str number = comma < 0 ? all : torc_str_head(all, (size_t)comma);
    const char *levels = comma < 0 ? NULL : value + comma + 1;
    uint64_t count;

    if (torc_str_parse_uint(number, TORC_LOG_RING_EVENTS_MAX, &count) ||
        (levels && torc_log_levels_check(torc_str_of(levels)))) {
        snprintf(text, 160, "write a number to %d, and levels if you like: 1000,debug",
                 TORC_LOG_RING_EVENTS_MAX);
        return text;
    }
    app->settings.log.ring_events = (uint32_t)count;
    app->settings.log.ring_levels = levels;
    return NULL;
}

static const char *apply_crash_report(torc_app *app, const char *value, char text[160]) {
    (void)text;
    if (!value[0]) return "name a file, or write stderr or none";
    app->settings.log.crash_report = strcmp(value, "none") == 0     ? ""
                                     : strcmp(value, "stderr") == 0 ? NULL
                                                                    : value;
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
    {"log", "TARGET...",
     "a FILE, stderr, syslog or journald (stderr)\n"
     "A path, `stderr`, `-` for the standard output, `syslog` or `journald`. With what belongs to "
     "it: `file:PATH,level=error,format=json`, "
     "`syslog:server=unix:/dev/log,facility=local3,tag=shop,form=bsd`, `syslog:server=HOST:514` "
     "(RFC 5424 by UDP), `journald:tag=shop,level=info;http=debug`. One that has a level goes by "
     "it, others by --log-level. What one cannot take is lost and counted, and told to the others. "
     "Passwords, tokens and cookies are not logged. SIGHUP and SIGUSR1 open files anew, after they "
     "were moved away.",
     apply_log},
    {"log-file", "FILE...", "the same as --log FILE", apply_file},
    {"log-level", "debug|info|warn|error|critical|off|LEVELS",
     "what is logged; by area: info,http=debug (info)\n"
     "While it serves, SIGRTMIN+22 has everything logged, and SIGRTMIN+23 again what this says.",
     apply_level},
    {"log-format", "auto|text|json|logfmt|json-seq", "auto is text on a terminal, else JSON lines",
     apply_format},
    {"log-time", "utc|local", "how times are told (utc)", apply_time},
    {"log-ring", "COUNT",
     "events kept for the report of a crash (256)\n"
     "`1000,debug` keeps what is for debugging, too, though it is not logged; 0 keeps nothing.",
     apply_ring},
    {"crash-report", "stderr|none|FILE",
     "where a crash is told (stderr)\n"
     "In the background it goes to the first file of --log instead. By which signal, where, the "
     "last events of the log, and whether a fiber's stack overflowed; "
     "then the signal takes its "
     "usual course, so that there is a core file where these are wanted.",
     apply_crash_report},
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
     "of request and response, %L the request's id, %P process, %% a percent "
     "sign.",
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

static bool has_file(const torc_log_settings *settings) {
    for (size_t i = 0; i < settings->target_count; i++)
        if (settings->targets[i].kind == TORC_LOG_TARGET_FILE) return true;
    return false;
}

const char *torc_log_options_check(const torc_log_settings *settings) {
    if (settings->access_format && !settings->access_file)
        return "--access-log-format: there is no access log: add --access-log FILE, or -";
    if ((settings->rotate_bytes || settings->rotate_seconds) && !settings->access_file &&
        !has_file(settings))
        return "--log-rotate-size, --log-rotate-every: add --log-file FILE or --access-log FILE";
    if (settings->keep && !settings->rotate_bytes && !settings->rotate_seconds)
        return "--log-keep: add --log-rotate-size SIZE or --log-rotate-every TIME";
    return NULL;
}
