/* SPDX-License-Identifier: MIT */
/*
 * How fast bytes may come and go.
 *
 *  - Each connection has a bucket for each direction, above it stands that of its address, and
 *    above that the factory's.
 *  - What may not go up yet stays below, where receiving pauses: so the peer is slowed by flow
 *    control. What may not go down yet is held here, and no more of it is taken: it is about as
 *    much as the stage below has room for.
 */
#include <torc/bucket.h>
#include <torc/policy.h>
#include <torc/timer.h>

#include "base/alloc.h"
#include "base/options.h"
#include "transport/accounts.h"
#include "transport/filter.h"

enum {
    BURST_MS = 1000,
    ADDRESSES_MAX = 65536,
    QUANTUM = 4096 /* bytes that are worth a wake-up, if there are so many to wait for */
};

typedef struct address {
    torc_account base;
    bool is_known; /* the buckets were made */
    torc_bucket received, sent;
} address;

typedef struct throttle_factory {
    torc_filter_factory base;
    torc_reactor *reactor;
    torc_throttle_options options;
    torc_bucket received, sent;
    torc_accounts accounts;
} throttle_factory;

typedef struct throttled {
    torc_filter base;
    throttle_factory *factory;
    torc_account *account; /* NULL: none */
    torc_bucket received, sent;
    torc_timer received_timer, sent_timer; /* armed while something may not go on yet */
    torc_chain held;
    bool has_ended; /* nothing comes from above any more */
} throttled;

static throttled *self_of(torc_filter *filter) {
    return torc_container_of(filter, throttled, base);
}

static address *address_of(torc_account *account) {
    return torc_container_of(account, address, base);
}

static bool can_forget(torc_account *account, void *context) {
    const throttle_factory *factory = context;
    address *self = address_of(account);

    return torc_bucket_is_full(&self->received, factory->reactor->now_us) &&
           torc_bucket_is_full(&self->sent, factory->reactor->now_us);
}

static void make_bucket(const throttle_factory *factory, torc_bucket *bucket, uint64_t rate,
                        torc_bucket *parent) {
    const uint64_t size =
        rate / 1000 * factory->options.burst_ms + rate % 1000 * factory->options.burst_ms / 1000;
    torc_bucket_init(bucket, rate, size ? size : 1, parent, factory->reactor->now_us);
}

/* Come back when more may pass. */
static void wait_for(torc_timer *timer, torc_bucket *bucket, size_t len, uint64_t now_us) {
    const uint64_t wait_us = torc_bucket_wait_us(bucket, len < QUANTUM ? len : QUANTUM, now_us);
    torc_timer_arm(timer, wait_us / 1000 + 1);
}

/* ---- upwards ---- */

static size_t received(torc_filter *filter, torc_str bytes) {
    throttled *self = self_of(filter);
    const uint64_t now_us = self->factory->reactor->now_us;
    const size_t len = (size_t)torc_bucket_take(&self->received, bytes.len, now_us);

    if (len) torc_filter_deliver(filter, torc_str_head(bytes, len));
    if (len < bytes.len) wait_for(&self->received_timer, &self->received, bytes.len - len, now_us);
    return len;
}

static void may_receive(torc_timer *timer) {
    throttled *self = torc_container_of(timer, throttled, received_timer);
    torc_filter_hold(&self->base, false);
}

/* ---- downwards ---- */

/* Send of what is held what may go. */
static torc_err push(throttled *self) {
    const uint64_t now_us = self->factory->reactor->now_us;
    const size_t len = (size_t)torc_bucket_take(&self->sent, self->held.len, now_us);
    torc_chain piece;

    torc_chain_init(&piece, &self->factory->reactor->chains);
    if (len) {
        const torc_err err = torc_chain_move_head(&piece, &self->held, len);
        if (err) return err;
        torc_filter_send_below(&self->base, &piece);
    }
    if (self->held.len) wait_for(&self->sent_timer, &self->sent, self->held.len, now_us);
    return TORC_OK;
}

static torc_err send_(torc_filter *filter, torc_chain *from) {
    throttled *self = self_of(filter);
    torc_err err;

    torc_chain_move(&self->held, from);
    err = push(self);
    if (!err && self->held.len) torc_filter_hold_output(filter, true);
    return err;
}

