/* SPDX-License-Identifier: MIT */
/*
 * The two waits that wait for nothing but time: for some of it, and for everybody else's turn.
 *
 *  - Both stand on the stack of the fiber that waits; what would end them is taken back when they
 *    are cancelled.
 */
#include "reactor/fiber.h"

typedef struct sleeping {
    torc_wait wait;
    torc_timer timer;
} sleeping;

static void expired(torc_timer *timer) {
    sleeping *self = torc_container_of(timer, sleeping, timer);
    torc_wait_end(&self->wait, TORC_OK);
}

static void cancel_sleep(torc_wait *wait, torc_err reason) {
    sleeping *self = torc_container_of(wait, sleeping, wait);

    torc_timer_cancel(&self->timer);
    torc_wait_end(wait, reason);
}

torc_err torc_sleep(torc_reactor *reactor, uint64_t delay_ms) {
    sleeping self = {0};

    torc_timer_init(&self.timer, reactor, expired);
    torc_timer_arm(&self.timer, delay_ms);
    return torc_fiber_wait(reactor, &self.wait, cancel_sleep);
}

typedef struct yielding {
    torc_wait wait;
    torc_call call;
} yielding;

static void run_yielded(torc_call *call) {
    yielding *self = torc_container_of(call, yielding, call);
    torc_wait_end(&self->wait, TORC_OK);
}

static void cancel_yield(torc_wait *wait, torc_err reason) {
    yielding *self = torc_container_of(wait, yielding, wait);

    torc_call_cancel(&self->call);
    torc_wait_end(wait, reason);
}

torc_err torc_yield(torc_reactor *reactor) {
    yielding self = {.call = {.run = run_yielded}};

    torc_reactor_post(reactor, &self.call);
    return torc_fiber_wait(reactor, &self.wait, cancel_yield);
}
