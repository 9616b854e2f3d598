/* SPDX-License-Identifier: MIT */
/*
 * Threads that wait for the reactor's.
 *
 *  - A call is held by its thread, and by the reactor from its posting until it has ended there. It
 *    is memory of no reactor, and the last of the two frees it.
 *  - It is in the list while its thread waits. It ends once: by its result, or because the reactor
 *    is being freed; what comes after that finds it ended.
 *  - The mutex guards the list, the ends and the counts; nothing of the program is called with it.
 *  - The mutex is the reactor's, and so is what a thread posts to: a reactor that is freed waits
 *    until no thread is in a call (`inside`), which they leave at once when theirs has ended.
 */
#include "reactor/blocking_call.h"

#include <assert.h>
#include <pthread.h>

#include "reactor/reactor.h"

typedef struct blocking_call {
    torc_thread_call call;
    torc_reactor *reactor;
    torc_blocking_fn *run;
    torc_thread_fn *run_plain; /* instead of `run` */
    void *context;
    bool wants_value;
    torc_owner owner; /* of the deferred */
    bool is_begun;    /* on the reactor's thread, which alone looks */
    pthread_cond_t ended;
    bool has_ended;
    uint32_t refs;
    torc_err err;
    void *value;
    torc_list_node node;
} blocking_call;

void torc_blocking_calls_init(torc_reactor *reactor) {
    reactor->thread = pthread_self();
    pthread_mutex_init(&reactor->blocking_mutex, NULL);
    pthread_cond_init(&reactor->blocking_left, NULL);
    torc_list_init(&reactor->blocking_calls);
}

void torc_blocking_calls_dispose(torc_reactor *reactor) {
    pthread_cond_destroy(&reactor->blocking_left);
    pthread_mutex_destroy(&reactor->blocking_mutex);
}

/* ---- both threads ---- */

/* With the mutex held. */
static bool is_last(blocking_call *self) {
    return --self->refs == 0;
}

static void free_call(blocking_call *self) {
    pthread_cond_destroy(&self->ended);
    torc_dealloc(NULL, self);
}

/* ---- the reactor's thread ---- */

static void let_go(blocking_call *self) {
    torc_reactor *reactor = self->reactor;

    pthread_mutex_lock(&reactor->blocking_mutex);
    const bool last = is_last(self);
    pthread_mutex_unlock(&reactor->blocking_mutex);
    if (last) free_call(self);
}

static void end(blocking_call *self, torc_err err, void *value) {
    torc_reactor *reactor = self->reactor;

    pthread_mutex_lock(&reactor->blocking_mutex);
    torc_list_remove(&self->node);
    self->has_ended = true;
    self->err = err;
    self->value = value;
    pthread_cond_signal(&self->ended);
    pthread_mutex_unlock(&reactor->blocking_mutex);
}

static void fired(torc_callback *callback, torc_err err, void *value) {
    blocking_call *self = torc_container_of(callback, blocking_call, owner.callback);

    if (!err && !self->wants_value) {
        torc_deferred_dispose_of(value, self->owner.dispose);
        value = NULL;
    }
    end(self, err, value);
    let_go(self);
}

static bool has_ended(blocking_call *self) {
    torc_reactor *reactor = self->reactor;

    pthread_mutex_lock(&reactor->blocking_mutex);
    const bool ended = self->has_ended;
    pthread_mutex_unlock(&reactor->blocking_mutex);
    return ended;
}

static void begin(torc_thread_call *call) {
    blocking_call *self = torc_container_of(call, blocking_call, call);

    if (has_ended(self)) {
        let_go(self);
    } else if (self->run_plain) {
        end(self, self->run_plain(self->context), NULL);
        let_go(self);
    } else {
        self->is_begun = true;
        torc_deferred_own(self->run(self->reactor, self->context), &self->owner, fired);
    }
}

/* One that waits, or NULL; no more come. */
static blocking_call *take_one(torc_reactor *reactor) {
    torc_list_node *node;

    pthread_mutex_lock(&reactor->blocking_mutex);
    reactor->refuses_blocking_calls = true;
    node = torc_list_pop(&reactor->blocking_calls);
    pthread_mutex_unlock(&reactor->blocking_mutex);
    return node ? torc_container_of(node, blocking_call, node) : NULL;
}

/* What was begun is cancelled before its thread is told; what was not finds that it has ended. */
void torc_blocking_calls_stop(torc_reactor *reactor) {
    blocking_call *self;

    while ((self = take_one(reactor)) != NULL) {
        const bool is_begun = self->is_begun;
        if (is_begun) torc_callback_cancel(&self->owner.callback);
        end(self, TORC_ERR_STOPPING, NULL);
        if (is_begun) let_go(self);
    }
    pthread_mutex_lock(&reactor->blocking_mutex);
    while (reactor->blocking_inside > 0)
        pthread_cond_wait(&reactor->blocking_left, &reactor->blocking_mutex);
    pthread_mutex_unlock(&reactor->blocking_mutex);
}

/* ---- the thread that waits ---- */

static torc_err enlist(blocking_call *self) {
    torc_reactor *reactor = self->reactor;

    pthread_mutex_lock(&reactor->blocking_mutex);
    const bool is_refused = reactor->refuses_blocking_calls;
    if (!is_refused) {
        torc_list_push(&reactor->blocking_calls, &self->node);
        reactor->blocking_inside++;
    }
    pthread_mutex_unlock(&reactor->blocking_mutex);
    return is_refused ? TORC_ERR_STOPPING : TORC_OK;
}

/* Wait for the end, and let go. */
static torc_err wait_for(blocking_call *self, void **value) {
    torc_reactor *reactor = self->reactor;

    pthread_mutex_lock(&reactor->blocking_mutex);
    while (!self->has_ended) pthread_cond_wait(&self->ended, &reactor->blocking_mutex);
    const torc_err err = self->err;
    void *const result = self->value;
    const bool last = is_last(self);
    if (--reactor->blocking_inside == 0) pthread_cond_signal(&reactor->blocking_left);
    pthread_mutex_unlock(&reactor->blocking_mutex);
    if (last) free_call(self);
    if (!err && value) *value = result;
    return err;
}

static torc_err call_and_wait(const blocking_call *wanted, void **value) {
    blocking_call *self = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*self));

    assert(!pthread_equal(pthread_self(), wanted->reactor->thread) && "it would wait for itself");
    if (!self) return TORC_ERR_NO_MEMORY;
    *self = *wanted;
    self->call.run = begin;
    self->refs = 2;
    pthread_cond_init(&self->ended, NULL);
    const torc_err err = enlist(self);
    if (err) {
        free_call(self);
        return err;
    }
    torc_reactor_call_from_thread(self->reactor, &self->call);
    return wait_for(self, value);
}

torc_err torc_await_from_thread(torc_reactor *reactor, torc_blocking_fn *run, void *context,
                                void **value) {
    const blocking_call wanted = {
        .reactor = reactor, .run = run, .context = context, .wants_value = value != NULL};
    return call_and_wait(&wanted, value);
}

torc_err torc_call_from_thread_and_wait(torc_reactor *reactor, torc_thread_fn *run, void *context) {
    const blocking_call wanted = {.reactor = reactor, .run_plain = run, .context = context};
    return call_and_wait(&wanted, NULL);
}
