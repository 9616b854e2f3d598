/* SPDX-License-Identifier: MIT */
/*
 * A program whose workers tell who they are, and do on demand what no worker should.
 *
 * --folder DIR holds what a worker reads when it starts: `version`, which must be there; `slow`,
 * for how many milliseconds it takes to start; `crash`, with which it does not come up.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <torc/torc.h>
#include <unistd.h>

static const char *folder = ".";
static char version[32];

/* The first bytes of a file of the folder; false: there is none. */
static bool read_file(const char *name, char text[32]) {
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "r");
    if (!file) return false;
    text[fread(text, 1, 31, file)] = '\0';
    fclose(file);
    return true;
}

static void take_time(const char *ms) {
    const long time_ms = strtol(ms, NULL, 10);
    const struct timespec time = {.tv_sec = time_ms / 1000, .tv_nsec = time_ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void start(torc_app *app) {
    char text[600], slow[32];

    if (read_file("crash", slow)) abort();
    if (read_file("slow", slow)) take_time(slow);
    if (read_file("version", version)) return;
    snprintf(text, sizeof(text), "--folder %s: there is no file `version` in it", folder);
    torc_app_refuse(app, text);
}

static torc_render show_pid(torc_request *request) {
    char text[32];

    snprintf(text, sizeof(text), "%d", (int)getpid());
    return torc_reply_text(request, 200, text);
}

static torc_render show_version(torc_request *request) {
    return torc_reply_text(request, 200, version);
}

/* It takes as long as is asked for. */
static torc_render wait_for_it(torc_request *request) {
    torc_str text;
    uint64_t ms = 0;

    if (torc_request_arg(request, "ms", &text) && torc_str_parse_uint(text, 60000, &ms))
        return torc_reply_status(request, 400, "ms is a number from 0 to 60000");
    const torc_err err = torc_sleep(torc_request_reactor(request), ms);
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "waited");
}

/* It takes as long as its body does to come. */
static torc_render wait_for_body(torc_request *request) {
    torc_str chunk;
    torc_err err;

    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0) continue;
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "read");
}

static torc_render crash(torc_request *request) {
    (void)request;
    abort();
}

/* The whole process, and not this request alone, waits for ever. */
static torc_render hang(torc_request *request) {
    TORC_LOG_INFO(torc_reactor_log(torc_request_reactor(request)), "site", "hanging",
                  TORC_LOG_INT("pid", getpid()));
    while (pause()) continue;
    return TORC_RENDER_DONE;
}

static const char *set_folder(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    folder = value;
    return NULL;
}

int main(int argc, char **argv) {
    const struct rlimit none = {0, 0};
    torc_app *app = torc_app_new("worker_site");

    setrlimit(RLIMIT_CORE, &none);
    torc_app_add_option(app, "folder", "DIR", "what workers read when they start", set_folder);
    torc_app_on_start(app, start);
    torc_app_route(app, "GET /pid", show_pid);
    torc_app_route(app, "GET /version", show_version);
    torc_app_route(app, "GET /slow", wait_for_it);
    torc_app_route(app, "PUT /slow", wait_for_body);
    torc_app_route(app, "GET /crash", crash);
    torc_app_route(app, "GET /hang", hang);
    return torc_app_run(app, argc, argv);
}
