/* SPDX-License-Identifier: MIT */
/*
 * What all transports share.
 *
 * States, by flags: open → CLOSE_WRITE (asked) → SHUT (FIN was sent) ; open or SHUT → CLOSING
 * (asked: what waits is still sent) → ENDED (the stage below was told to close) → closed:
 * connection_lost, the last call.
 *
 *  - `outgoing` is there from the first write, or from a producer's registration, until a flush has
 *    left nothing to send and nobody feeds it; from ENDED on until it is closed.
 *  - Its chain is the output; the first `sending` bytes of it are lent to the stage below.
 *  - A producer that pushes is paused while FULL; FULL is set at the high mark and cleared at the
 *    low one.
 *  - A producer that came to a connection that was closing already (LATE) holds nothing back: it is
 *    stopped by the next flush, or with the connection.
 *  - The stage below may tell of what is sent from inside `send` (FLUSHING): then the flush looks
 *    at the marks.
 *  - The protocol is called from the stage's events and from the flush, never from what it calls
 *    itself.
 */
#include "transport/transport.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/alloc.h"
#include "transport/file_warmer.h"

enum {
    PAUSED = 1,
    CLOSE_WRITE = 2,
    SHUT = 4,
    CLOSING = 8,
    ENDED = 16,
    FULL = 32,
    STREAMING = 64, /* the producer pushes */
    PRODUCER_PAUSED = 128,
    LATE = 256,
    FLUSHING = 512,
    PEER_ENDED = 1024,
    INPUT_ENDED = 2048,
    WARMING = 4096, /* a thread reads what is to be sent next */
    CLOSED = 8192   /* connection_lost was called: the last of all */
};

enum {
    LOW_MARK = 16 * 1024,
    HIGH_MARK = 64 * 1024
};

static torc_outgoing *of_flushable(torc_flushable *flushable) {
    return torc_container_of(flushable, torc_outgoing, flushable);
}

static bool has(const torc_transport *transport, unsigned flags) {
    return (transport->flags & flags) != 0;
}

static void set(torc_transport *transport, unsigned flags) {
    transport->flags = (uint16_t)(transport->flags | flags);
}

static void clear(torc_transport *transport, unsigned flags) {
    transport->flags = (uint16_t)(transport->flags & ~flags);
}

/* ---- output ---- */

static void stop_warming(torc_transport *transport) {
    if (!has(transport, WARMING)) return;
    torc_file_warmer_stop(transport);
    clear(transport, WARMING);
}

static void flush(torc_flushable *flushable);

/* What is needed to send; NULL when out of memory, or closed. */
static torc_outgoing *begin(torc_transport *transport) {
    if (!transport->outgoing && !has(transport, CLOSED))
        transport->outgoing = torc_outgoing_new(transport, transport->reactor, flush);
    return transport->outgoing;
}

/* Give it back, if nothing more is to be done with it. */
static void release_if_idle(torc_transport *transport) {
    torc_outgoing *outgoing = transport->outgoing;

    if (!outgoing || has(transport, ENDED) || outgoing->chain.len > 0 || outgoing->sending > 0 ||
        outgoing->producer || torc_list_has(&outgoing->flushable.node))
        return;
    transport->outgoing = NULL;
    torc_outgoing_free(outgoing, transport->reactor);
}

static torc_producer *producer_of(const torc_transport *transport) {
    return transport->outgoing ? transport->outgoing->producer : NULL;
}

static void flush_later(torc_transport *transport) {
    torc_reactor_flush_later(transport->reactor, &transport->outgoing->flushable);
}

static void end(torc_transport *transport, torc_err reason, bool reset) {
    if (has(transport, ENDED)) return;
    set(transport, ENDED | CLOSING);
    transport->reason = (int16_t)reason;
    if (transport->outgoing) torc_flushable_cancel(&transport->outgoing->flushable);
    stop_warming(transport);
    transport->ops->close(transport, reset);
}

/* Whether a producer may still write, which a close waits for. */
static bool is_fed(const torc_transport *transport) {
    return producer_of(transport) && !has(transport, LATE);
}

