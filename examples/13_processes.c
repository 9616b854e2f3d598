/* SPDX-License-Identifier: MIT */
/* Processes: a route that runs a program, and a helper that is kept running. */
#include <torc/torc.h>

/* What a worker has. */
static torc_process_monitor *helpers;

/* The text is sorted by sort(1), which is given two seconds, and no more than a megabyte. */
static torc_render sort(torc_request *request) {
    const char *const arguments[] = {"-u", NULL}, *const environment[] = {"LC_ALL=C", NULL};
    const torc_spawn_options spawn = {.size = sizeof(spawn),
                                      .program = "sort",
                                      .arguments = arguments,
                                      .environment = environment};
    torc_spawn_error error = {0};
    torc_process_run_options options = {
        .size = sizeof(options), .timeout_ms = 2000, .error = &error};
    torc_process_result *result;

    torc_err err = torc_body_read_all(request, 1 << 20, &options.input);
    if (err) return torc_reply_error(request, err);
    err = torc_process_run_await(torc_request_reactor(request), &spawn, &options, &result);
    if (err && error.err) return torc_reply_failure(request, error.text); /* "no such program: …" */
    if (err) return torc_reply_error(request, err);

    const torc_render answer =
        torc_exit_is_success(&result->status)
            ? torc_reply_bytes(request, 200, "text/plain; charset=utf-8", result->output)
            : torc_reply_failure(request, "sort could not sort it");
    torc_process_result_free(result);
    return answer;
}

static torc_render show_helper(torc_request *request) {
    torc_json *json = torc_reply_json(request, 200);

    torc_json_open_object(json);
    torc_json_member_int(json, "pid", torc_process_monitor_pid(helpers, "ticker"));
    torc_json_member_uint(json, "restarts", torc_process_monitor_restarts(helpers));
    torc_json_close_object(json);
    return torc_reply_end(request);
}

/* The helper ends, and is started again. */
static torc_render restart_helper(torc_request *request) {
    torc_process_monitor_restart(helpers, "ticker");
    return torc_reply_text(request, 202, "restarting\n");
}

static void start(torc_app *app) {
    const char *const arguments[] = {"-c", "while :; do echo tick; sleep 60; done", NULL};
    const torc_spawn_options ticker = {
        .size = sizeof(ticker), .program = "/bin/sh", .arguments = arguments};
    torc_err err = torc_process_monitor_new(torc_app_reactor(app), NULL, &helpers);

    if (!err) err = torc_process_monitor_add(helpers, "ticker", &ticker);
    if (err) torc_app_refuse(app, "the helper cannot be made");
    if (!err) torc_deferred_drop(torc_process_monitor_start(helpers));
}

static void stop(torc_app *app) {
    (void)app;
    torc_process_monitor_free(helpers);
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("processes");
    torc_app_route(app, "POST /sort", sort);
    torc_app_route(app, "GET /helper", show_helper);
    torc_app_route(app, "POST /helper/restart", restart_helper);
    torc_app_on_start(app, start);
    torc_app_on_stop(app, stop);
    torc_app_set_workers(app, 1); /* each would have a helper */
    return torc_app_run(app, argc, argv);
}
