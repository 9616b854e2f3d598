/* SPDX-License-Identifier: MIT */
/*
 * A tree of services, and the way through it.
 *
 *  - The order of starting is: a service, then its children in order. That of stopping is the
 *    reverse. Which is next is found anew after each step, so that a tree may change meanwhile.
 *  - There is one walk at a time, in the root of what it walks through. It goes forward (starting)
 *    or back (stopping); one that goes forward may turn, and then ends with an error.
 *  - A service counts as started from when its `start` is called, so that one that is cancelled, or
 *    has failed half way, is not stopped: it has cleaned up itself; `is_started` is taken back.
 */
#include <torc/service.h>

#include <assert.h>
#include <string.h>
#include <torc/log.h>

#include "base/alloc.h"
#include "base/list.h"
#include "reactor/reactor.h"

typedef struct torc_service_walk {
    torc_service *root;
    torc_reactor *reactor;
    torc_deferred *started, *stopped; /* who waits for what; NULL: nobody */
    torc_service *current;            /* whose deferred is waited for */
    torc_callback callback;
    torc_call step;
    torc_err err; /* of a start */
    bool is_back, is_hasty;
} torc_service_walk;

static torc_service *service_of(torc_list_node *node) {
    return torc_container_of(node, torc_service, node);
}

static torc_service *first_child(const torc_service *service) {
    torc_list_node *node = service->children.next;
    return node == &service->children ? NULL : service_of(node);
}

static torc_service *next_sibling(const torc_service *service) {
    torc_list_node *node = service->node.next;
    return service->parent && node != &service->parent->children ? service_of(node) : NULL;
}

/* The next of a tree in the order of starting; NULL at the end. */
static torc_service *next_of(const torc_service *root, torc_service *service) {
    torc_service *next = first_child(service);

    while (!next && service != root) {
        next = next_sibling(service);
        service = service->parent;
    }
    return next;
}

/* ---- the tree ---- */

void torc_service_init(torc_service *service, const torc_service_ops *ops, const char *name) {
    *service = (torc_service){.ops = ops, .name = name};
    service->children.next = service->children.prev = &service->children;
}

static void dispose_group(torc_service *service) {
    torc_dealloc(NULL, service);
}

torc_service *torc_service_group_new(const char *name) {
    static const torc_service_ops group_ops = {.dispose = dispose_group};
    torc_service *service = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*service));

    if (service) torc_service_init(service, &group_ops, name);
    return service;
}

void torc_service_add(torc_service *parent, torc_service *child) {
    torc_service_remove(child);
    child->parent = parent;
    torc_list_insert_before(&parent->children, &child->node);
}

void torc_service_remove(torc_service *service) {
    torc_list_remove(&service->node);
    service->parent = NULL;
}

torc_service *torc_service_find(const torc_service *parent, const char *name) {
    for (torc_service *child = first_child(parent); child; child = next_sibling(child))
        if (child->name && strcmp(child->name, name) == 0) return child;
    return NULL;
}

bool torc_service_is_started(const torc_service *service) {
    return service->is_started;
}

void torc_service_free(torc_service *service) {
    torc_service *child;

    if (!service) return;
    assert(!service->is_started && !service->walk);
    torc_service_remove(service);
    while ((child = first_child(service)) != NULL) torc_service_free(child);
    if (service->ops->dispose) service->ops->dispose(service);
}

torc_err torc_service_privileged_start(torc_service *root, torc_service **failed) {
    for (torc_service *service = root; service; service = next_of(root, service)) {
        const torc_err err =
            service->ops->privileged_start ? service->ops->privileged_start(service) : TORC_OK;
        if (!err) continue;
        if (failed) *failed = service;
        return err;
    }
    return TORC_OK;
}

/* ---- walking ---- */

static void go_on(torc_service_walk *self) {
    torc_reactor_post(self->reactor, &self->step);
}

static void report(const torc_service_walk *self, const torc_service *service, const char *text,
                   torc_err err) {
    TORC_LOG_ERROR(torc_reactor_log(self->reactor), "service", text,
                   TORC_LOG_TEXT("service", service->name ? service->name : "unnamed"),
                   TORC_LOG_ERR("error", err));
}

/* One has not started: those that have are stopped. */
static void turn_back(torc_service_walk *self, torc_err err) {
    if (!self->err) self->err = err;
    self->is_back = true;
}

static void mark_stopped(torc_service *service) {
    service->is_started = false;
    service->reactor = NULL;
}

static void step_is_over(torc_service_walk *self, torc_err err) {
    torc_service *service = self->current;
    const bool was_start = service && !self->is_back;

    self->current = NULL;
    if (service && err)
        report(self, service, was_start ? "it could not start" : "it did not stop well", err);
    if (service && (!was_start || err)) mark_stopped(service);
    if (was_start && err) turn_back(self, err);
    go_on(self);
}

