/* SPDX-License-Identifier: MIT */
/*
 * Deadlines of fibers.
 *
 *  - A fiber's deadlines are a list, from the innermost outwards; none is due before those inside
 *    of it, so the innermost alone is looked at.
 *  - A deadline's timer is armed by the first wait under it that does not end at once, and stays so
 *    until the deadline ends.
 *  - A deadline that is over cancels the wait that it finds, and every later one when that begins.
 */
#include <assert.h>

#include "reactor/fiber.h"

static void expired(torc_timer *timer) {
    torc_fiber_time_out(torc_container_of(timer, torc_deadline, timer)->fiber);
}

static void init(torc_deadline *deadline, torc_reactor *reactor, torc_fiber *fiber,
                 uint64_t due_ms) {
    *deadline = (torc_deadline){.due_ms = due_ms, .fiber = fiber};
    torc_timer_init(&deadline->timer, reactor, expired);
}

torc_deadline *torc_deadline_inherit(torc_deadline *deadline, torc_reactor *reactor,
                                     torc_fiber *fiber, uint64_t due_ms) {
    init(deadline, reactor, fiber, due_ms);
    return deadline;
}

void torc_deadline_begin(torc_reactor *reactor, torc_deadline *deadline, uint64_t timeout_ms) {
    torc_fiber *fiber = torc_fiber_current(reactor);
    uint64_t due_ms = reactor->now_ms + timeout_ms;

    assert(fiber && "a deadline is a fiber's");
    torc_deadline **innermost = torc_fiber_deadline(fiber);
    if (due_ms < timeout_ms) due_ms = UINT64_MAX;
    if (*innermost && (*innermost)->due_ms < due_ms) due_ms = (*innermost)->due_ms;
    init(deadline, reactor, fiber, due_ms);
    deadline->outer = *innermost;
    *innermost = deadline;
}

void torc_deadline_end(torc_reactor *reactor, torc_deadline *deadline) {
    torc_deadline **innermost = torc_fiber_deadline(torc_fiber_current(reactor));

    assert(*innermost == deadline && "deadlines end in the order of their nesting");
    torc_timer_cancel(&deadline->timer);
    *innermost = deadline->outer;
}

void torc_deadline_stop(torc_deadline *deadline) {
    assert(!deadline->outer && "a deadline was not ended");
    torc_timer_cancel(&deadline->timer);
}

void torc_deadline_watch(torc_deadline *deadline) {
    const uint64_t now_ms = deadline->timer.reactor->now_ms;

    if (deadline->due_ms <= now_ms) torc_fiber_time_out(deadline->fiber);
    if (deadline->due_ms > now_ms && deadline->due_ms < UINT64_MAX &&
        !torc_timer_is_armed(&deadline->timer))
        torc_timer_arm_at(&deadline->timer, deadline->due_ms);
}

uint64_t torc_deadline_left_ms(const torc_reactor *reactor) {
    torc_fiber *fiber = torc_fiber_current(reactor);
    const torc_deadline *deadline = fiber ? *torc_fiber_deadline(fiber) : NULL;

    if (!deadline || deadline->due_ms == UINT64_MAX) return UINT64_MAX;
    return deadline->due_ms > reactor->now_ms ? deadline->due_ms - reactor->now_ms : 0;
}
