/* SPDX-License-Identifier: MIT */
/*
 * How long the answer to a request may take (answer_ms).
 *
 *  - While a step runs on a fiber its waits are bounded, by deadlines of that fiber; a narrower
 *    bound that is set on the way is one more, and ends with the step.
 *  - A request that a step has left NOT_DONE_YET is answered with 504 when the time is over and
 *    nothing of the response has gone: whoever was to answer finds it gone. A response that has
 *    begun is bounded by the limits of its output alone.
 *  - The time begins with the request's head.
 */
#include <torc/fiber.h>

#include "http/answer_time.h"

typedef struct answer_time {
    torc_holding holding;
    torc_timer timer;
    torc_request *request;
} answer_time;

struct torc_answer_bound {
    torc_deadline deadline;
    torc_answer_bound *outer;
};

uint32_t torc_answer_ms(const torc_request *request) {
    const torc_limits *own = request->handler->limits;
    const size_t known = offsetof(torc_limits, answer_ms) + sizeof(own->answer_ms);
    uint32_t ms = own && own->size >= known ? own->answer_ms : 0;

    if (request->limits_are_own) ms = request->limits.answer_ms;
    if (!ms) ms = request->exchange->limits->answer_ms;
    return ms ? ms : TORC_UNLIMITED;
}

/* Milliseconds that are left of so many. */
static uint64_t left_of(const torc_request *request, uint32_t ms) {
    const uint64_t passed_ms = (request->reactor->now_us - request->started_us) / 1000;
    return passed_ms < ms ? ms - passed_ms : 0;
}

uint64_t torc_answer_left_ms(const torc_request *request) {
    return left_of(request, torc_answer_ms(request));
}

/* ---- without a step ---- */

static void expired(torc_timer *timer) {
    torc_request *request = torc_container_of(timer, answer_time, timer)->request;

    if (request_is_over(request) || request->is_started || request->is_running) return;
    torc_reply_error(request, TORC_ERR_TIMEOUT);
}

static void release(torc_holding *holding) {
    torc_timer_cancel(&torc_container_of(holding, answer_time, holding)->timer);
}

void torc_answer_time_watch(torc_request *request) {
    answer_time *self = torc_arena_alloc(request->arena, sizeof(*self));

    if (!self) { /* what cannot be bounded is not begun */
        if (!request->is_started) torc_reply_error(request, TORC_ERR_NO_MEMORY);
        return;
    }
    self->holding.release = release;
    self->request = request;
    torc_timer_init(&self->timer, request->reactor, expired);
    torc_request_hold(request, &self->holding);
    torc_timer_arm(&self->timer, torc_answer_left_ms(request));
}

/* ---- narrower bounds ---- */

torc_err torc_request_bound_answer(torc_request *request, uint32_t ms) {
    torc_answer_bound *bound;

    if (torc_answer_ms(request) <= ms) return TORC_OK;
    torc_request_limits(request)->answer_ms = ms;
    if (!request->is_running || !torc_fiber_is_here(request->reactor)) return TORC_OK;
    bound = torc_arena_alloc(request->arena, sizeof(*bound));
    if (!bound) return TORC_ERR_NO_MEMORY;
    torc_deadline_begin(request->reactor, &bound->deadline, left_of(request, ms));
    bound->outer = request->bounds;
    request->bounds = bound;
    return TORC_OK;
}

void torc_answer_bounds_end(torc_request *request) {
    for (; request->bounds; request->bounds = request->bounds->outer)
        torc_deadline_end(request->reactor, &request->bounds->deadline);
}
