/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_HAND_CLOCK_H
#define TORC_TESTS_HAND_CLOCK_H

#include "reactor/reactor.h"

/* A clock that stands until the test moves it, for a reactor made over it. */
typedef struct hand_clock {
    torc_clock base;
    uint64_t us;
} hand_clock;

static inline uint64_t hand_clock_us(torc_clock *clock) {
    return torc_container_of(clock, hand_clock, base)->us;
}

static inline int64_t hand_clock_seconds(torc_clock *clock) {
    (void)clock;
    return 1000000000;
}

/* A reactor whose time the test moves; `options` may be NULL. */
static inline torc_err hand_clock_reactor(hand_clock *clock, const torc_reactor_options *options,
                                          torc_reactor **reactor) {
    clock->base.monotonic_us = hand_clock_us;
    clock->base.wall_seconds = hand_clock_seconds;
    clock->us = 1000000;
    return torc_reactor_new_over(options, torc_poller_epoll_new, &clock->base, reactor);
}

static inline void hand_clock_move(hand_clock *clock, uint64_t ms) {
    clock->us += ms * 1000;
}

#endif
