/* SPDX-License-Identifier: MIT */
/*
 * The scrambling filter.
 *
 *  - `in` and `out` hold what is on its way; a step, once a turn, passes a part of each on.
 *  - While `in` holds something the stage below is held back, so it never holds more than one
 *    delivery; while `out` does, the stage above is.
 *  - The ends follow the bytes: upwards when `in` is empty, downwards when `out` is.
 */
#include "testing/scrambler.h"

#include "base/alloc.h"
#include "base/spread.h"

typedef struct scrambler {
    torc_filter base;
    uint64_t state;
    uint64_t turn; /* of the last step */
    torc_call step;
    char *in;
    size_t in_len;
    torc_chain out;
    bool has_ended_in, has_ended_out;
} scrambler;

static scrambler *self_of(torc_filter *filter) {
    return torc_container_of(filter, scrambler, base);
}

static torc_reactor *reactor_of(const scrambler *self) {
    return self->base.above.reactor;
}

static uint32_t next_number(scrambler *self) {
    return (uint32_t)(torc_spread_next(&self->state) >> 32);
}

/* A part of `len` bytes, one at least: mostly a few, sometimes many. */
static size_t part_of(scrambler *self, size_t len) {
    const size_t few = next_number(self) % 4 ? 16 : 20000;
    const size_t max = len < few ? len : few;
    return 1 + next_number(self) % max;
}

static void step_later(scrambler *self) {
    torc_reactor_post(reactor_of(self), &self->step);
}

static void pass_up(scrambler *self) {
    const size_t len = part_of(self, self->in_len);

    torc_filter_deliver(&self->base, torc_str_make(self->in, len));
    self->in_len -= len;
    memmove(self->in, self->in + len, self->in_len);
    if (self->in_len > 0) return;
    torc_dealloc(&reactor_of(self)->memory, self->in);
    self->in = NULL;
    torc_filter_hold(&self->base, false);
    if (self->has_ended_in) torc_filter_deliver_end(&self->base);
}

static void pass_down(scrambler *self) {
    torc_chain part;

    torc_chain_init(&part, &reactor_of(self)->chains);
    if (torc_chain_move_head(&part, &self->out, part_of(self, self->out.len))) {
        torc_filter_fail(&self->base, TORC_ERR_NO_MEMORY);
        return;
    }
    torc_filter_send_below(&self->base, &part);
    if (self->out.len > 0) return;
    torc_filter_hold_output(&self->base, false); /* which may bring more */
    if (self->out.len == 0 && self->has_ended_out) torc_filter_end_below(&self->base);
}

static void step(torc_call *call) {
    scrambler *self = torc_container_of(call, scrambler, step);

    if (self->turn != reactor_of(self)->turns) {
        self->turn = reactor_of(self)->turns;
        if (self->in_len > 0 && next_number(self) % 4) pass_up(self);
        if (self->out.len > 0 && next_number(self) % 4) pass_down(self);
    }
    if (self->in_len > 0 || self->out.len > 0) step_later(self);
}

/* What is refused is given again when all of what was taken is passed on. */
static size_t received(torc_filter *filter, torc_str bytes) {
    scrambler *self = self_of(filter);
    const size_t len = part_of(self, bytes.len);

    if (self->in_len > 0) return 0;
    self->in = torc_alloc(&reactor_of(self)->memory, TORC_MEMORY_INPUT, len);
    if (!self->in) {
        torc_filter_fail(filter, TORC_ERR_NO_MEMORY);
        return 0;
    }
    memcpy(self->in, bytes.bytes, len);
    self->in_len = len;
    self->turn = reactor_of(self)->turns;
    torc_filter_hold(filter, true);
    step_later(self);
    return len;
}

static torc_err send_(torc_filter *filter, torc_chain *from) {
    scrambler *self = self_of(filter);

    torc_chain_move(&self->out, from);
    torc_filter_hold_output(filter, true);
    self->turn = reactor_of(self)->turns;
    step_later(self);
    return TORC_OK;
}

static void peer_ended(torc_filter *filter) {
    scrambler *self = self_of(filter);

    self->has_ended_in = true;
    if (self->in_len == 0) torc_filter_deliver_end(filter);
}

static void shut_down(torc_filter *filter) {
    scrambler *self = self_of(filter);

    self->has_ended_out = true;
    if (self->out.len == 0) torc_filter_end_below(filter);
}

static void free_scrambler(torc_filter *filter) {
    scrambler *self = self_of(filter);
    torc_memory *memory = &reactor_of(self)->memory;

    torc_call_cancel(&self->step);
    torc_chain_clear(&self->out);
    torc_dealloc(memory, self->in);
    torc_dealloc(memory, self);
}

static const torc_filter_ops ops = {
    .received = received,
    .send = send_,
    .peer_ended = peer_ended,
    .shut_down = shut_down,
    .free = free_scrambler,
};

torc_err torc_scrambler_new(torc_reactor *reactor, uint64_t seed, torc_filter **filter) {
    scrambler *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    torc_filter_init(&self->base, reactor, &ops);
    torc_chain_init(&self->out, &reactor->chains);
    self->state = seed * 2 + 1;
    self->step.run = step;
    (void)next_number(self);
    *filter = &self->base;
    return TORC_OK;
}

static torc_err build_filter(torc_filter_factory *factory, torc_transport *below,
                             torc_filter **filter) {
    torc_scrambler_factory *self = torc_container_of(factory, torc_scrambler_factory, base);
    return torc_scrambler_new(below->reactor, self->seed++, filter);
}

void torc_scrambler_factory_init(torc_scrambler_factory *factory, uint64_t seed) {
    *factory =
        (torc_scrambler_factory){.base = {.build_filter = build_filter, .refs = 1}, .seed = seed};
}
