/* SPDX-License-Identifier: MIT */
/*
 * Promises: deferreds fired by any thread.
 *
 *  - A promise is held by its holders and, until its deferred has been fired or cancelled, by its
 *    reactor; the last one frees it. It comes from no reactor's memory.
 *  - The mutex guards `state` and `reactor`. Who moves the state away from PROMISE_OPEN alone
 *    decides the result: a holder, or the cancellation.
 *  - The reactor's call is posted with the mutex held, and only while the deferred has not been
 *    cancelled. A reactor that is freed cancels all deferreds first, and runs what was posted; so
 *    nobody touches it afterwards.
 */
#include <torc/promise.h>

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "reactor/reactor.h"

typedef enum promise_state {
    PROMISE_OPEN,
    PROMISE_FIRED,
    PROMISE_CANCELLED
} promise_state;

struct torc_promise {
    torc_thread_call call;
    torc_reactor *reactor; /* while the deferred waits */
    torc_deferred *deferred;
    void *value;
    torc_dispose_fn *dispose;
    const char *failed_at;
    atomic_size_t holders; /* threads; and the reactor */
    atomic_size_t owners;  /* threads alone */
    torc_err err;
    promise_state state;
    bool is_over; /* the reactor was freed */
    pthread_mutex_t mutex;
};

static void unhold(torc_promise *promise) {
    if (atomic_fetch_sub_explicit(&promise->holders, 1, memory_order_acq_rel) != 1) return;
    pthread_mutex_destroy(&promise->mutex);
    torc_dealloc(NULL, promise);
}

/* On the reactor's thread: the result has come. */
static void run(torc_thread_call *call) {
    torc_promise *promise = torc_container_of(call, torc_promise, call);

    if (promise->err)
        (void)torc_deferred_fail_at(promise->deferred, promise->err, promise->failed_at);
    else
        (void)torc_deferred_fire(promise->deferred, promise->value, promise->dispose);
    unhold(promise);
}

/* Whether the result is still open; then it is this one. */
static torc_err settle(torc_promise *promise, torc_err err, void *value, torc_dispose_fn *dispose,
                       const char *place) {
    torc_err answer = TORC_OK;

    pthread_mutex_lock(&promise->mutex);
    if (promise->state == PROMISE_OPEN) {
        promise->state = PROMISE_FIRED;
        promise->err = err;
        promise->value = value;
        promise->dispose = dispose;
        promise->failed_at = place;
        torc_reactor_call_from_thread(promise->reactor, &promise->call);
    } else if (promise->state == PROMISE_FIRED) {
        answer = TORC_ERR_STATE;
    } else {
        answer = promise->is_over ? TORC_ERR_GONE : TORC_ERR_CANCELLED;
    }
    pthread_mutex_unlock(&promise->mutex);
    return answer;
}

torc_err torc_promise_fire(torc_promise *promise, void *value, torc_dispose_fn *dispose) {
    const torc_err err = settle(promise, TORC_OK, value, dispose, NULL);

    if (err) torc_deferred_dispose_of(value, dispose);
    return err;
}

torc_err torc_promise_fail_at(torc_promise *promise, torc_err err, const char *place) {
    return settle(promise, err, NULL, NULL, place);
}

torc_err(torc_promise_fail)(torc_promise *promise, torc_err err) {
    return torc_promise_fail_at(promise, err, NULL);
}

bool torc_promise_is_wanted(torc_promise *promise) {
    pthread_mutex_lock(&promise->mutex);
    const bool is_wanted = promise->state == PROMISE_OPEN;
    pthread_mutex_unlock(&promise->mutex);
    return is_wanted;
}

torc_promise *torc_promise_ref(torc_promise *promise) {
    atomic_fetch_add_explicit(&promise->owners, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&promise->holders, 1, memory_order_relaxed);
    return promise;
}

void torc_promise_unref(torc_promise *promise) {
    if (!promise) return;
    if (atomic_fetch_sub_explicit(&promise->owners, 1, memory_order_acq_rel) == 1)
        (void)settle(promise, TORC_ERR_GONE, NULL, NULL, TORC_PLACE);
    unhold(promise);
}

/* Called on the reactor's thread, when nobody waits any more. */
static void cancel(torc_deferred *deferred, void *context) {
    torc_promise *promise = context;

    pthread_mutex_lock(&promise->mutex);
    const bool is_open = promise->state == PROMISE_OPEN;
    if (is_open) promise->state = PROMISE_CANCELLED;
    promise->is_over = promise->reactor->is_ending;
    promise->reactor = NULL;
    pthread_mutex_unlock(&promise->mutex);
    /* One that was fired in this instant comes by the call, and is disposed of. */
    if (!is_open) return;
    (void)torc_deferred_fail_at(deferred, TORC_ERR_CANCELLED, NULL);
    unhold(promise);
}

torc_deferred *(torc_promise_new)(torc_reactor *reactor, torc_promise **promise) {
    torc_deferred *deferred = torc_deferred_new(reactor);
    torc_promise *made = NULL;

    if (!torc_deferred_is_out_of_memory(deferred))
        made = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*made));
    *promise = made;
    if (!made) {
        (void)torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
        return deferred;
    }
    made->call.run = run;
    made->reactor = reactor;
    made->deferred = deferred;
    atomic_init(&made->holders, 2);
    atomic_init(&made->owners, 1);
    pthread_mutex_init(&made->mutex, NULL);
    torc_deferred_set_canceller(deferred, cancel, made);
    return deferred;
}
