/* SPDX-License-Identifier: MIT */
/*
 * What all filters share: demand upwards and downwards, what is kept in between, and the ends.
 *
 *  - The stage below receives exactly while the stage above does (WANTED) or the filter itself
 *    NEEDS bytes, the filter does not hold it back (HELD), and nothing is kept.
 *  - `kept` is what the filter delivered and the stage above did not consume, in order. It is given
 *    again by a posted call only.
 *  - The first `asked` bytes of above's output are to go down. They do so while the stage below has
 *    room and the filter does not hold them back (OUTPUT_HELD); what is taken counts as sent for
 *    the stage above.
 *  - Above a gate that has not opened there is no protocol: nothing is wanted there, and the filter
 *    receives all the same.
 *  - Above's end comes before below's: FINISHING is set when `shut_down` was called, FINISHED when
 *    the filter has answered; CLOSES, when the stage above receives no more either.
 */
#include "transport/filter.h"

#include <assert.h>

#include "base/alloc.h"

enum {
    WANTED = 1,
    HELD = 2,
    HINTED = 4,   /* the peer has ended; what it sent may still be on its way */
    NO_INPUT = 8, /* nothing will be delivered any more */
    FINISHING = 16,
    FINISHED = 32,
    CLOSES = 64,
    LOST = 128,
    OUTPUT_HELD = 256,
    PUMPING = 512,
    NEEDS = 1024
};

static torc_filter *of_above(torc_transport *transport) {
    return torc_container_of(transport, torc_filter, above);
}

static torc_filter *of_below(torc_protocol *protocol) {
    return torc_container_of(protocol, torc_filter, below);
}

static bool has(const torc_filter *self, unsigned flags) {
    return (self->flags & flags) != 0;
}

static void set(torc_filter *self, unsigned flags) {
    self->flags = (uint16_t)(self->flags | flags);
}

static void clear(torc_filter *self, unsigned flags) {
    self->flags = (uint16_t)(self->flags & ~flags);
}

torc_transport *torc_filter_below(const torc_filter *self) {
    return self->below.transport;
}

void torc_filter_fail(torc_filter *self, torc_err reason) {
    torc_transport_abort_with(torc_filter_below(self), reason);
}

void torc_filter_refuse(torc_filter *self, torc_err reason) {
    set(self, OUTPUT_HELD);
    torc_transport_close_with(torc_filter_below(self), reason);
}

/* ---- upwards ---- */

static void look_at_demand(torc_filter *self) {
    if (has(self, WANTED | NEEDS) && !has(self, HELD) && self->kept_len == 0)
        torc_transport_resume(torc_filter_below(self));
    else
        torc_transport_pause(torc_filter_below(self));
}

static void deliver_later(torc_filter *self) {
    torc_reactor_post(self->above.reactor, &self->deliver);
}

static void drop_kept(torc_filter *self) {
    torc_dealloc(&self->above.reactor->memory, self->kept);
    self->kept = NULL;
    self->kept_len = self->kept_capacity = 0;
}

static torc_err grow_kept(torc_filter *self, size_t len) {
    torc_memory *memory = &self->above.reactor->memory;
    char *kept = self->kept ? torc_realloc(memory, self->kept, len)
                            : torc_alloc(memory, TORC_MEMORY_INPUT, len);

    if (!kept) return TORC_ERR_NO_MEMORY;
    self->kept = kept;
    self->kept_capacity = len;
    return TORC_OK;
}

static void keep(torc_filter *self, torc_str bytes) {
    const size_t len = self->kept_len + bytes.len;

    if (len > self->kept_capacity && grow_kept(self, len)) {
        torc_filter_fail(self, TORC_ERR_NO_MEMORY);
        return;
    }
    memcpy(self->kept + self->kept_len, bytes.bytes, bytes.len);
    self->kept_len = len;
}

/* The stage above gets bytes; if it does not want them all, it wants none until it says so. */
static size_t give(torc_filter *self, torc_str bytes) {
    const size_t consumed = torc_transport_received(&self->above, bytes);

    if (consumed < bytes.len) clear(self, WANTED);
    return consumed;
}

