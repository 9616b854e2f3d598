/* SPDX-License-Identifier: MIT */
/*
 * Timers by the clock on the wall.
 *
 *  - The timer beneath goes by monotonic time, so it expires early or late when the clock is set
 *    meanwhile; then it is armed again for what is left.
 */
#include "reactor/wall_timer.h"

static const int64_t SECOND_US = 1000000;

int64_t torc_reactor_wall_us(const torc_reactor *reactor) {
    torc_clock *clock = reactor->clock;

    return clock->wall_us ? clock->wall_us(clock) : clock->wall_seconds(clock) * SECOND_US;
}

static void arm(torc_wall_timer *self, int64_t now_us) {
    const int64_t left_us = self->due_us - now_us;
    const int64_t left_ms = left_us <= 0 ? 0 : (left_us - 1) / 1000 + 1;

    torc_timer_arm(&self->timer,
                   left_ms < TORC_WALL_LOOK_MS ? (uint64_t)left_ms : TORC_WALL_LOOK_MS);
}

static void expired(torc_timer *timer) {
    torc_wall_timer *self = torc_container_of(timer, torc_wall_timer, timer);
    const int64_t now_us = torc_reactor_wall_us(timer->reactor);

    timer->reactor->wall_seconds = now_us / SECOND_US; /* timers run before the turn's look at it */
    if (now_us >= self->due_us) {
        self->expired(self, now_us);
        return;
    }
    arm(self, now_us);
    if (self->looked) self->looked(self, now_us);
}

void torc_wall_timer_init(torc_wall_timer *timer, torc_reactor *reactor,
                          void (*on_expired)(torc_wall_timer *timer, int64_t now_us)) {
    *timer = (torc_wall_timer){.expired = on_expired};
    torc_timer_init(&timer->timer, reactor, expired);
}

void torc_wall_timer_arm(torc_wall_timer *timer, int64_t due_us) {
    timer->due_us = due_us;
    arm(timer, torc_reactor_wall_us(timer->timer.reactor));
}

void torc_wall_timer_cancel(torc_wall_timer *timer) {
    torc_timer_cancel(&timer->timer);
}
