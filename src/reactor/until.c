/* SPDX-License-Identifier: MIT */
/*
 * Waiting until a time of the wall's clock.
 *
 *  - The deferred and its timer are one allocation each; the timer's is freed before the deferred
 *    fires.
 */
#include <torc/schedule.h>

#include "base/alloc.h"
#include "reactor/fiber.h"
#include "reactor/wall_timer.h"

/* The latest that can be said in microseconds; some 290,000 years from now. */
static const int64_t SECONDS_MAX = INT64_MAX / 1000000;

static int64_t us_of(int64_t seconds) {
    if (seconds > SECONDS_MAX) return SECONDS_MAX * 1000000;
    return seconds < 0 ? 0 : seconds * 1000000;
}

typedef struct until {
    torc_wall_timer timer;
    torc_deferred *deferred;
} until;

static void until_expired(torc_wall_timer *timer, int64_t now_us) {
    until *self = torc_container_of(timer, until, timer);
    torc_deferred *deferred = self->deferred;

    (void)now_us;
    torc_dealloc(&timer->timer.reactor->memory, self);
    (void)torc_deferred_fire(deferred, NULL, NULL);
}

static void cancel_until(torc_deferred *deferred, void *context) {
    until *self = context;

    torc_wall_timer_cancel(&self->timer);
    torc_dealloc(&self->timer.timer.reactor->memory, self);
    (void)torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

torc_deferred *torc_defer_until(torc_reactor *reactor, int64_t seconds) {
    torc_deferred *deferred = torc_deferred_new(reactor);
    until *self = torc_alloc(&reactor->memory, TORC_MEMORY_OTHER, sizeof(*self));

    if (!self || torc_deferred_is_out_of_memory(deferred)) {
        torc_dealloc(&reactor->memory, self);
        (void)torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
        return deferred;
    }
    self->deferred = deferred;
    torc_wall_timer_init(&self->timer, reactor, until_expired);
    torc_wall_timer_arm(&self->timer, us_of(seconds));
    torc_deferred_set_canceller(deferred, cancel_until, self);
    return deferred;
}

typedef struct sleeping {
    torc_wait wait;
    torc_wall_timer timer;
} sleeping;

static void sleep_expired(torc_wall_timer *timer, int64_t now_us) {
    (void)now_us;
    torc_wait_end(&torc_container_of(timer, sleeping, timer)->wait, TORC_OK);
}

static void cancel_sleep(torc_wait *wait, torc_err reason) {
    torc_wall_timer_cancel(&torc_container_of(wait, sleeping, wait)->timer);
    torc_wait_end(wait, reason);
}

torc_err torc_sleep_until(torc_reactor *reactor, int64_t seconds) {
    sleeping self = {0};

    torc_wall_timer_init(&self.timer, reactor, sleep_expired);
    torc_wall_timer_arm(&self.timer, us_of(seconds));
    return torc_fiber_wait(reactor, &self.wait, cancel_sleep);
}

int64_t torc_time_of_day_next(const torc_zone *zone, int hour, int minute, int64_t after) {
    const torc_cron cron = {
        .minutes = UINT64_C(1) << minute % 60,
        .hours = UINT32_C(1) << hour % 24,
        .days = UINT32_MAX - 1,
        .months = 0x1ffe,
        .weekdays = 0x7f,
        .any_day = true,
        .any_weekday = true,
    };
    return torc_cron_next(&cron, zone, after);
}