void torc_filter_deliver(torc_filter *self, torc_str bytes) {
    size_t consumed = 0;

    if (torc_transport_has_ended(&self->above)) return;
    if (has(self, WANTED) && self->kept_len == 0 && bytes.len > 0) consumed = give(self, bytes);
    if (torc_transport_has_ended(&self->above) || consumed == bytes.len) return;
    keep(self, torc_str_from(
                   bytes, consumed)); /* to be given when it is wanted, or is already about to be */
    look_at_demand(self);
}

/* What is given stays until it was, though the connection may end meanwhile. */
static void give_kept(torc_filter *self) {
    char *kept = self->kept;
    const size_t len = self->kept_len;

    self->kept = NULL;
    self->kept_len = 0; /* the capacity is what it was, if it comes back */
    const size_t consumed = give(self, torc_str_make(kept, len));
    if (consumed == len || torc_transport_has_ended(&self->above)) {
        torc_dealloc(&self->above.reactor->memory, kept);
        self->kept_capacity = 0;
        return;
    }
    memmove(kept, kept + consumed, len - consumed);
    self->kept = kept;
    self->kept_len = len - consumed;
}

/* What is due to the stage above: bytes while it wants them, and the peer's end. */
static void run_deliver(torc_call *call) {
    torc_filter *self = torc_container_of(call, torc_filter, deliver);

    if (torc_transport_has_ended(&self->above) || !self->above.protocol) return;
    if (has(self, WANTED) && self->kept_len > 0) give_kept(self);
    if (torc_transport_has_ended(&self->above)) return;
    if (has(self, NO_INPUT) && has(self, WANTED) && self->kept_len == 0)
        torc_transport_input_ended(&self->above);
    else if (has(self, HINTED) && !has(self, WANTED))
        torc_transport_peer_ended(&self->above);
    if (!torc_transport_has_ended(&self->above)) look_at_demand(self);
}

void torc_filter_deliver_end(torc_filter *self) {
    set(self, HINTED | NO_INPUT);
    deliver_later(self);
}

void torc_filter_need_input(torc_filter *self, bool is_needed) {
    if (is_needed)
        set(self, NEEDS);
    else
        clear(self, NEEDS);
    if (!torc_transport_has_ended(&self->above)) look_at_demand(self);
}

void torc_filter_hold(torc_filter *self, bool is_held) {
    if (is_held)
        set(self, HELD);
    else
        clear(self, HELD);
    if (!torc_transport_has_ended(&self->above)) look_at_demand(self);
}

static void filter_receive_start(torc_transport *transport) {
    torc_filter *self = of_above(transport);

    set(self, WANTED);
    look_at_demand(self);
    if (self->kept_len > 0 || has(self, NO_INPUT)) deliver_later(self);
}

static void filter_receive_stop(torc_transport *transport) {
    torc_filter *self = of_above(transport);

    clear(self, WANTED);
    look_at_demand(self);
    if (has(self, HINTED)) deliver_later(self);
}

/* ---- the events of the stage below ---- */

static void connection_made(torc_protocol *protocol) {
    torc_filter *self = of_below(protocol);
    if (self->ops->made) self->ops->made(self);
}

static size_t data_received(torc_protocol *protocol, torc_str bytes) {
    torc_filter *self = of_below(protocol);

    if (torc_transport_has_ended(&self->above)) return bytes.len;
    if (!self->ops->received)
        return has(self, WANTED) && self->kept_len == 0 ? give(self, bytes) : 0;
    const size_t consumed = self->ops->received(self, bytes);
    if (consumed < bytes.len) set(self, HELD);
    return consumed;
}

static void peer_ended(torc_protocol *protocol) {
    torc_filter *self = of_below(protocol);

    set(self, HINTED);
    if (!torc_transport_has_ended(&self->above)) deliver_later(self);
}

static void input_ended(torc_protocol *protocol) {
    torc_filter *self = of_below(protocol);

    if (torc_transport_has_ended(&self->above)) return;
    if (self->ops->peer_ended)
        self->ops->peer_ended(self);
    else
        torc_filter_deliver_end(self);
}

/* ---- downwards ---- */

/* How many of the first `max` bytes of above's output are no range of a file. */
static size_t bytes_before_file(const torc_filter *self, size_t max) {
    size_t len = 0;

    for (const torc_segment *segment = self->above.outgoing->chain.first;
         segment && segment->kind != TORC_SEGMENT_FILE && len < max; segment = segment->next)
        len += segment->len;
    return len < max ? len : max;
}

