/* SPDX-License-Identifier: MIT */
/*
 * Limits of how many connections there may be, and how fast new ones may come.
 *
 *  - A filter that stands counts one; its bytes pass as they are.
 *  - An address stays known until its bucket is full again: forgetting it then changes nothing.
 */
#include <torc/bucket.h>
#include <torc/log.h>
#include <torc/policy.h>

#include "base/alloc.h"
#include "base/log_gate.h"
#include "base/options.h"
#include "transport/accounts.h"
#include "transport/filter.h"

enum {
    ADDRESSES_MAX = 65536
};

typedef struct address {
    torc_account base;
    bool is_known; /* the bucket was made */
    torc_bucket opened;
} address;

typedef struct limit_factory {
    torc_filter_factory base;
    torc_reactor *reactor;
    torc_connection_limit_options options;
    uint32_t connections;
    torc_accounts accounts;
    torc_log_gate too_many, too_many_of_one, too_fast;
} limit_factory;

typedef struct counted {
    torc_filter base;
    limit_factory *factory;
    torc_account *account; /* NULL: none */
} counted;

static address *address_of(torc_account *account) {
    return torc_container_of(account, address, base);
}

static bool can_forget(torc_account *account, void *context) {
    const limit_factory *factory = context;
    return torc_bucket_is_full(&address_of(account)->opened, factory->reactor->now_us);
}

static bool needs_accounts(const limit_factory *factory) {
    return factory->options.connections_per_address_max || factory->options.opened_per_second_max;
}

static torc_err refuse(limit_factory *factory, torc_log_gate *gate, const char *text,
                       const torc_addr *peer) {
    char peer_text[TORC_ADDR_TEXT_MAX];
    uint64_t left_out;

    if (torc_log_gate_passes(gate, factory->reactor->now_ms, &left_out))
        TORC_LOG_WARN(factory->reactor->log, "transport.limit", text,
                      TORC_LOG_STR("peer", torc_addr_text(peer, peer_text)),
                      TORC_LOG_UINT("not_logged", left_out));
    return TORC_ERR_LIMIT;
}

/* Whether an address that is used by this connection, too, may have it. */
static torc_err check_address(limit_factory *factory, torc_account *account,
                              const torc_addr *peer) {
    const torc_connection_limit_options *options = &factory->options;
    address *self = address_of(account);

    if (!self->is_known) {
        self->is_known = true;
        torc_bucket_init(&self->opened, options->opened_per_second_max, options->opened_at_once_max,
                         NULL, factory->reactor->now_us);
    }
    if (options->connections_per_address_max &&
        account->users > options->connections_per_address_max)
        return refuse(factory, &factory->too_many_of_one, "too many connections of one address",
                      peer);
    if (options->opened_per_second_max &&
        torc_bucket_take(&self->opened, 1, factory->reactor->now_us) == 0)
        return refuse(factory, &factory->too_fast, "connections of one address come too fast",
                      peer);
    return TORC_OK;
}

static torc_err count(limit_factory *factory, torc_transport *below, torc_account **account) {
    const torc_addr peer = torc_transport_peer(below);

    *account = NULL;
    if (factory->options.connections_max &&
        factory->connections >= factory->options.connections_max)
        return refuse(factory, &factory->too_many, "too many connections", &peer);
    if (!needs_accounts(factory)) return TORC_OK;
    torc_err err = torc_accounts_use(&factory->accounts, &peer, factory->reactor->now_ms, account);
    if (err == TORC_ERR_LIMIT)
        return refuse(factory, &factory->too_many, "too many addresses to remember", &peer);
    if (err || !*account) return err;
    err = check_address(factory, *account, &peer);
    if (err) torc_accounts_let_go(&factory->accounts, *account);
    return err;
}

static void free_counted(torc_filter *filter) {
    counted *self = torc_container_of(filter, counted, base);
    limit_factory *factory = self->factory;

    torc_accounts_let_go(&factory->accounts, self->account);
    factory->connections--;
    torc_dealloc(&factory->reactor->memory, self);
    torc_filter_factory_unref(&factory->base);
}

static torc_err build(torc_filter_factory *base, torc_transport *below, torc_filter **filter) {
    static const torc_filter_ops ops = {.free = free_counted};
    limit_factory *factory = torc_container_of(base, limit_factory, base);
    torc_account *account;
    torc_err err = count(factory, below, &account);

    if (err) return err;
    counted *self =
        torc_alloc_zero(&factory->reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));
    if (!self) {
        torc_accounts_let_go(&factory->accounts, account);
        return TORC_ERR_NO_MEMORY;
    }
    torc_filter_init(&self->base, factory->reactor, &ops);
    self->factory = factory;
    self->account = account;
    factory->connections++;
    torc_filter_factory_ref(base);
    *filter = &self->base;
    return TORC_OK;
}

static void free_factory(torc_filter_factory *base) {
    limit_factory *factory = torc_container_of(base, limit_factory, base);

    torc_accounts_dispose(&factory->accounts);
    torc_dealloc(&factory->reactor->memory, factory);
}

torc_err torc_connection_limit_new(torc_reactor *reactor,
                                   const torc_connection_limit_options *given,
                                   torc_filter_factory **made) {
    limit_factory *factory =
        torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*factory));

    if (!factory) return TORC_ERR_NO_MEMORY;
    TORC_OPTIONS_READ(&factory->options, given);
    if (!factory->options.addresses_max) factory->options.addresses_max = ADDRESSES_MAX;
    factory->base.build_filter = build;
    factory->base.free = free_factory;
    factory->base.refs = 1;
    factory->reactor = reactor;
    torc_accounts_init(&factory->accounts, &reactor->memory, sizeof(address),
                       factory->options.addresses_max);
    factory->accounts.can_forget = can_forget;
    factory->accounts.context = factory;
    *made = &factory->base;
    return TORC_OK;
}