/* All is sent: do what waited for that. */
static void progress(torc_transport *transport) {
    const torc_outgoing *outgoing = transport->outgoing;

    if (outgoing && (outgoing->chain.len > 0 || outgoing->sending > 0 || is_fed(transport))) return;
    if (has(transport, CLOSING)) {
        end(transport, (torc_err)transport->reason, false);
    } else if (has(transport, CLOSE_WRITE) && !has(transport, SHUT)) {
        set(transport, SHUT);
        transport->ops->shut_down(transport);
    }
}

static void resume_producer(torc_transport *transport) {
    if (!is_fed(transport) || has(transport, ENDED)) return;
    if (has(transport, STREAMING) && !has(transport, PRODUCER_PAUSED)) return;
    clear(transport, PRODUCER_PAUSED);
    transport->outgoing->producer->ops->resume(transport->outgoing->producer);
}

static void look_at_marks(torc_transport *transport) {
    torc_producer *producer = producer_of(transport);
    const size_t unsent = torc_transport_unsent(transport);

    if (unsent >= transport->high_mark) {
        set(transport, FULL);
        if (producer && has(transport, STREAMING) && !has(transport, PRODUCER_PAUSED)) {
            set(transport, PRODUCER_PAUSED);
            producer->ops->pause(producer);
        }
        return;
    }
    if (has(transport, FULL) && unsent <= transport->low_mark) {
        clear(transport, FULL);
        if (transport->protocol->ops->drained && !has(transport, CLOSING))
            transport->protocol->ops->drained(transport->protocol);
        if (has(transport, STREAMING)) resume_producer(transport);
    }
    if (!has(transport, FULL | STREAMING)) resume_producer(transport);
}

static void stop_late_producer(torc_transport *transport) {
    torc_producer *producer = producer_of(transport);

    if (!has(transport, LATE)) return;
    transport->outgoing->producer = NULL;
    clear(transport, LATE);
    producer->ops->stop(producer);
}

/* Whether a disk may have to be waited for. */
static bool has_files(const torc_transport *transport) {
    const torc_chain *output = &transport->outgoing->chain;

    return transport->ops->sends_files &&
           (output->first != output->last || output->first->kind == TORC_SEGMENT_FILE);
}

/* How many of the first `len` bytes go now; 0: a thread reads them first. */
static size_t sendable(torc_transport *transport, size_t len) {
    const size_t there =
        torc_file_warmer_at_hand(transport->reactor, &transport->outgoing->chain, len);

    if (there > 0 || !torc_file_warmer_start(transport)) return there > 0 ? there : len;
    set(transport, WARMING);
    return 0;
}

static void send_output(torc_transport *transport) {
    torc_outgoing *outgoing = transport->outgoing;
    size_t len = outgoing->chain.len;

    if (len == 0 || outgoing->sending > 0 || has(transport, WARMING)) return;
    if (len > TORC_TURN_SEND_MAX) len = TORC_TURN_SEND_MAX;
    if (has_files(transport)) len = sendable(transport, len);
    if (len == 0) return;
    outgoing->sending = (uint32_t)len;
    set(transport, FLUSHING);
    transport->ops->send(transport, outgoing->sending);
    clear(transport, FLUSHING);
}

/* Something was taken: the rest goes in the next turn, and who waited for room is told. */
static void go_on(torc_transport *transport) {
    torc_outgoing *outgoing = transport->outgoing;

    if (outgoing->sending == 0 && outgoing->chain.len > 0 && !has(transport, WARMING))
        torc_reactor_flush_next_turn(transport->reactor, &outgoing->flushable);
    look_at_marks(transport);
    if (!has(transport, ENDED)) progress(transport);
}

static void flush(torc_flushable *flushable) {
    torc_transport *transport = of_flushable(flushable)->transport;

    stop_late_producer(transport);
    if (!has(transport, ENDED)) send_output(transport);
    if (!has(transport, ENDED)) go_on(transport);
    release_if_idle(transport);
}

void torc_transport_flush_now(torc_transport *transport) {
    torc_outgoing *outgoing = transport->outgoing;

    if (!outgoing || !torc_list_has(&outgoing->flushable.node)) return;
    torc_flushable_cancel(&outgoing->flushable);
    flush(&outgoing->flushable);
}

