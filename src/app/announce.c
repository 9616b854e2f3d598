/* SPDX-License-Identifier: MIT */
/*
 * Where a program can be reached: told once, when it serves.
 *
 *  - Who sits at a terminal is told in a few words: what is served, where, and how it is stopped.
 *    Elsewhere, and wherever JSON is asked for, each address is a line of the log.
 *  - Whoever wants no information in the log gets neither.
 */
#include <stdio.h>
#include <unistd.h>

#include "app/app.h"

enum {
    URL_SIZE = TORC_ADDR_TEXT_MAX + 16
};

static const char *scheme_of(const torc_app *app, size_t row) {
    return app->sockets.rows[row]->endpoint.has_tls ? "https" : "http";
}

/* A URL where there is one. */
static const char *url_of(const torc_app *app, size_t row, char url[URL_SIZE]) {
    const torc_addr addr = torc_sockets_addr(&app->sockets, row);
    char text[TORC_ADDR_TEXT_MAX];
    const torc_str where = torc_addr_text(&addr, text);

    if (app->sockets.rows[row]->endpoint.is_stdio)
        snprintf(url, URL_SIZE, "stdio:");
    else if (torc_addr_family(&addr) == AF_UNIX)
        snprintf(url, URL_SIZE, "unix:%.*s", TORC_STR_ARGS(where));
    else
        snprintf(url, URL_SIZE, "%s://%.*s/", scheme_of(app, row), TORC_STR_ARGS(where));
    return url;
}

/* Whether it is at all addresses of the machine: nothing that a browser could be told. */
static bool is_everywhere(const torc_addr *addr) {
    char text[TORC_ADDR_TEXT_MAX];
    const torc_str host = torc_addr_host_text(addr, text);

    return torc_str_equals(host, TORC_STR("0.0.0.0")) || torc_str_equals(host, TORC_STR("::"));
}

static void tell_people(const torc_app *app) {
    char url[URL_SIZE];

    fprintf(stderr, "%s serves %s\n", app->name, app->subject ? app->subject : "its site");
    for (size_t row = 0; row < app->sockets.row_count; row++) {
        const torc_addr addr = torc_sockets_addr(&app->sockets, row);
        if (is_everywhere(&addr))
            fprintf(stderr, "  on %s://localhost:%u/, and on all addresses of this machine\n",
                    scheme_of(app, row), torc_addr_port(&addr));
        else
            fprintf(stderr, "  on %s\n", url_of(app, row, url));
    }
    fprintf(stderr, "Ctrl-C stops it.\n");
}

static void tell_log(const torc_app *app) {
    char url[URL_SIZE];

    if (!torc_log_is_enabled(app->log, "app", TORC_LOG_LEVEL_INFO)) return;
    for (size_t row = 0; row < app->sockets.row_count; row++) {
        const torc_log_field fields[] = {
            TORC_LOG_TEXT("url", url_of(app, row, url)), TORC_LOG_INT("pid", getpid()),
            TORC_LOG_INT("workers", app->settings.workers), TORC_LOG_TEXT("serves", app->subject)};
        torc_log_event(app->log, TORC_LOG_LEVEL_INFO, "app", "listening", fields,
                       app->subject ? 4 : 3);
    }
}

void torc_app_announce(const torc_app *app) {
    if (app->settings.log.format > TORC_LOG_FORMAT_TEXT || app->settings.log.target_count > 0 ||
        !isatty(STDERR_FILENO))
        tell_log(app);
    else if (torc_log_is_enabled(app->log, "app", TORC_LOG_LEVEL_INFO))
        tell_people(app);
}
