/* SPDX-License-Identifier: MIT */
/*
 * The timers of one reactor, in a heap with the soonest on top.
 *
 *  - A timer is in the heap exactly while it is armed (`order` is not 0).
 *  - Timers due in the same millisecond expire in the order they were armed in.
 *  - A timer leaves the heap before its callback runs, so the callback may do anything with it,
 *    even free it.
 */
#include <torc/timer.h>

#include "reactor/reactor.h"
#include "reactor/stall.h"

enum {
    LOOK_AT_CLOCK_EVERY = 16
};

static torc_timer *timer_of(const torc_heap_node *node) {
    return torc_container_of((uintptr_t)node, torc_timer, node);
}

bool torc_timer_before(const torc_heap_node *a, const torc_heap_node *b) {
    const torc_timer *x = timer_of(a), *y = timer_of(b);
    return x->due_ms != y->due_ms ? x->due_ms < y->due_ms : x->order < y->order;
}

void torc_timer_init(torc_timer *timer, torc_reactor *reactor, torc_timer_fn *expired) {
    *timer = (torc_timer){.reactor = reactor, .expired = expired};
}

void torc_timer_arm_at(torc_timer *timer, uint64_t due_ms) {
    torc_reactor *reactor = timer->reactor;

    torc_timer_cancel(timer);
    timer->due_ms = due_ms;
    timer->order = ++reactor->timers_armed;
    torc_heap_push(&reactor->timers, &timer->node);
}

/* Rounded up: a delay is at least as long as it was asked for. */
void torc_timer_arm(torc_timer *timer, uint64_t delay_ms) {
    const uint64_t now_us = timer->reactor->now_us;

    torc_timer_arm_at(
        timer, delay_ms > UINT64_MAX / 2000 ? UINT64_MAX : (now_us + delay_ms * 1000 + 999) / 1000);
}

void torc_timer_cancel(torc_timer *timer) {
    if (!torc_timer_is_armed(timer)) return;
    torc_heap_remove(&timer->reactor->timers, &timer->node);
    timer->order = 0;
}

bool torc_timer_is_armed(const torc_timer *timer) {
    return timer->order != 0;
}

static torc_timer *soonest(const torc_reactor *reactor) {
    torc_heap_node *top = torc_heap_top(&reactor->timers);
    return top ? timer_of(top) : NULL;
}

uint64_t torc_timers_soonest_ms(const torc_reactor *reactor) {
    const torc_timer *timer = soonest(reactor);
    return timer ? timer->due_ms : UINT64_MAX;
}

static bool is_late(const torc_reactor *reactor) {
    return reactor->clock->monotonic_us(reactor->clock) >= reactor->now_us + TORC_TURN_TIMERS_US;
}

/*
 * Call the timers that are due. Those armed by the callbacks wait for the next turn, even with no
 * delay: a timer that arms itself with 0 must not hold the reactor here for ever. One of these may
 * hide others that are due; they expire in the next turn, which then does not wait. So do those
 * that are left when the time is up.
 */
void torc_timers_expire(torc_reactor *reactor) {
    const uint64_t now_ms = reactor->now_ms, newest = reactor->timers_armed;
    unsigned count = 0;

    for (torc_timer *timer = soonest(reactor); timer; timer = soonest(reactor)) {
        if (timer->due_ms > now_ms || timer->order > newest) return;
        torc_timer_fn *const expired = timer->expired;
        torc_timer_cancel(timer);
        expired(timer);
        if (torc_stall_is_marked(reactor))
            torc_stall_tell(reactor, "timer", (const void *)(uintptr_t)expired, NULL);
        reactor->counts.timers++;
        if (++count % LOOK_AT_CLOCK_EVERY == 0 && is_late(reactor)) return;
    }
}
