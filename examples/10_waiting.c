/* SPDX-License-Identifier: MIT */
/* Waiting: for several things, for the first of them, for one's turn, and not for ever. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <torc/torc.h>

static char name[] = "Ada", city[] = "London", other_city[] = "Paris";

/* What belongs to one worker: who may ask, and the jobs that wait to be done. */
typedef struct office {
    torc_semaphore *counters;
    torc_queue *jobs;
} office;

/* What stands for a service elsewhere: its answer comes after a time. */
static torc_deferred *ask(torc_request *request, char *answer, uint64_t after_ms) {
    return torc_defer_later(torc_request_reactor(request), after_ms, answer, NULL);
}

/* 1. All of them: the answers together, or the first failure, when the others have let go. */
static torc_render show_both(torc_request *request) {
    torc_deferred *questions[] = {ask(request, name, 40), ask(request, city, 60)};
    void *value;
    torc_err err =
        torc_await(torc_deferred_all(torc_request_reactor(request), questions, 2), &value);
    if (err) return torc_reply_error(request, err);

    torc_results *answers = value;
    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_object(json);
    torc_json_member_text(json, "name", torc_results_take(answers, 0));
    torc_json_member_text(json, "city", torc_results_take(answers, 1));
    torc_json_close_object(json);
    torc_results_dispose(answers);
    return torc_reply_end(request);
}

/* 2. The first of them; the other is cancelled. And not for ever. */
static torc_render show_fastest(torc_request *request) {
    torc_deferred *mirrors[] = {ask(request, city, 5000), ask(request, other_city, 20)};
    torc_deferred *fastest = torc_deferred_race(torc_request_reactor(request), mirrors, 2, NULL);
    void *value;
    torc_err err = torc_await(torc_deferred_timeout(fastest, 1000), &value);
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, value);
}

/* 3. A deadline for a whole part of the way, whatever it waits for, and however often. */
static torc_render be_late(torc_request *request) {
    torc_reactor *reactor = torc_request_reactor(request);
    torc_deadline deadline;
    torc_err err = TORC_OK;

    torc_deadline_begin(reactor, &deadline, 100);
    for (int i = 0; i < 100 && !err; i++) err = torc_sleep(reactor, 30);
    torc_deadline_end(reactor, &deadline);
    return torc_reply_error(request, err); /* TORC_ERR_TIMEOUT: 504 */
}

/* 4. One's turn: two are served at a time, the others stand in line. */
static torc_render wait_for_turn(torc_request *request) {
    office *self = torc_request_context(request);
    torc_err err = torc_semaphore_acquire_await(self->counters);
    if (err) return torc_reply_error(request, err); /* it has left the line */

    err = torc_sleep(torc_request_reactor(request), 50);
    torc_semaphore_release(self->counters);
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "served\n");
}

static torc_render reply_without_body(torc_request *request, int status) {
    torc_response_set_status(request, status, NULL);
    return torc_reply_end(request);
}

/* 5. A bounded queue between those who bring work and those who take it. */
static torc_render bring_job(torc_request *request) {
    office *self = torc_request_context(request);
    torc_str body;
    torc_err err = torc_body_read_all(request, 1000, &body);
    if (err) return torc_reply_error(request, err);

    char *job = strndup(body.bytes, body.len);
    err = job ? torc_queue_try_put(self->jobs, job, free) : TORC_ERR_NO_MEMORY;
    if (err) return torc_reply_error(request, err); /* TORC_ERR_LIMIT, the queue is full: 503 */
    return reply_without_body(request, 202);
}

/* Who gives up after 200 ms has taken nothing: the job is the next one's. */
static torc_render take_job(torc_request *request) {
    office *self = torc_request_context(request);
    void *job;
    torc_err err = torc_await(torc_deferred_timeout(torc_queue_get(self->jobs), 200), &job);

    if (err == TORC_ERR_TIMEOUT) return reply_without_body(request, 204);
    if (err) return torc_reply_error(request, err);
    torc_reply_text(request, 200, job);
    free(job);
    return TORC_RENDER_DONE;
}

/* 6. A thread of the program's own, which knows nothing of reactors, fires by a promise. */
static void *compute(void *context) {
    torc_promise *promise = context;

    (void)torc_promise_fire(promise, strdup("from a thread\n"), free); /* too late is no error */
    torc_promise_unref(promise);
    return NULL;
}

static torc_render wait_for_thread(torc_request *request) {
    torc_promise *promise;
    torc_deferred *deferred = torc_promise_new(torc_request_reactor(request), &promise);
    pthread_t thread;
    void *text;

    if (promise && pthread_create(&thread, NULL, compute, promise))
        torc_promise_unref(promise); /* nobody will fire it: it fails */
    else if (promise)
        pthread_detach(thread);
    torc_err err = torc_await(deferred, &text);
    if (err) return torc_reply_error(request, err);
    torc_reply_text(request, 200, text);
    free(text);
    return TORC_RENDER_DONE;
}

/* 7. A failure that says what, where, and what it came from. */
static torc_deferred *explain(void *context, torc_err err, void *value) {
    torc_request *request = context;
    torc_reactor *reactor = torc_request_reactor(request);
    torc_failure *failure;

    if (!err) return torc_deferred_of(reactor, value, NULL);
    failure = torc_failure_new(torc_reactor_memory(reactor), TORC_ERR_NOT_FOUND,
                               "no opening hours for %s", name);
    torc_failure_add_cause(failure, torc_deferred_take_failure(reactor));
    return torc_deferred_failed_with(reactor, TORC_ERR_NOT_FOUND, failure);
}

static torc_render fail(torc_request *request) {
    torc_deferred *question = torc_deferred_timeout(ask(request, city, 5000), 20);
    torc_deferred *answer = torc_deferred_chain(question, explain, request);
    torc_failure *failure;
    void *value;
    torc_err err = torc_await_failure(answer, &value, &failure);
    char text[500];
    torc_buf buf;

    torc_buf_init_fixed(&buf, text, sizeof(text));
    torc_failure_format(failure, &buf); /* for the log; here it is shown */
    torc_failure_free(failure);
    return err ? torc_reply_bytes(request, 404, "text/plain", torc_buf_str(&buf))
               : torc_reply_text(request, 200, value);
}

static office it;

static void start(torc_app *app) {
    torc_reactor *reactor = torc_app_reactor(app);

    if (torc_semaphore_new(reactor, 2, &it.counters) || torc_queue_new(reactor, 3, 100, &it.jobs))
        torc_app_refuse(app, "out of memory");
    torc_app_set_context(app, &it);
}

static void stop(torc_app *app) {
    (void)app;
    torc_queue_free(it.jobs);
    torc_semaphore_free(it.counters);
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("waiting");
    torc_app_set_workers(app, 1); /* the queue is one worker's */
    torc_app_route(app, "GET /both", show_both);
    torc_app_route(app, "GET /fastest", show_fastest);
    torc_app_route(app, "GET /late", be_late);
    torc_app_route(app, "GET /turn", wait_for_turn);
    torc_app_route(app, "POST /jobs", bring_job);
    torc_app_route(app, "GET /jobs", take_job);
    torc_app_route(app, "GET /thread", wait_for_thread);
    torc_app_route(app, "GET /failure", fail);
    torc_app_on_start(app, start);
    torc_app_on_stop(app, stop);
    return torc_app_run(app, argc, argv);
}