void torc_transport_sent(torc_transport *transport, size_t bytes) {
    assert(transport->outgoing && bytes <= transport->outgoing->sending);
    transport->outgoing->sending -= (uint32_t)bytes;
    transport->sent_total += bytes;
    torc_transport_note_progress(transport);
    if (has(transport, ENDED | FLUSHING)) return;
    go_on(transport);
    release_if_idle(transport);
}

uint64_t torc_transport_progress_ms(const torc_transport *transport) {
    const uint64_t now_ms = transport->reactor->now_ms;
    return now_ms - ((uint32_t)now_ms - transport->progress_ms);
}

void torc_transport_note_progress(torc_transport *transport) {
    transport->progress_ms = (uint32_t)transport->reactor->now_ms;
}

void torc_transport_warmed(torc_transport *transport) {
    clear(transport, WARMING);
    if (has(transport, ENDED)) return;
    torc_transport_note_progress(transport);
    flush_later(transport);
}

uint64_t torc_transport_delivered(torc_transport *transport) {
    const size_t held = transport->ops->unacknowledged && !has(transport, ENDED)
                            ? transport->ops->unacknowledged(transport)
                            : 0;
    return held < transport->sent_total ? transport->sent_total - held : 0;
}

torc_chain *torc_transport_output(torc_transport *transport) {
    torc_outgoing *outgoing = begin(transport);
    return outgoing ? &outgoing->chain : NULL;
}

/* Bytes of the output that hold memory: ranges of files do not. Looked at only when there is much.
 */
static bool is_over_max(const torc_transport *transport) {
    const torc_chain *chain = &transport->outgoing->chain;
    size_t held = 0;

    if (chain->len <= transport->output_max) return false;
    for (const torc_segment *segment = chain->first; segment; segment = segment->next)
        if (segment->kind != TORC_SEGMENT_FILE) held += segment->len;
    return held > transport->output_max;
}

void torc_transport_written(torc_transport *transport) {
    const torc_outgoing *outgoing = transport->outgoing;

    if (has(transport, ENDED) || !outgoing) return;
    if (is_over_max(transport)) {
        torc_transport_abort_with(transport, TORC_ERR_LIMIT);
        return;
    }
    if (outgoing->chain.len >= transport->high_mark) set(transport, FULL);
    if (outgoing->sending == 0) torc_transport_note_progress(transport);
    flush_later(transport);
}

/* What a producer writes after a close was asked for is still sent. */
static bool may_write(const torc_transport *transport) {
    return !has(transport, ENDED | SHUT) &&
           (!has(transport, CLOSING | CLOSE_WRITE) || is_fed(transport));
}

void torc_transport_write(torc_transport *transport, torc_str bytes) {
    if (bytes.len == 0 || !may_write(transport)) return;
    torc_chain *output = torc_transport_output(transport);
    const torc_err err = output ? torc_chain_add_bytes(output, bytes) : TORC_ERR_NO_MEMORY;
    if (err)
        torc_transport_abort_with(transport, err);
    else
        torc_transport_written(transport);
}

void torc_transport_write_file(torc_transport *transport, int fd, uint64_t offset, uint64_t len) {
    torc_shared_file *file =
        may_write(transport) ? torc_shared_file_new(&transport->reactor->memory, fd) : NULL;
    torc_chain *output = file ? torc_transport_output(transport) : NULL;
    torc_err err = TORC_ERR_NO_MEMORY;

    if (!file) close(fd);
    if (!may_write(transport)) return;
    if (output) err = torc_chain_add_file(output, file, offset, len);
    if (file) torc_shared_file_unref(file);
    if (err)
        torc_transport_abort_with(transport, err);
    else
        torc_transport_written(transport);
}

void torc_transport_write_chain(torc_transport *transport, torc_chain *chain) {
    torc_chain *output = may_write(transport) ? torc_transport_output(transport) : NULL;

    if (!output) {
        torc_chain_clear(chain);
        if (may_write(transport)) torc_transport_abort_with(transport, TORC_ERR_NO_MEMORY);
        return;
    }
    torc_chain_move(output, chain);
    torc_transport_written(transport);
}

