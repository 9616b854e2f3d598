/* SPDX-License-Identifier: MIT */
/*
 * Requests on their way through middlewares.
 *
 *  - `next` is the first that was not told yet. One that was told is told of the response, too: its
 *    hook is added before it is asked.
 *  - A passage waits (is_waiting) from when a middleware has answered NOT_DONE_YET until somebody
 *    proceeds; whoever proceeds while that middleware still runs is heeded when it has returned.
 *  - Where the walk has ended is a copy: what was on the stack is gone by then.
 *  - A passage within another (torc_resource_serve) is kept with the request in its place: only
 *    the inner one can wait then.
 */
#include "web/passage.h"

#include <torc/fiber.h>

#include "base/alloc.h"
#include "web/error_page.h"
#include "web/hosts.h"
#include "web/middleware_new.h"
#include "web/rewrite.h"

typedef struct step {
    torc_response_hook hook;
    torc_middleware *middleware;
} step;

typedef struct passage {
    torc_walk_end end;
    torc_call proceeding;
    torc_request_watch watch; /* while `proceeding` is posted */
    bool on_fiber;
    bool is_running, is_waiting, may_proceed;
    uint32_t count, next;
    step steps[];
} passage;

static const char key;

/* ---- the middlewares of a tree ---- */

void torc_scope_dispose(torc_scope *scope) {
    torc_middleware *middleware;

    if (!scope) return;
    middleware = scope->first;
    torc_error_handlers_dispose(scope->errors);
    torc_rewrites_dispose(scope->rewrites);
    torc_hosts_dispose(scope->hosts);
    while (middleware) {
        torc_middleware *next = middleware->next;
        if (middleware->ops->dispose) middleware->ops->dispose(middleware);
        middleware = next;
    }
    torc_dealloc(NULL, scope);
}

void torc_resource_use(torc_resource *resource, torc_middleware *middleware) {
    torc_scope *scope = torc_scope_of(resource);
    const char *refusal = middleware ? torc_middleware_refusal(middleware) : NULL;
    torc_middleware **last;

    if (!middleware) torc_resource_fail(resource, TORC_ERR_NO_MEMORY, "a middleware");
    if (refusal) torc_resource_fail(resource, TORC_ERR_INVALID, refusal);
    if (!middleware || !scope || refusal) {
        if (middleware && middleware->ops->dispose) middleware->ops->dispose(middleware);
        return;
    }
    middleware->next = NULL;
    for (last = &scope->first; *last; last = &(*last)->next) continue;
    *last = middleware;
}

/* ---- going on ---- */

static void starting(torc_response_hook *hook, torc_request *request) {
    torc_middleware *middleware = torc_container_of(hook, step, hook)->middleware;
    middleware->ops->response_starting(middleware, request);
}

/* Tell the next middleware of the request. */
static torc_render take_step(torc_request *request, step *self) {
    torc_middleware *middleware = self->middleware;
    const torc_middleware_ops *ops = middleware->ops;

    if (ops->response_starting) {
        self->hook.starting = starting;
        torc_request_add_hook(request, &self->hook);
    }
    return ops->request_received ? ops->request_received(middleware, request) : TORC_RENDER_NEXT;
}

static bool proceeds(passage *self, torc_render answer) {
    const bool may =
        answer == TORC_RENDER_NEXT || (answer == TORC_RENDER_NOT_DONE_YET && self->may_proceed);
    self->may_proceed = false;
    return may;
}

static torc_render go_on(torc_request *request, passage *self) {
    while (self->next < self->count) {
        const torc_render answer = take_step(request, &self->steps[self->next++]);

        if (torc_request_is_gone(request)) return TORC_RENDER_DONE;
        if (proceeds(self, answer)) continue;
        self->is_waiting = answer == TORC_RENDER_NOT_DONE_YET;
        return answer;
    }
    return torc_walk_answer(&self->end);
}

const torc_walk_end *torc_passage_end(const torc_request *request) {
    const passage *self = torc_request_value(request, &key);
    return self ? &self->end : NULL;
}

static torc_render run(torc_request *request, void *context) {
    passage *self = context;

    self->is_running = true;
    const torc_render answer = go_on(request, self);
    self->is_running = false;
    return answer;
}

static void proceed(torc_call *call) {
    passage *self = torc_container_of(call, passage, proceeding);

    torc_request_unwatch(&self->watch);
    torc_request_run(self->end.request, run, self, self->on_fiber);
}