static bool sends_files(const torc_filter *self) {
    return !self->ops->send || self->ops->sends_files;
}

/* Move at most `max` bytes of above's output to `passing`: bytes that follow each other, or a piece
 * of a file. */
static torc_err take(torc_filter *self, size_t max, size_t *taken) {
    torc_chain *output = &self->above.outgoing->chain;
    torc_err err;

    torc_chain_consume(output, 0);
    if (!sends_files(self) && output->first->kind == TORC_SEGMENT_FILE) {
        err = torc_file_pump_next(&self->pump, output->first, max, &self->passing, taken);
        if (!err) torc_chain_consume(output, *taken);
        return err;
    }
    *taken = sends_files(self) ? max : bytes_before_file(self, max);
    return torc_chain_move_head(&self->passing, output, *taken);
}

static torc_err pass(torc_filter *self) {
    torc_err err = TORC_OK;

    if (self->ops->send)
        err = self->ops->send(self, &self->passing);
    else
        torc_filter_send_below(self, &self->passing);
    assert(err || self->passing.len == 0);
    return err;
}

/* Send what was asked for, as far as the stage below has room and files can be read; tell what was
 * taken. */
static void pump(torc_filter *self) {
    size_t sent = 0, part, room;
    torc_err err = TORC_OK;

    if (has(self, PUMPING)) return; /* it goes on by itself */
    set(self, PUMPING);
    while (!err && self->asked > 0 && !has(self, OUTPUT_HELD) &&
           (room = torc_transport_room(torc_filter_below(self))) > 0) {
        err = take(self, room < self->asked ? room : self->asked, &part);
        if (!err) {
            self->asked -= part;
            sent += part;
            err = pass(self);
        }
    }
    if (sent > 0 && self->ops->sent && (!err || err == TORC_ERR_AGAIN)) {
        const torc_err last = self->ops->sent(self);
        if (last) err = last;
    }
    clear(self, PUMPING);
    if (sent > 0) torc_transport_sent(&self->above, sent);
    if (err && err != TORC_ERR_AGAIN) torc_filter_fail(self, err);
}

void torc_filter_hold_output(torc_filter *self, bool is_held) {
    if (is_held) {
        set(self, OUTPUT_HELD);
    } else {
        clear(self, OUTPUT_HELD);
        pump(self);
    }
}

static void file_read(torc_file_pump *file_pump) {
    pump(torc_container_of(file_pump, torc_filter, pump));
}

static void drained(torc_protocol *protocol) {
    pump(of_below(protocol));
}

/* Called by above's flush, so below's is run at once: what passes through leaves in the same turn.
 */
static void filter_send(torc_transport *transport, size_t len) {
    torc_filter *self = of_above(transport);

    self->asked = len;
    pump(self);
    torc_transport_flush_now(torc_filter_below(self));
}

void torc_filter_send_below(torc_filter *self, torc_chain *chain) {
    torc_transport_write_chain(torc_filter_below(self), chain);
}

/* ---- the ends ---- */

void torc_filter_end_below(torc_filter *self) {
    set(self, FINISHED);
    if (has(self, CLOSES))
        torc_transport_close_with(torc_filter_below(self), (torc_err)self->above.reason);
    else
        torc_transport_close_write(torc_filter_below(self));
}

static void finish(torc_filter *self) {
    if (has(self, FINISHING)) {
        if (has(self, FINISHED)) torc_filter_end_below(self);
        return;
    }
    set(self, FINISHING);
    if (self->ops->shut_down)
        self->ops->shut_down(self);
    else
        torc_filter_end_below(self);
}

static void filter_shut_down(torc_transport *transport) {
    finish(of_above(transport));
}

static void let_go(torc_filter *self) {
    torc_call_cancel(&self->deliver);
    torc_file_pump_stop(&self->pump);
    drop_kept(self);
    self->asked = 0;
}

static void filter_close(torc_transport *transport, bool reset) {
    torc_filter *self = of_above(transport);

    let_go(self);
    if (has(self, LOST)) return;
    set(self, CLOSES);
    torc_transport_pause(torc_filter_below(self));
    if (reset)
        torc_transport_abort_with(torc_filter_below(self), (torc_err)transport->reason);
    else
        finish(self);
}