size_t torc_transport_room(const torc_transport *transport) {
    const size_t unsent = torc_transport_unsent(transport);

    if (has(transport, FULL) || unsent >= transport->high_mark || !may_write(transport)) return 0;
    return transport->high_mark - unsent;
}

size_t torc_transport_unsent(const torc_transport *transport) {
    return transport->outgoing ? transport->outgoing->chain.len : 0;
}

void torc_transport_set_marks(torc_transport *transport, size_t low, size_t high) {
    assert(low < high && high <= UINT32_MAX);
    transport->low_mark = (uint32_t)low;
    transport->high_mark = (uint32_t)high;
}

torc_err torc_transport_register_producer(torc_transport *transport, torc_producer *producer,
                                          bool streaming) {
    if (producer_of(transport)) return TORC_ERR_STATE;
    if (!begin(transport)) return has(transport, CLOSED) ? TORC_ERR_CLOSED : TORC_ERR_NO_MEMORY;
    transport->outgoing->producer = producer;
    clear(transport, STREAMING | PRODUCER_PAUSED);
    if (streaming) set(transport, STREAMING);
    if (has(transport, ENDED | CLOSING | CLOSE_WRITE)) set(transport, LATE);
    if (!has(transport, ENDED)) flush_later(transport);
    return TORC_OK;
}

void torc_transport_unregister_producer(torc_transport *transport) {
    clear(transport, STREAMING | PRODUCER_PAUSED | LATE);
    if (!transport->outgoing) return;
    transport->outgoing->producer = NULL;
    if (!has(transport, ENDED)) flush_later(transport);
}

/* ---- input ---- */

size_t torc_transport_received(torc_transport *transport, torc_str bytes) {
    if (has(transport, CLOSING)) return bytes.len; /* nobody wants it any more */
    if (has(transport, PAUSED)) return 0;

    const size_t consumed = transport->protocol->ops->data_received(transport->protocol, bytes);
    assert(consumed <= bytes.len);
    if (consumed < bytes.len) set(transport, PAUSED);
    return has(transport, CLOSING) ? bytes.len : consumed;
}

void torc_transport_pause(torc_transport *transport) {
    if (has(transport, PAUSED | CLOSING)) return;
    set(transport, PAUSED);
    transport->ops->receive_stop(transport);
}

void torc_transport_resume(torc_transport *transport) {
    if (!has(transport, PAUSED) || has(transport, CLOSING)) return;
    clear(transport, PAUSED);
    transport->ops->receive_start(transport);
}

bool torc_transport_is_paused(const torc_transport *transport) {
    return has(transport, PAUSED);
}

void torc_transport_peer_ended(torc_transport *transport) {
    if (has(transport, PEER_ENDED)) return;
    set(transport, PEER_ENDED);
    if (has(transport, CLOSING)) return;
    if (transport->protocol->ops->peer_ended)
        transport->protocol->ops->peer_ended(transport->protocol);
    else
        torc_transport_close(transport);
}

void torc_transport_input_ended(torc_transport *transport) {
    if (has(transport, INPUT_ENDED)) return;
    set(transport, INPUT_ENDED);
    torc_transport_peer_ended(transport);
    if (!has(transport, CLOSING) && transport->protocol->ops->input_ended)
        transport->protocol->ops->input_ended(transport->protocol);
}

void torc_transport_handshake_completed(torc_transport *transport) {
    if (has(transport, CLOSING) || !transport->protocol ||
        !transport->protocol->ops->handshake_completed)
        return;
    transport->protocol->ops->handshake_completed(transport->protocol);
}

/* ---- the end ---- */

void torc_transport_close(torc_transport *transport) {
    if (has(transport, CLOSING)) return;
    set(transport, CLOSING);
    transport->ops->receive_stop(transport);
    progress(transport);
}

void torc_transport_close_with(torc_transport *transport, torc_err reason) {
    if (!has(transport, ENDED)) transport->reason = (int16_t)reason;
    torc_transport_close(transport);
}

