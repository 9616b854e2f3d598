/* SPDX-License-Identifier: MIT */
/*
 * The watchdog of a reactor.
 *
 *  - `beat` is even from the end of a wait to the beginning of the next, and another in each turn.
 *    The same even one for as long as the limit means that the turn is not over.
 *  - A turn is marked once. The mark is taken away by who names what held it; the innermost comes
 *    first, so a route is named rather than the fiber's call.
 *  - The thread takes no signals, and logs itself only what does not come back.
 */
#include "reactor/stall.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <torc/log.h>

#include "base/alloc.h"
#include "base/monotonic.h"
#include "base/symbol.h"

enum {
    LOOKS = 4,      /* in the time of the limit */
    LOST_AFTER = 50 /* limits: said by the thread, since nobody else does */
};

typedef struct torc_stall {
    torc_reactor *reactor;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t ending;
    bool is_ending; /* guarded by the mutex */
    uint64_t limit_us;
    /* The thread's. */
    uint64_t beat, since_us;
    bool is_marked, is_lost;
} torc_stall;

/* ---- the thread ---- */

static void look(torc_stall *self, uint64_t now_us) {
    torc_reactor *reactor = self->reactor;
    const uint64_t beat = atomic_load_explicit(&reactor->beat, memory_order_relaxed);

    if (beat != self->beat || beat % 2 != 0) {
        self->beat = beat;
        self->since_us = now_us;
        self->is_marked = self->is_lost = false;
        return;
    }
    const uint64_t held_us = now_us - self->since_us;
    if (held_us >= self->limit_us && !self->is_marked) {
        self->is_marked = true;
        atomic_store_explicit(&reactor->is_stalled, true, memory_order_relaxed);
    }
    if (held_us >= self->limit_us * LOST_AFTER && !self->is_lost) {
        self->is_lost = true;
        TORC_LOG_ERROR(torc_reactor_log(reactor), "stall", "the reactor does not go on",
                       TORC_LOG_UINT("ms", held_us / 1000));
    }
}

static struct timespec next_look(const torc_stall *self) {
    const uint64_t at_us = torc_monotonic_us() + self->limit_us / LOOKS;

    return (struct timespec){.tv_sec = (time_t)(at_us / 1000000),
                             .tv_nsec = (long)(at_us % 1000000 * 1000)};
}

static void *watch(void *context) {
    torc_stall *self = context;

    pthread_mutex_lock(&self->mutex);
    while (!self->is_ending) {
        const struct timespec until = next_look(self);
        pthread_cond_timedwait(&self->ending, &self->mutex, &until);
        if (!self->is_ending) look(self, torc_monotonic_us());
    }
    pthread_mutex_unlock(&self->mutex);
    return NULL;
}

/* ---- starting and stopping ---- */

static bool start_thread(torc_stall *self) {
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    const bool fine = pthread_create(&self->thread, NULL, watch, self) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return fine;
}

static void dispose(torc_stall *self) {
    pthread_cond_destroy(&self->ending);
    pthread_mutex_destroy(&self->mutex);
    torc_dealloc(&self->reactor->memory, self);
}

torc_err torc_stall_start(torc_reactor *reactor) {
    torc_stall *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    pthread_condattr_t monotonic;

    if (!self) return TORC_ERR_NO_MEMORY;
    self->reactor = reactor;
    self->limit_us = (uint64_t)reactor->options.stall_ms * 1000;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->ending, &monotonic);
    pthread_condattr_destroy(&monotonic);
    atomic_store_explicit(&reactor->beat, 1, memory_order_relaxed); /* it does not turn yet */
    if (!start_thread(self)) {
        dispose(self);
        return TORC_ERR_LIMIT;
    }
    reactor->stall = self;
    return TORC_OK;
}

void torc_stall_stop(torc_reactor *reactor) {
    torc_stall *self = reactor->stall;

    if (!self) return;
    reactor->stall = NULL;
    pthread_mutex_lock(&self->mutex);
    self->is_ending = true;
    pthread_cond_signal(&self->ending);
    pthread_mutex_unlock(&self->mutex);
    pthread_join(self->thread, NULL);
    dispose(self);
}

/* ---- telling ---- */

void torc_stall_tell(torc_reactor *reactor, const char *kind, const void *code, void *argument) {
    const uint64_t now_us = reactor->clock->monotonic_us(reactor->clock);
    const uint64_t held_us = now_us - reactor->looked_us;
    char symbol[TORC_SYMBOL_TEXT] = "", text[200] = "";

    atomic_store_explicit(&reactor->is_stalled, false, memory_order_relaxed);
    if (code) torc_symbol_text(code, symbol);
    if (code && argument && code == reactor->described_code)
        reactor->describe(argument, text, sizeof(text));
    TORC_LOG_WARN(torc_reactor_log(reactor), "stall", "the reactor was held up",
                  TORC_LOG_TEXT("by", kind), TORC_LOG_TEXT("what", text[0] ? text : symbol),
                  TORC_LOG_UINT("ms", held_us / 1000));
}