static void handshake_completed(torc_protocol *protocol) {
    torc_filter *self = of_below(protocol);

    if (torc_transport_has_ended(&self->above)) return;
    if (self->ops->handshake_completed)
        self->ops->handshake_completed(self);
    else
        torc_transport_handshake_completed(&self->above);
}

/* A failure while the last bytes were leaving is what the stage above is told, though it had closed
 * in good order. */
static void connection_lost(torc_protocol *protocol, torc_err reason) {
    torc_filter *self = of_below(protocol);

    set(self, LOST);
    if (!torc_transport_has_ended(&self->above))
        torc_transport_failed(&self->above, reason);
    else if (self->above.reason == TORC_ERR_CLOSED)
        self->above.reason = (int16_t)reason;
    torc_transport_closed(&self->above);
    let_go(self);
    torc_chain_clear(&self->passing);
    self->ops->free(self);
}

static const torc_protocol_ops below_ops = {
    .connection_made = connection_made,
    .data_received = data_received,
    .peer_ended = peer_ended,
    .input_ended = input_ended,
    .drained = drained,
    .connection_lost = connection_lost,
    .handshake_completed = handshake_completed,
};

/* ---- what goes straight down ---- */

static torc_addr filter_addr(torc_transport *transport, bool peer) {
    torc_filter *self = of_above(transport);
    torc_transport *below = torc_filter_below(self);

    if (self->ops->addr) {
        const torc_addr addr = self->ops->addr(self, peer);
        if (addr.len) return addr;
    }
    return below->ops->addr(below, peer);
}

static torc_stream *filter_stream(torc_transport *transport) {
    torc_transport *below = torc_filter_below(of_above(transport));
    return below->ops->stream ? below->ops->stream(below) : NULL;
}

static void filter_describe(torc_transport *transport, torc_link_info *link) {
    torc_filter *self = of_above(transport);
    torc_transport *below = torc_filter_below(self);

    if (below->ops->describe) below->ops->describe(below, link);
    if (self->ops->describe) self->ops->describe(self, link);
}

static torc_err filter_set_option(torc_transport *transport, int option, bool on) {
    torc_transport *below = torc_filter_below(of_above(transport));
    return below->ops->set_option(below, option, on);
}

static size_t filter_unacknowledged(torc_transport *transport) {
    torc_transport *below = torc_filter_below(of_above(transport));
    return below->ops->unacknowledged ? below->ops->unacknowledged(below) : 0;
}

static const torc_transport_ops above_ops = {
    .send = filter_send,
    .receive_start = filter_receive_start,
    .receive_stop = filter_receive_stop,
    .shut_down = filter_shut_down,
    .close = filter_close,
    .addr = filter_addr,
    .describe = filter_describe,
    .set_option = filter_set_option,
    .unacknowledged = filter_unacknowledged,
    .stream = filter_stream,
};

/* ---- the beginning ---- */

void torc_filter_init(torc_filter *self, torc_reactor *reactor, const torc_filter_ops *ops) {
    *self = (torc_filter){
        .below = {.ops = &below_ops},
        .ops = ops,
        .deliver = {.run = run_deliver},
    };
    torc_transport_init(&self->above, reactor, &above_ops);
    torc_file_pump_init(&self->pump, reactor, file_read);
    torc_chain_init(&self->passing, &reactor->chains);
}

torc_transport *torc_filter_stack(torc_filter *self, torc_transport *below) {
    self->above.output_max = below->output_max;
    torc_transport_made(below, &self->below);
    return &self->above;
}

void torc_filter_hold_before(torc_filter *self) {
    set(self, HELD);
}

torc_err torc_filter_insert(torc_filter *self, torc_transport *transport) {
    const torc_err err = torc_transport_insert(transport, &self->above, &self->below);

    if (!err && self->ops->made) self->ops->made(self);
    return err;
}

void torc_filter_open(torc_filter *self) {
    torc_stages *stages = self->stages;

    self->stages = NULL;
    if (stages && !torc_transport_has_ended(&self->above))
        torc_stages_continue(stages, self->next_stage, &self->above);
}
