/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_WALL_TIMER_H
#define TORC_REACTOR_WALL_TIMER_H

#include "reactor/reactor.h"

/*
 * Timers by the clock on the wall, which may be set at any time: they look at it at least once a
 * minute.
 */
enum {
    TORC_WALL_LOOK_MS = 60000
};

typedef struct torc_wall_timer torc_wall_timer;
struct torc_wall_timer {
    torc_timer timer;
    int64_t due_us;
    void (*looked)(torc_wall_timer *timer,
                   int64_t now_us); /* each time, when not due. May be NULL */
    void (*expired)(torc_wall_timer *timer, int64_t now_us);
};

void torc_wall_timer_init(torc_wall_timer *timer, torc_reactor *reactor,
                          void (*expired)(torc_wall_timer *timer, int64_t now_us));
/* Expire at this time, in microseconds since 1970 UTC; in the next turn if it is over. */
void torc_wall_timer_arm(torc_wall_timer *timer, int64_t due_us);
void torc_wall_timer_cancel(torc_wall_timer *timer);
/* The time, looked at now. */
int64_t torc_reactor_wall_us(const torc_reactor *reactor);

#endif
