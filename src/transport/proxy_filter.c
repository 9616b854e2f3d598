/* SPDX-License-Identifier: MIT */
/*
 * The filters that take a PROXY header, and send one.
 *
 *  - The taking one is a gate: nothing stands above it before the header has come, so whoever does
 *    is told the right addresses from the beginning. Then it passes bytes as they are.
 *  - What came of a header is kept in `bytes`, which is empty when the whole came at once and has
 *    no TLVs: the usual case allocates nothing more.
 *  - The factory outlives its filters: each holds it.
 */
#include <torc/log.h>
#include <torc/proxy_header.h>
#include <torc/timer.h>

#include "base/alloc.h"
#include "base/log_gate.h"
#include "base/options.h"
#include "transport/filter.h"

enum {
    HEADER_MS = 5000,
    HEADER_BYTES_MAX = 4096,
    HEADER_BYTES_LIMIT = 16 + 65535
};

typedef struct taker_factory {
    torc_filter_factory base;
    torc_reactor *reactor;
    uint32_t header_ms, header_bytes_max;
    torc_cidr *trusted; /* NULL: everybody */
    size_t trusted_count;
    torc_log_gate untrusted, malformed, late;
} taker_factory;

typedef struct taker {
    torc_filter base;
    taker_factory *factory;
    torc_timer timer; /* armed until the header has come */
    torc_buf bytes;
    torc_proxy_header header; /* its TLVs are in `bytes` */
} taker;

static taker *taker_of(torc_filter *filter) {
    return torc_container_of(filter, taker, base);
}

/* ---- refusing ---- */

static void say(taker_factory *factory, torc_log_gate *gate, const char *text,
                torc_transport *transport) {
    const torc_addr peer = torc_transport_peer(transport);
    char peer_text[TORC_ADDR_TEXT_MAX];
    uint64_t left_out;

    if (!torc_log_gate_passes(gate, torc_reactor_now_ms(factory->reactor), &left_out)) return;
    TORC_LOG_WARN(torc_reactor_log(factory->reactor), "transport.proxy", text,
                  TORC_LOG_STR("peer", torc_addr_text(&peer, peer_text)),
                  TORC_LOG_UINT("not_logged", left_out));
}

static void expired(torc_timer *timer) {
    taker *self = torc_container_of(timer, taker, timer);

    say(self->factory, &self->factory->late, "no PROXY header came in time",
        torc_filter_below(&self->base));
    torc_filter_fail(&self->base, TORC_ERR_TIMEOUT);
}

static void refuse(taker *self) {
    torc_timer_cancel(&self->timer);
    say(self->factory, &self->factory->malformed, "what came is no PROXY header, or too long a one",
        torc_filter_below(&self->base));
    torc_filter_fail(&self->base, TORC_ERR_PEER);
}

static void ended_early(torc_filter *filter) {
    torc_filter_fail(filter, TORC_ERR_TRUNCATED);
}

/* ---- taking ---- */

static const torc_filter_ops open_ops;

/* The TLVs outlive the bytes that came. */
static torc_err keep_tlvs(taker *self) {
    if (self->header.tlvs.len == 0 || self->bytes.len > 0) return TORC_OK;
    torc_buf_add(&self->bytes, self->header.tlvs);
    self->header.tlvs = torc_buf_str(&self->bytes);
    return torc_buf_err(&self->bytes);
}

/* The header is there. False: not for want of memory. */
static bool open_gate(taker *self) {
    torc_timer_cancel(&self->timer);
    if (keep_tlvs(self)) {
        torc_filter_fail(&self->base, TORC_ERR_NO_MEMORY);
        return false;
    }
    self->base.ops = &open_ops;
    torc_filter_open(&self->base);
    return true;
}

/* The whole of it came at once, mostly. */
static torc_err take_at_once(taker *self, torc_str bytes) {
    size_t len;
    const torc_err err = torc_proxy_header_parse(bytes, &self->header, &len);

    if (err) return err;
    if (len > self->factory->header_bytes_max) return TORC_ERR_TOO_LARGE;
    if (open_gate(self)) torc_filter_deliver(&self->base, torc_str_from(bytes, len));
    return TORC_OK;
}

