/* SPDX-License-Identifier: MIT */
/*
 * Reactors whose time is moved by hand.
 *
 *  - Time stands still but for torc_test_advance() and torc_test_spend_us(); a wait takes none.
 *  - The wall's clock moves with the monotonic one, but when it is set.
 *  - The parts are a guest of the reactor, and go with it.
 */
#include <assert.h>

#include "base/alloc.h"
#include "testing/late_poller.h"
#include "testing/reactor.h"

enum {
    TURNS_MAX = 10000, /* before what goes on by itself is taken to go on for ever */
    TURNS_PER_MOMENT = 64
};

static const uint64_t START_US = 1000000000;
static const int64_t START_SECONDS = 784111777;

static torc_test_parts *of_clock(torc_clock *clock) {
    return torc_container_of(clock, torc_test_parts, clock);
}

torc_test_parts *torc_test_parts_of(const torc_reactor *reactor) {
    assert(reactor->clock->is_moved);
    return of_clock(reactor->clock);
}

static uint64_t monotonic_us(torc_clock *clock) {
    return of_clock(clock)->now_us;
}

static int64_t wall_us(torc_clock *clock) {
    const torc_test_parts *self = of_clock(clock);
    return START_SECONDS * 1000000 + (int64_t)(self->now_us - START_US) + self->wall_shift_us;
}

static int64_t wall_seconds(torc_clock *clock) {
    const int64_t us = wall_us(clock);
    return us / 1000000 - (us % 1000000 < 0);
}

static void reactor_freed(torc_reactor_guest *guest, torc_reactor *reactor) {
    torc_test_parts *self = torc_container_of(guest, torc_test_parts, guest);

    reactor->sys_faults = NULL;
    reactor->memory.fault = NULL;
    torc_dealloc(NULL, self);
}

static torc_err new_over(const torc_reactor_options *options, torc_poller_new_fn *make,
                         torc_reactor **reactor) {
    torc_test_parts *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->now_us = START_US;
    self->clock = (torc_clock){monotonic_us, wall_seconds, true, wall_us};
    self->guest.reactor_freed = reactor_freed;
    const torc_err err = torc_reactor_new_over(options, make, &self->clock, reactor);
    if (err)
        torc_dealloc(NULL, self);
    else
        torc_reactor_add_guest(*reactor, &self->guest);
    return err;
}

torc_err torc_test_reactor_new(const torc_reactor_options *options, torc_reactor **reactor) {
    return new_over(options, torc_poller_epoll_new, reactor);
}

torc_err torc_test_reactor_new_late(const torc_reactor_options *options, torc_reactor **reactor) {
    return new_over(options, torc_poller_late_new, reactor);
}

static uint64_t progress_of(const torc_reactor *reactor) {
    return reactor->counts.completions + reactor->counts.calls + reactor->counts.bytes_sent;
}

void torc_test_settle(torc_reactor *reactor) {
    uint64_t before;
    int turns = 0;

    do {
        before = progress_of(reactor);
        if (torc_reactor_turn(reactor, 0)) return;
    } while (turns++ < TURNS_MAX &&
             (progress_of(reactor) != before || torc_reactor_is_queued(reactor)));
}

/* A timer that arms itself with no delay is due for ever: after some turns time goes on without it.
 */
void torc_test_advance(torc_reactor *reactor, uint64_t ms) {
    torc_test_parts *self = torc_test_parts_of(reactor);
    const uint64_t until_us = self->now_us + ms * 1000;
    int turns = 0;

    torc_test_settle(reactor);
    for (;;) {
        const uint64_t due_ms = torc_timers_soonest_ms(reactor);
        if (due_ms > until_us / 1000) break;
        if (due_ms * 1000 > self->now_us) {
            self->now_us = due_ms * 1000;
            turns = 0;
        } else if (turns++ == TURNS_PER_MOMENT) {
            if (self->now_us + 1000 > until_us) break;
            self->now_us += 1000;
            turns = 0;
        }
        torc_test_settle(reactor);
    }
    if (self->now_us < until_us) self->now_us = until_us;
    torc_test_settle(reactor);
}

void torc_test_spend_us(torc_reactor *reactor, uint64_t us) {
    torc_test_parts_of(reactor)->now_us += us;
}

void torc_test_set_wall(torc_reactor *reactor, int64_t seconds) {
    torc_test_parts *self = torc_test_parts_of(reactor);
    self->wall_shift_us += seconds * 1000000 - wall_us(&self->clock);
}

void torc_test_finish_jobs(torc_reactor *reactor) {
    while (reactor->counts.jobs != reactor->counts.jobs_ended) {
        if (!torc_reactor_is_queued(reactor) && reactor->poller->ops->wait(reactor->poller, -1))
            return;
        torc_test_settle(reactor);
    }
}