static void may_send(torc_timer *timer) {
    throttled *self = torc_container_of(timer, throttled, sent_timer);

    if (push(self))
        torc_filter_fail(&self->base, TORC_ERR_NO_MEMORY);
    else if (self->held.len == 0 && self->has_ended)
        torc_filter_end_below(&self->base);
    else if (self->held.len == 0)
        torc_filter_hold_output(&self->base, false);
}

static void shut_down(torc_filter *filter) {
    throttled *self = self_of(filter);

    self->has_ended = true;
    if (self->held.len == 0) torc_filter_end_below(filter);
}

/* ---- the beginning and the end ---- */

static void free_throttled(torc_filter *filter) {
    throttled *self = self_of(filter);
    throttle_factory *factory = self->factory;

    torc_timer_cancel(&self->received_timer);
    torc_timer_cancel(&self->sent_timer);
    torc_chain_clear(&self->held);
    torc_accounts_let_go(&factory->accounts, self->account);
    torc_dealloc(&factory->reactor->memory, self);
    torc_filter_factory_unref(&factory->base);
}

static const torc_filter_ops ops = {
    .received = received,
    .send = send_,
    .shut_down = shut_down,
    .free = free_throttled,
    .sends_files = true,
};

/* The account of a peer's address, if these are limited. */
static torc_err use_account(throttle_factory *factory, torc_transport *below,
                            torc_account **account) {
    const torc_throttle_options *options = &factory->options;
    const torc_addr peer = torc_transport_peer(below);
    torc_err err;

    *account = NULL;
    if (!options->received_per_address_max && !options->sent_per_address_max) return TORC_OK;
    err = torc_accounts_use(&factory->accounts, &peer, factory->reactor->now_ms, account);
    if (err || !*account || address_of(*account)->is_known) return err;
    address *self = address_of(*account);
    self->is_known = true;
    make_bucket(factory, &self->received, options->received_per_address_max, &factory->received);
    make_bucket(factory, &self->sent, options->sent_per_address_max, &factory->sent);
    return TORC_OK;
}

static torc_err build(torc_filter_factory *base, torc_transport *below, torc_filter **filter) {
    throttle_factory *factory = torc_container_of(base, throttle_factory, base);
    torc_account *account;
    const torc_err err = use_account(factory, below, &account);
    throttled *self;

    if (err) return err;
    self = torc_alloc_zero(&factory->reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));
    if (!self) {
        torc_accounts_let_go(&factory->accounts, account);
        return TORC_ERR_NO_MEMORY;
    }
    torc_filter_init(&self->base, factory->reactor, &ops);
    self->factory = factory;
    self->account = account;
    make_bucket(factory, &self->received, factory->options.received_per_connection_max,
                account ? &address_of(account)->received : &factory->received);
    make_bucket(factory, &self->sent, factory->options.sent_per_connection_max,
                account ? &address_of(account)->sent : &factory->sent);
    torc_timer_init(&self->received_timer, factory->reactor, may_receive);
    torc_timer_init(&self->sent_timer, factory->reactor, may_send);
    torc_chain_init(&self->held, &factory->reactor->chains);
    torc_filter_factory_ref(base);
    *filter = &self->base;
    return TORC_OK;
}

static void free_factory(torc_filter_factory *base) {
    throttle_factory *factory = torc_container_of(base, throttle_factory, base);

    torc_accounts_dispose(&factory->accounts);
    torc_dealloc(&factory->reactor->memory, factory);
}

torc_err torc_throttle_new(torc_reactor *reactor, const torc_throttle_options *given,
                           torc_filter_factory **made) {
    throttle_factory *factory =
        torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*factory));

    if (!factory) return TORC_ERR_NO_MEMORY;
    TORC_OPTIONS_READ(&factory->options, given);
    if (!factory->options.burst_ms) factory->options.burst_ms = BURST_MS;
    if (!factory->options.addresses_max) factory->options.addresses_max = ADDRESSES_MAX;
    factory->base.build_filter = build;
    factory->base.free = free_factory;
    factory->base.refs = 1;
    factory->reactor = reactor;
    make_bucket(factory, &factory->received, factory->options.received_max, NULL);
    make_bucket(factory, &factory->sent, factory->options.sent_max, NULL);
    torc_accounts_init(&factory->accounts, &reactor->memory, sizeof(address),
                       factory->options.addresses_max);
    factory->accounts.can_forget = can_forget;
    factory->accounts.context = factory;
    *made = &factory->base;
    return TORC_OK;
}