/* It comes in pieces, and what follows with the last of them. */
static torc_err take_piece(taker *self, torc_str bytes) {
    const size_t room = self->factory->header_bytes_max - self->bytes.len;
    const size_t piece = bytes.len < room ? bytes.len : room;
    size_t len;

    torc_buf_add(&self->bytes, torc_str_head(bytes, piece));
    torc_err err = torc_buf_err(&self->bytes);
    if (!err) err = torc_proxy_header_parse(torc_buf_str(&self->bytes), &self->header, &len);
    if (err == TORC_ERR_AGAIN && piece == room) return TORC_ERR_TOO_LARGE;
    if (err) return err;
    if (open_gate(self)) {
        torc_filter_deliver(&self->base, torc_str_from(torc_buf_str(&self->bytes), len));
        torc_filter_deliver(&self->base, torc_str_from(bytes, piece));
    }
    return TORC_OK;
}

static size_t received(torc_filter *filter, torc_str bytes) {
    taker *self = taker_of(filter);
    torc_err err = self->bytes.len ? TORC_ERR_AGAIN : take_at_once(self, bytes);

    if (err == TORC_ERR_AGAIN) err = take_piece(self, bytes);
    if (err == TORC_ERR_NO_MEMORY)
        torc_filter_fail(filter, err);
    else if (err && err != TORC_ERR_AGAIN)
        refuse(self);
    return bytes.len;
}

static torc_addr addr(torc_filter *filter, bool peer) {
    const taker *self = taker_of(filter);
    return peer ? self->header.source : self->header.destination;
}

static void describe(torc_filter *filter, torc_link_info *link) {
    const taker *self = taker_of(filter);

    link->proxy = &self->header;
    if (self->header.is_secure) link->is_secure = true;
}

static void free_taker(torc_filter *filter) {
    taker *self = taker_of(filter);
    taker_factory *factory = self->factory;

    torc_timer_cancel(&self->timer);
    torc_buf_dispose(&self->bytes);
    torc_dealloc(&factory->reactor->memory, self);
    torc_filter_factory_unref(&factory->base);
}

static const torc_filter_ops gate_ops = {
    .received = received, .peer_ended = ended_early, .free = free_taker, .is_gate = true};
static const torc_filter_ops open_ops = {.addr = addr, .describe = describe, .free = free_taker};

static torc_err build_taker(torc_filter_factory *base, torc_transport *below,
                            torc_filter **filter) {
    taker_factory *factory = torc_container_of(base, taker_factory, base);
    torc_memory *memory = &factory->reactor->memory;

    if (factory->trusted) {
        const torc_addr peer = torc_transport_peer(below);
        if (!torc_cidr_any_contains(factory->trusted, factory->trusted_count, &peer)) {
            say(factory, &factory->untrusted, "a PROXY header is not taken from this peer", below);
            return TORC_ERR_PERMISSION;
        }
    }
    taker *self = torc_alloc_zero(memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));
    if (!self) return TORC_ERR_NO_MEMORY;
    torc_filter_init(&self->base, factory->reactor, &gate_ops);
    self->factory = factory;
    torc_filter_factory_ref(base);
    torc_buf_init(&self->bytes, memory, TORC_MEMORY_CONNECTION, factory->header_bytes_max);
    torc_timer_init(&self->timer, factory->reactor, expired);
    torc_timer_arm(&self->timer, factory->header_ms);
    *filter = &self->base;
    return TORC_OK;
}

static void free_taker_factory(torc_filter_factory *base) {
    taker_factory *factory = torc_container_of(base, taker_factory, base);
    torc_memory *memory = &factory->reactor->memory;

    torc_dealloc(memory, factory->trusted);
    torc_dealloc(memory, factory);
}