/* The request ends before it could go on. */
static void ended(torc_request_watch *watch, torc_request *request, torc_err reason) {
    (void)request;
    (void)reason;
    torc_call_cancel(&torc_container_of(watch, passage, watch)->proceeding);
}

/* Whether a middleware, or one within which it is, was told last. */
static bool is_told_last(const passage *self, const torc_middleware *middleware) {
    const torc_middleware *last = self->next > 0 ? self->steps[self->next - 1].middleware : NULL;

    while (middleware && middleware != last) middleware = middleware->around;
    return middleware != NULL;
}

void torc_middleware_proceed(torc_middleware *middleware, torc_request *request) {
    passage *self = torc_request_value(request, &key);

    if (!self || torc_request_is_gone(request) || !is_told_last(self, middleware)) return;
    if (self->is_waiting) {
        self->is_waiting = false;
        torc_request_watch_end(request, &self->watch, ended);
        torc_reactor_post(torc_request_reactor(request), &self->proceeding);
    } else if (self->is_running) {
        self->may_proceed = true;
    }
}

/* ---- beginning ---- */

static uint32_t count_of(const torc_walk *walk) {
    uint32_t count = 0;

    for (uint32_t i = 0; i < walk->scope_count; i++)
        for (torc_middleware *at = walk->scopes[i].scope->first; at; at = at->next) count++;
    return count;
}

/* Whether the middleware of a resource holds for where the walk has ended. */
static bool holds(const torc_middleware *middleware, const torc_walk *walk,
                  const torc_resource *resource) {
    return !middleware->is_shallow || walk->end.found == resource;
}

static void add_steps(passage *self, const torc_walk *walk, const torc_walk_scope *scope) {
    for (torc_middleware *at = scope->scope->first; at; at = at->next) {
        if (!holds(at, walk, scope->resource)) continue;
        self->steps[self->count++].middleware = at;
        self->on_fiber |= at->on_fiber;
    }
}

/* NULL without memory. */
static passage *new_passage(const torc_walk *walk) {
    torc_request *request = walk->end.request;
    passage *self = torc_arena_alloc(torc_request_arena(request),
                                     sizeof(*self) + count_of(walk) * sizeof(step));

    if (!self || torc_request_set_value(request, &key, self)) return NULL;
    *self = (passage){
        .end = walk->end,
        .proceeding.run = proceed,
        .on_fiber = torc_walk_needs_fiber(&walk->end),
    };
    for (uint32_t i = 0; i < walk->scope_count; i++) add_steps(self, walk, &walk->scopes[i]);
    return self;
}

void torc_passage_begin(const torc_walk *walk) {
    passage *self = new_passage(walk);

    if (self)
        torc_request_run(walk->end.request, run, self, self->on_fiber);
    else
        torc_reply_error(walk->end.request, TORC_ERR_NO_MEMORY);
}

/* Whether what takes a fiber can be run from here. */
static bool may_run(const torc_walk *walk, const passage *self) {
    const bool on_fiber = self ? self->on_fiber : torc_walk_needs_fiber(&walk->end);
    return !on_fiber || torc_fiber_is_here(torc_request_reactor(walk->end.request));
}

torc_render torc_resource_serve(torc_resource *resource, torc_request *request) {
    passage *self = NULL;
    torc_walk walk;

    (void)torc_walk_from(&walk, request, resource);
    torc_errors_note(&walk);
    if (walk.scope_count > 0) {
        self = new_passage(&walk);
        if (!self) return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    }
    if (!may_run(&walk, self))
        return torc_reply_failure(request,
                                  "what runs on a fiber was served from a render that does not");
    return self ? run(request, self) : torc_walk_answer(&walk.end);
}

/* ---- for people ---- */

const void *torc_walk_code(const torc_walk_end *end) {
    if (end->route) return (const void *)(uintptr_t)end->route->render;
    return end->found ? torc_resource_code(end->found) : NULL;
}

const void *torc_passage_code(const torc_request *request) {
    const passage *self = torc_request_value(request, &key);

    if (!self) return NULL;
    if (!self->is_waiting || self->next == 0) return torc_walk_code(&self->end);
    return (const void *)(uintptr_t)self->steps[self->next - 1].middleware->ops->request_received;
}
