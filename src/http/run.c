/* SPDX-License-Identifier: MIT */
/*
 * Running what answers a request, and acting on its answer.
 *
 *  - While a step runs (is_running), on a fiber or right here, its request does not end.
 *  - One step runs at a time; a handler may run another when the first has returned NOT_DONE_YET.
 */
#include <assert.h>
#include <stdio.h>
#include <torc/log.h>

#include "http/answer_time.h"
#include "reactor/fiber.h"
#include "reactor/stall.h"

/* The render said that it is done, and nothing was finished. */
static void answer_for_it(torc_request *request) {
    torc_reply_nothing(request);
}

static void step_returned(torc_request *request, torc_render answer) {
    if (answer == TORC_RENDER_DECLINED && !request_is_over(request) && !request->is_started)
        request->handler->ops->request_declined(request->handler, request);
    if (answer != TORC_RENDER_NOT_DONE_YET && !request_is_over(request)) answer_for_it(request);
    /* A response that failed and was reset is given up with the render that wrote it. */
    if (answer != TORC_RENDER_NOT_DONE_YET && request->is_reset) torc_request_abort(request);

    request->fiber = NULL;
    request->is_running = false;
    if (answer == TORC_RENDER_NOT_DONE_YET && torc_answer_ms(request) != TORC_UNLIMITED)
        torc_answer_time_watch(request);
    torc_request_settle(request);
}

static torc_err run_on_fiber(void *context);

/* For who looks at fibers from outside. */
static void describe(void *argument, char *text, size_t size) {
    const torc_request *request = argument;
    const torc_str target = torc_request_target_to_log(request);
    const int len = target.len < 100 ? (int)target.len : 100;

    snprintf(text, size, "%.*s %.*s, for %llu ms", TORC_STR_ARGS(torc_request_method_text(request)),
             len, target.bytes, (unsigned long long)(torc_request_duration_us(request) / 1000));
}

__attribute__((noinline, cold)) static void introduce(torc_reactor *reactor) {
    reactor->described_code = (const void *)(uintptr_t)run_on_fiber;
    reactor->describe = describe;
}

/* The request is still there: it is named if it has held up the others. */
static torc_render run_step(torc_request *request) {
    torc_reactor *reactor = request->reactor;
    const torc_render answer = request->step(request, request->step_context);

    if (request->bounds) torc_answer_bounds_end(request);
    if (torc_stall_is_marked(reactor)) {
        introduce(reactor);
        torc_stall_tell(reactor, "request", reactor->described_code, request);
    }
    return answer;
}

/* Apart from the quick path, whose stack it would take. */
__attribute__((noinline, cold)) static torc_render run_until(torc_request *request,
                                                             uint64_t timeout_ms) {
    torc_deadline deadline;

    torc_deadline_begin(request->reactor, &deadline, timeout_ms);
    const torc_render answer = run_step(request);
    torc_deadline_end(request->reactor, &deadline);
    return answer;
}

static torc_err run_on_fiber(void *context) {
    torc_request *request = context;

    step_returned(request, torc_answer_ms(request) == TORC_UNLIMITED
                               ? run_step(request)
                               : run_until(request, torc_answer_left_ms(request)));
    return TORC_OK;
}

static void start_fiber(torc_request *request) {
    if (__builtin_expect(!request->reactor->describe, 0)) introduce(request->reactor);
    const torc_err err = torc_fiber_start(request->reactor, run_on_fiber, request, &request->fiber);

    if (!err) return;
    request->is_running = false;
    torc_reply_error(request, err);
}

void torc_request_run(torc_request *request, torc_request_step_fn *step, void *context,
                      bool on_fiber) {
    assert(!request->is_running);
    if (request_is_over(request)) return;

    request->is_running = true;
    request->step = step;
    request->step_context = context;
    if (on_fiber)
        start_fiber(request);
    else
        step_returned(request, run_step(request));
}