static void fired(torc_callback *callback, torc_err err, void *value) {
    (void)value;
    step_is_over(torc_container_of(callback, torc_service_walk, callback), err);
}

static torc_service *next_to_start(const torc_service_walk *self) {
    torc_service *service = self->root;

    while (service && service->is_started) service = next_of(self->root, service);
    return service;
}

static torc_service *next_to_stop(const torc_service_walk *self) {
    torc_service *last = NULL;

    for (torc_service *service = self->root; service; service = next_of(self->root, service))
        if (service->is_started) last = service;
    return last;
}

static torc_deferred *start_one(torc_service_walk *self, torc_service *service) {
    service->is_started = true;
    service->reactor = self->reactor;
    return service->ops->start ? service->ops->start(service, self->reactor) : NULL;
}

static torc_deferred *stop_one(torc_service *service) {
    return service->ops->stop ? service->ops->stop(service) : NULL;
}

static void end(torc_service_walk *self) {
    const torc_service_walk copy = *self;

    self->root->walk = NULL;
    torc_dealloc(&copy.reactor->memory, self);
    if (copy.started && copy.err)
        (void)torc_deferred_fail(copy.started, copy.err);
    else if (copy.started)
        (void)torc_deferred_fire(copy.started, NULL, NULL);
    if (copy.stopped) (void)torc_deferred_fire(copy.stopped, NULL, NULL);
}

static void wait_for(torc_service_walk *self, torc_deferred *deferred) {
    if (self->is_hasty && self->is_back) {
        torc_deferred_drop(deferred);
        step_is_over(self, TORC_OK);
        return;
    }
    torc_deferred_then(deferred, &self->callback, fired);
}

static void run_step(torc_call *call) {
    torc_service_walk *self = torc_container_of(call, torc_service_walk, step);
    torc_service *service = self->is_back ? next_to_stop(self) : next_to_start(self);

    if (!service) {
        end(self);
        return;
    }
    self->current = service;
    torc_deferred *deferred = self->is_back ? stop_one(service) : start_one(self, service);
    if (self->current != service) { /* it was hurried on from in there */
        if (deferred) torc_deferred_drop(deferred);
        return;
    }
    if (deferred)
        wait_for(self, deferred);
    else
        step_is_over(self, TORC_OK);
}

/* What is waited for is not waited for any more. */
static void hurry(torc_service_walk *self, torc_err err) {
    if (!self->current) return;
    torc_callback_cancel(&self->callback);
    step_is_over(self, err);
}

/* ---- starting and stopping ---- */

static torc_service_walk *walk_new(torc_service *root, torc_reactor *reactor) {
    torc_service_walk *self =
        torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    self->root = root;
    self->reactor = reactor;
    self->step.run = run_step;
    root->walk = self;
    go_on(self);
    return self;
}

static void cancel_start(torc_deferred *deferred, void *context) {
    torc_service_walk *self = context;

    (void)deferred;
    if (!self->is_back) hurry(self, TORC_ERR_CANCELLED);
    turn_back(self, TORC_ERR_CANCELLED);
}

static void cancel_stop(torc_deferred *deferred, void *context) {
    torc_service_walk *self = context;

    (void)deferred;
    self->is_hasty = true;
    hurry(self, TORC_ERR_CANCELLED);
}

torc_deferred *torc_service_start(torc_service *service, torc_reactor *reactor) {
    torc_deferred *deferred;
    torc_service_walk *walk;

    if (service->walk) return torc_deferred_failed(reactor, TORC_ERR_BUSY);
    deferred = torc_deferred_new(reactor);
    if (torc_deferred_is_out_of_memory(deferred)) return deferred;
    walk = walk_new(service, reactor);
    if (!walk) {
        (void)torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
        return deferred;
    }
    walk->started = deferred;
    torc_deferred_set_canceller(deferred, cancel_start, walk);
    return deferred;
}

torc_deferred *torc_service_stop(torc_service *service, torc_reactor *reactor) {
    torc_service_walk *walk = service->walk;
    torc_deferred *deferred;

    if (walk && walk->stopped) return torc_deferred_failed(reactor, TORC_ERR_BUSY);
    deferred = torc_deferred_new(reactor);
    if (torc_deferred_is_out_of_memory(deferred)) return deferred;
    if (walk) {
        if (!walk->is_back) hurry(walk, TORC_ERR_CANCELLED);
        turn_back(walk, TORC_ERR_CANCELLED);
    } else {
        walk = walk_new(service, reactor);
        if (walk) walk->is_back = true;
    }
    if (!walk) {
        (void)torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
        return deferred;
    }
    walk->stopped = deferred;
    torc_deferred_set_canceller(deferred, cancel_stop, walk);
    return deferred;
}
