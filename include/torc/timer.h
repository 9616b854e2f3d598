/* SPDX-License-Identifier: MIT */
#ifndef TORC_TIMER_H
#define TORC_TIMER_H

#include <torc/types.h>

/**
 * Timers: call a function once, some time from now, on the reactor's thread.
 *
 * A timer is a member of the object that needs it. The reactor links it in only while it is armed,
 * so arming and cancelling neither allocate nor fail.
 */

/** The delay is over and the timer idle: arm it again, or free what holds it. */
typedef void torc_timer_fn(torc_timer *timer);

struct torc_timer {
    torc_reactor *reactor;
    torc_timer_fn *expired;
    uint64_t due_ms;     /* on the reactor's clock; meaningless while idle */
    uint64_t order;      /* private: number of this arm, 0 while idle */
    torc_heap_node node; /* private */
};

TORC_BEGIN_DECLS

/** Make an idle timer. It needs no counterpart: an idle timer holds nothing. */
TORC_API void torc_timer_init(torc_timer *timer, torc_reactor *reactor, torc_timer_fn *expired);
/** Expire `delay_ms` from now. A timer that is armed already is moved. */
TORC_API void torc_timer_arm(torc_timer *timer, uint64_t delay_ms);
/** The same at a time of the reactor's clock, see torc_reactor_now_ms(): what is to come at regular
 * intervals does not drift. A time that is over is in the next turn. */
TORC_API void torc_timer_arm_at(torc_timer *timer, uint64_t due_ms);
/** Make the timer idle, if it is not. Do so before freeing what holds it. */
TORC_API void torc_timer_cancel(torc_timer *timer);
TORC_API bool torc_timer_is_armed(const torc_timer *timer);

TORC_END_DECLS

#endif
