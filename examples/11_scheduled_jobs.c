/* SPDX-License-Identifier: MIT */
/* Jobs beside requests: by a cron expression, and at intervals. */
#include <stdio.h>
#include <torc/torc.h>

/* What the jobs have done; of one process. */
typedef struct shop {
    torc_reactor *reactor;
    torc_cron_job *report;
    uint64_t reports, samples, missed;
    int64_t reported_at;
} shop;

/* Every minute, or as --report-at says. It runs on a fiber, so it may wait: here for what stands
 * for a query. A run that is not over when the next is due lets that be missed. */
static torc_err report(void *context, const torc_cron_run *run) {
    shop *self = context;
    const torc_err err = torc_sleep(self->reactor, 50);

    if (err) return err; /* cancelled: the program stops */
    self->reports++;
    self->reported_at = run->due;
    TORC_LOG_INFO(torc_reactor_log(self->reactor), "shop", "report",
                  TORC_LOG_UINT("number", self->reports), TORC_LOG_UINT("missed", run->missed));
    return TORC_OK;
}

/* Ten times a second, as a service: from the start of the program to its end. `count` is more than
 * 1 when the reactor was held up. */
static torc_deferred *sample(void *context, uint64_t count) {
    shop *self = context;

    self->samples++;
    self->missed += count - 1;
    return NULL;
}

static torc_render show(torc_request *request) {
    const shop *self = torc_request_context(request);
    torc_json *json = torc_reply_json(request, 200);

    torc_json_open_object(json);
    torc_json_member_int(json, "reports", (int64_t)self->reports);
    torc_json_member_int(json, "reported_at", self->reported_at);
    torc_json_member_int(json, "next_report_at", torc_cron_job_next(self->report));
    torc_json_member_int(json, "samples", (int64_t)self->samples);
    torc_json_member_int(json, "samples_missed", (int64_t)self->missed);
    torc_json_close_object(json);
    return torc_reply_end(request);
}

static const char *report_at = "* * * * *", *zone = "local";

static const char *set_report_at(torc_app *app, const char *value, char text[160]) {
    torc_cron_error error;
    torc_cron cron;

    (void)app;
    report_at = value;
    if (!torc_cron_parse(torc_str_of(value), &cron, &error)) return NULL;
    snprintf(text, 160, "%s", error.text);
    return text;
}

static const char *set_zone(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    zone = value;
    return NULL;
}

static shop it;

static void start(torc_app *app) {
    const torc_cron_options options = {.size = sizeof(options), .name = "report", .zone = zone};
    torc_cron_error error;

    it.reactor = torc_app_reactor(app);
    torc_app_set_context(app, &it);
    if (torc_cron_job_new_on_fiber(it.reactor, report_at, &options, report, &it, &error,
                                   &it.report))
        torc_app_refuse(app, error.text);
}

static void stop(torc_app *app) {
    (void)app;
    torc_cron_job_free(it.report);
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("scheduled_jobs");
    torc_app_set_workers(app, 1); /* every worker would have its own jobs */
    torc_app_route(app, "GET /", show);
    torc_app_add_option(app, "report-at", "TEXT", "cron expression of the report; * * * * *",
                        set_report_at);
    torc_app_add_option(app, "zone", "NAME", "time zone of the report; local", set_zone);
    torc_app_add_service(app, torc_looping_service_new("samples", 100, sample, &it));
    torc_app_on_start(app, start);
    torc_app_on_stop(app, stop);
    return torc_app_run(app, argc, argv);
}
