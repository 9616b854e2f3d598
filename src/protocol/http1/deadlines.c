/* SPDX-License-Identifier: MIT */
/*
 * The deadlines of a connection, by its one timer.
 *
 *  - The timer is never armed for later than the next deadline; when it is early it is armed again.
 *    So a deadline that moves on costs a store.
 */
#include "protocol/http1/connection.h"

uint64_t torc_http1_after(uint64_t from_ms, uint32_t ms) {
    return ms == TORC_UNLIMITED ? UINT64_MAX : from_ms + ms;
}

static uint64_t sooner(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* A rate is looked at over stretches of rate_grace_ms: whether this one was too slow. */
static bool is_slow(uint64_t bytes, uint32_t elapsed_ms, uint32_t rate_min) {
    return rate_min != TORC_UNLIMITED && bytes * 1000 < (uint64_t)rate_min * elapsed_ms;
}

typedef struct stretch {
    uint64_t *mark;
    uint32_t *mark_ms; /* 0: none begun */
    uint64_t total;
    uint32_t rate_min;
} stretch;

/* Look at a stretch, and begin the next one when it is over. False: the peer was too slow. */
static bool look_at_rate(const torc_http1_connection *self, const stretch *of, uint64_t *due_ms) {
    const uint64_t now_ms = torc_http1_reactor(self)->now_ms;
    const uint32_t grace_ms = self->side->limits.rate_grace_ms;

    if (of->rate_min == TORC_UNLIMITED || grace_ms == TORC_UNLIMITED) return true;
    const uint32_t elapsed_ms = (uint32_t)now_ms - *of->mark_ms;
    if (*of->mark_ms && elapsed_ms >= grace_ms &&
        is_slow(of->total - *of->mark, elapsed_ms, of->rate_min))
        return false;
    if (!*of->mark_ms || elapsed_ms >= grace_ms) {
        *of->mark = of->total;
        *of->mark_ms = (uint32_t)now_ms ? (uint32_t)now_ms : 1;
    }
    *due_ms = sooner(*due_ms, now_ms + grace_ms - ((uint32_t)now_ms - *of->mark_ms));
    return true;
}

/* The peer takes what was written: false when it does not. */
static bool look_at_output(torc_http1_connection *self, uint64_t *due_ms) {
    torc_transport *transport = self->protocol.transport;

    if (torc_transport_unsent(transport) == 0) {
        self->out_mark_ms = 0;
        return true;
    }
    /* The kernel takes nothing for long while the peer, which is slow, takes what the kernel has.
     */
    const uint64_t delivered = torc_transport_delivered(transport);
    const stretch rate = {&self->out_mark, &self->out_mark_ms, delivered,
                          self->side->limits.output_rate_min};
    if (transport->ops->unacknowledged && (uint32_t)delivered != self->out_seen)
        torc_transport_note_progress(transport);
    self->out_seen = (uint32_t)delivered;
    const uint64_t stall_ms =
        torc_http1_after(torc_transport_progress_ms(transport), self->side->limits.output_stall_ms);
    if (stall_ms <= torc_http1_reactor(self)->now_ms) return false;
    *due_ms = sooner(*due_ms, stall_ms);
    return look_at_rate(self, &rate, due_ms);
}

/* The peer sends the body that is wanted: false when it does not. */
static bool look_at_input(torc_http1_connection *self, uint64_t *due_ms) {
    torc_http1_exchange *exchange = self->current;

    if (!exchange || !exchange->is_told || exchange->in == TORC_HTTP1_IN_DONE ||
        exchange->is_tunnel || exchange->in == TORC_HTTP1_IN_HEAD ||
        torc_http1_has(self, TORC_HTTP1_HAS_KEPT) ||
        (exchange->demand == 0 && !exchange->is_stopped))
        return true;
    /* A route may say otherwise for a body that it reads; one that nobody wants has no route. */
    const torc_limits *limits = exchange->is_stopped ? &self->side->limits : exchange->base.limits;
    const stretch rate = {&exchange->in_mark, &exchange->in_mark_ms, exchange->in_total,
                          limits->body_rate_min};
    const uint64_t stall_ms = torc_http1_after(exchange->progress_ms, limits->body_stall_ms);
    const uint64_t late_ms =
        sooner(stall_ms, torc_http1_after(exchange->wanted_ms, limits->body_ms));
    if (late_ms <= torc_http1_reactor(self)->now_ms) return false;
    *due_ms = sooner(*due_ms, late_ms);
    return look_at_rate(self, &rate, due_ms);
}

/* When lingering ends: some time after the last byte of ours has left. */
static uint64_t linger_until(const torc_http1_connection *self) {
    const torc_transport *transport = self->protocol.transport;
    const uint64_t progress_ms = torc_transport_progress_ms(transport);
    const uint64_t from_ms =
        progress_ms > torc_http1_since(self) ? progress_ms : torc_http1_since(self);

    if (torc_transport_unsent(transport) > 0) return UINT64_MAX;
    return torc_http1_after(from_ms, self->side->limits.linger_ms);
}

/* Who is busy is looked at again, though nothing is late now: what it writes next may stall. */
static uint64_t next_look(const torc_http1_connection *self) {
    const torc_limits *limits = &self->side->limits;
    const uint64_t now_ms = torc_http1_reactor(self)->now_ms;

    if (!self->current) return UINT64_MAX;
    return sooner(torc_http1_after(now_ms, limits->output_stall_ms),
                  torc_http1_after(now_ms, limits->rate_grace_ms));
}

void torc_http1_deadline_expired(torc_timer *timer) {
    torc_http1_connection *self = torc_container_of(timer, torc_http1_connection, timer);
    const uint64_t now_ms = torc_http1_reactor(self)->now_ms;
    uint64_t due_ms = UINT64_MAX;

    if (torc_http1_has(self, TORC_HTTP1_TURN_IS_OVER)) {
        torc_http1_clear(self, TORC_HTTP1_TURN_IS_OVER);
        torc_http1_resume(self);
    }
    if (!look_at_output(self, &due_ms)) {
        torc_http1_abort(self, TORC_ERR_STALLED);
        return;
    }
    const bool is_ending = torc_http1_has(self, TORC_HTTP1_ENDING);
    uint64_t role_ms = torc_http1_has(self, TORC_HTTP1_LINGERING) ? linger_until(self)
                       : is_ending                                ? UINT64_MAX
                                   : self->side->role->deadline(self);
    if (!is_ending && !look_at_input(self, &due_ms))
        self->side->role->message_bad(self, TORC_ERR_STALLED, 408, "the body came too slowly");
    else if (role_ms <= now_ms && torc_http1_has(self, TORC_HTTP1_LINGERING))
        torc_transport_close(self->protocol.transport);
    else if (role_ms <= now_ms)
        self->side->role->deadline_passed(self);
    else
        due_ms = sooner(due_ms, sooner(role_ms, next_look(self)));
    if (due_ms > now_ms && due_ms - now_ms < TORC_UNLIMITED)
        torc_http1_expect_within(self, (uint32_t)(due_ms - now_ms));
}
