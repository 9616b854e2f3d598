/* SPDX-License-Identifier: MIT */
/*
 * Limits of a part of the tree.
 *
 *  - A request is in progress from when it was let in until it has ended, and is counted once. One
 *    that waits stands in the line and is not counted.
 *  - Whoever leaves lets in as many as there is room for, the first in the line first.
 *  - All wait for the same time, so the first in the line is the first whose time is over: one
 *    timer does for all. It is armed while somebody waits.
 */
#include <torc/route_limits.h>

#include <stdio.h>
#include <torc/reply.h>
#include <torc/timer.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/options.h"
#include "http/request.h"
#include "reactor/reactor.h"

enum {
    QUEUE_MS = 10000
};

typedef struct route_limits {
    torc_middleware base;
    torc_route_limits_options options;
    uint32_t in_progress, waiting;
    torc_list line; /* of visits that wait */
    torc_timer timer;
} route_limits;

/* A request that is in progress, or waits. In its arena. */
typedef struct visit {
    torc_request_watch watch;
    torc_list_node node; /* in the line */
    route_limits *limits;
    torc_request *request;
    uint64_t due_ms;
    bool waits;
} visit;

static route_limits *self_of(torc_middleware *middleware) {
    return torc_container_of(middleware, route_limits, base);
}

/* ---- how many at a time ---- */

static torc_render refuse(const route_limits *self, torc_request *request) {
    char text[12];

    snprintf(text, sizeof(text), "%u",
             (unsigned)(self->options.retry_after_s ? self->options.retry_after_s : 1));
    torc_response_set(request, "Retry-After", torc_str_of(text));
    return torc_reply_status(request, 503, "Too many requests are in progress.");
}

static visit *first_in_line(const route_limits *self) {
    torc_list_node *node = torc_list_first(&self->line);
    return node ? torc_container_of(node, visit, node) : NULL;
}

static void leave_line(route_limits *self, visit *of) {
    torc_list_remove(&of->node);
    of->waits = false;
    if (--self->waiting == 0) torc_timer_cancel(&self->timer);
}

static void let_in(route_limits *self) {
    visit *next;

    while (self->in_progress < self->options.requests_max && (next = first_in_line(self))) {
        leave_line(self, next);
        self->in_progress++;
        torc_middleware_proceed(&self->base, next->request);
    }
}

static void ended(torc_request_watch *watch, torc_request *request, torc_err reason) {
    visit *self = torc_container_of(watch, visit, watch);
    route_limits *limits = self->limits;

    (void)request;
    (void)reason;
    if (self->waits)
        leave_line(limits, self);
    else
        limits->in_progress--;
    let_in(limits);
}

/* The first in the line have waited for too long. */
static void expired(torc_timer *timer) {
    route_limits *self = torc_container_of(timer, route_limits, timer);
    visit *first;

    while ((first = first_in_line(self)) && first->due_ms <= timer->reactor->now_ms) {
        leave_line(self, first);
        torc_request_unwatch(&first->watch);
        refuse(self, first->request);
    }
    if (first) torc_timer_arm_at(&self->timer, first->due_ms);
}

static torc_render wait_in_line(route_limits *self, visit *of) {
    torc_reactor *reactor = torc_request_reactor(of->request);
    const uint32_t queue_ms = self->options.queue_ms ? self->options.queue_ms : QUEUE_MS;

    of->waits = true;
    of->due_ms = reactor->now_ms + queue_ms;
    torc_list_push(&self->line, &of->node);
    if (self->waiting++ == 0) {
        torc_timer_init(&self->timer, reactor, expired);
        torc_timer_arm_at(&self->timer, of->due_ms);
    }
    return TORC_RENDER_NOT_DONE_YET;
}

static torc_render enter(route_limits *self, torc_request *request) {
    const bool is_full = self->in_progress >= self->options.requests_max || self->waiting > 0;
    visit *of;

    if (is_full && self->waiting >= self->options.queue_max) return refuse(self, request);
    of = torc_arena_alloc(torc_request_arena(request), sizeof(*of));
    if (!of) return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    of->limits = self;
    of->request = request;
    of->waits = false;
    torc_request_watch_end(request, &of->watch, ended);
    if (is_full) return wait_in_line(self, of);
    self->in_progress++;
    return TORC_RENDER_NEXT;
}

/* ---- bodies and answers ---- */

static void limit_body(const torc_route_limits_options *options, torc_request *request) {
    torc_limits *limits;

    if (!options->body_bytes_max && !options->body_memory_max && !options->body_stall_ms &&
        !options->body_rate_min && !options->body_ms)
        return;
    if (torc_request_content_length(request) == 0) return;
    limits = torc_request_limits(request);
    if (options->body_bytes_max) limits->body_bytes_max = options->body_bytes_max;
    if (options->body_memory_max) limits->body_memory_max = options->body_memory_max;
    if (options->body_stall_ms) limits->body_stall_ms = options->body_stall_ms;
    if (options->body_rate_min) limits->body_rate_min = options->body_rate_min;
    if (options->body_ms) limits->body_ms = options->body_ms;
}

static bool is_too_large(const torc_route_limits_options *options, const torc_request *request) {
    const int64_t len = torc_request_content_length(request);
    return options->body_bytes_max && len > 0 && (uint64_t)len > options->body_bytes_max;
}

static torc_render request_received(torc_middleware *middleware, torc_request *request) {
    route_limits *self = self_of(middleware);
    const torc_route_limits_options *options = &self->options;

    if (is_too_large(options, request)) return torc_reply_error(request, TORC_ERR_TOO_LARGE);
    limit_body(options, request);
    if (options->answer_ms) {
        const torc_err err = torc_request_bound_answer(request, options->answer_ms);
        if (err) return torc_reply_error(request, err);
    }
    return options->requests_max ? enter(self, request) : TORC_RENDER_NEXT;
}

/* ---- life ---- */

static void dispose(torc_middleware *middleware) {
    torc_dealloc(NULL, self_of(middleware));
}

static const torc_middleware_ops ops = {
    .request_received = request_received,
    .dispose = dispose,
    .name = "limits",
};

torc_middleware *torc_route_limits_new(const torc_route_limits_options *given) {
    route_limits *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    TORC_OPTIONS_READ(&self->options, given);
    self->base.ops = &ops;
    torc_list_init(&self->line);
    return &self->base;
}