void torc_transport_close_write(torc_transport *transport) {
    if (has(transport, CLOSE_WRITE | CLOSING)) return;
    set(transport, CLOSE_WRITE);
    progress(transport);
}

void torc_transport_abort_with(torc_transport *transport, torc_err reason) {
    end(transport, reason, true);
}

void torc_transport_abort(torc_transport *transport) {
    torc_transport_abort_with(transport, TORC_ERR_ABORTED);
}

bool torc_transport_has_ended(const torc_transport *transport) {
    return has(transport, ENDED);
}

bool torc_transport_is_closing(const torc_transport *transport) {
    return has(transport, CLOSING);
}

void torc_transport_failed(torc_transport *transport, torc_err err) {
    end(transport, err, false);
}

void torc_transport_closed(torc_transport *transport) {
    torc_producer *producer = producer_of(transport);
    torc_protocol *protocol = transport->protocol;

    set(transport, ENDED | CLOSING | CLOSED);
    stop_warming(transport);
    torc_outgoing_free(transport->outgoing, transport->reactor);
    transport->outgoing = NULL;
    if (producer) producer->ops->stop(producer);
    if (!protocol) return;
    transport->protocol = NULL;
    protocol->ops->connection_lost(protocol, (torc_err)transport->reason);
}

/* ---- the beginning ---- */

void torc_transport_init(torc_transport *transport, torc_reactor *reactor,
                         const torc_transport_ops *ops) {
    *transport = (torc_transport){
        .ops = ops,
        .reactor = reactor,
        .output_max = TORC_TRANSPORT_OUTPUT_MAX,
        .low_mark = LOW_MARK,
        .high_mark = HIGH_MARK,
        .reason = TORC_ERR_CLOSED,
    };
}

void torc_transport_made(torc_transport *transport, torc_protocol *protocol) {
    transport->protocol = protocol;
    protocol->transport = transport;
    transport->ops->receive_start(transport);
    protocol->ops->connection_made(protocol);
}

void torc_transport_switch_protocol(torc_transport *transport, torc_protocol *protocol) {
    const unsigned told = transport->flags & (PEER_ENDED | INPUT_ENDED);

    clear(transport, PEER_ENDED | INPUT_ENDED);
    transport->protocol = protocol;
    protocol->transport = transport;
    protocol->ops->connection_made(protocol);
    if (told) torc_transport_peer_ended(transport);
    if (told & INPUT_ENDED) torc_transport_input_ended(transport);
    torc_transport_resume(transport);
}

torc_err torc_transport_insert(torc_transport *transport, torc_transport *above,
                               torc_protocol *below) {
    torc_protocol *protocol = transport->protocol;

    if (has(transport, CLOSING | CLOSE_WRITE | PEER_ENDED) || producer_of(transport))
        return TORC_ERR_STATE;
    above->flags = transport->flags & PAUSED;
    above->low_mark = transport->low_mark;
    above->high_mark = transport->high_mark;
    above->output_max = transport->output_max;
    above->protocol = protocol;
    protocol->transport = above;
    transport->protocol = below;
    below->transport = transport;
    torc_transport_pause(transport);
    if (!has(above, PAUSED)) above->ops->receive_start(above);
    return TORC_OK;
}

torc_reactor *torc_transport_reactor(torc_transport *transport) {
    return transport->reactor;
}

torc_addr torc_transport_peer(torc_transport *transport) {
    return transport->ops->addr(transport, true);
}

torc_addr torc_transport_host(torc_transport *transport) {
    return transport->ops->addr(transport, false);
}

torc_link_info torc_transport_link_info(torc_transport *transport) {
    torc_link_info link = {0};

    if (transport->ops->describe) transport->ops->describe(transport, &link);
    link.peer = torc_transport_peer(transport);
    link.host = torc_transport_host(transport);
    return link;
}

torc_err torc_transport_set_no_delay(torc_transport *transport, bool on) {
    return transport->ops->set_option(transport, TCP_NODELAY, on);
}

torc_err torc_transport_set_keep_alive(torc_transport *transport, bool on) {
    return transport->ops->set_option(transport, SO_KEEPALIVE, on);
}