static torc_err copy_trusted(taker_factory *factory, const torc_proxy_header_options *options) {
    const size_t size = options->trusted_count * sizeof(*options->trusted);

    if (!options->trusted) return TORC_OK;
    factory->trusted = torc_alloc(&factory->reactor->memory, TORC_MEMORY_OTHER, size ? size : 1);
    if (!factory->trusted) return TORC_ERR_NO_MEMORY;
    memcpy(factory->trusted, options->trusted, size);
    factory->trusted_count = options->trusted_count;
    return TORC_OK;
}

torc_err torc_proxy_header_filter_new(torc_reactor *reactor, const torc_proxy_header_options *given,
                                      torc_filter_factory **made) {
    torc_proxy_header_options options = {0};
    taker_factory *factory =
        torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*factory));

    if (!factory) return TORC_ERR_NO_MEMORY;
    TORC_OPTIONS_READ(&options, given);
    factory->base.build_filter = build_taker;
    factory->base.free = free_taker_factory;
    factory->base.refs = 1;
    factory->reactor = reactor;
    factory->header_ms = options.header_ms ? options.header_ms : HEADER_MS;
    factory->header_bytes_max =
        options.header_bytes_max ? options.header_bytes_max : HEADER_BYTES_MAX;
    if (factory->header_bytes_max > HEADER_BYTES_LIMIT)
        factory->header_bytes_max = HEADER_BYTES_LIMIT;
    if (copy_trusted(factory, &options)) {
        torc_filter_factory_unref(&factory->base);
        return TORC_ERR_NO_MEMORY;
    }
    *made = &factory->base;
    return TORC_OK;
}

/* ---- sending ---- */

typedef struct sender_factory {
    torc_filter_factory base;
    torc_reactor *reactor;
    torc_buf header;
} sender_factory;

typedef struct sender {
    torc_filter base;
    sender_factory *factory;
} sender;

static sender *sender_of(torc_filter *filter) {
    return torc_container_of(filter, sender, base);
}

static void send_header(torc_filter *filter) {
    torc_transport_write(torc_filter_below(filter),
                         torc_buf_str(&sender_of(filter)->factory->header));
}

static void free_sender(torc_filter *filter) {
    sender *self = sender_of(filter);
    sender_factory *factory = self->factory;

    torc_dealloc(&factory->reactor->memory, self);
    torc_filter_factory_unref(&factory->base);
}

static torc_err build_sender(torc_filter_factory *base, torc_transport *below,
                             torc_filter **filter) {
    static const torc_filter_ops ops = {.made = send_header, .free = free_sender};
    sender_factory *factory = torc_container_of(base, sender_factory, base);
    sender *self =
        torc_alloc_zero(&factory->reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));

    (void)below;
    if (!self) return TORC_ERR_NO_MEMORY;
    torc_filter_init(&self->base, factory->reactor, &ops);
    self->factory = factory;
    torc_filter_factory_ref(base);
    *filter = &self->base;
    return TORC_OK;
}

static void free_sender_factory(torc_filter_factory *base) {
    sender_factory *factory = torc_container_of(base, sender_factory, base);

    torc_buf_dispose(&factory->header);
    torc_dealloc(&factory->reactor->memory, factory);
}

torc_err torc_proxy_header_sender_new(torc_reactor *reactor, const torc_proxy_header *header,
                                      torc_filter_factory **made) {
    static const torc_proxy_header local = {.version = 2, .is_local = true};
    torc_memory *memory = &reactor->memory;
    sender_factory *factory = torc_alloc_zero(memory, TORC_MEMORY_OTHER, 1, sizeof(*factory));

    if (!factory) return TORC_ERR_NO_MEMORY;
    factory->base.build_filter = build_sender;
    factory->base.free = free_sender_factory;
    factory->base.refs = 1;
    factory->reactor = reactor;
    torc_buf_init(&factory->header, memory, TORC_MEMORY_OTHER, HEADER_BYTES_LIMIT);
    const torc_err err = torc_proxy_header_format(header ? header : &local, &factory->header);
    if (err)
        torc_filter_factory_unref(&factory->base);
    else
        *made = &factory->base;
    return err;
}
