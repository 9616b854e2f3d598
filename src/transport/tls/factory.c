/* SPDX-License-Identifier: MIT */
/*
 * How TLS filters come to be: by factories for listeners and connectors, and in the middle of a
 * connection.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <torc/addr.h>

#include "base/alloc.h"
#include "transport/tls/filter.h"

static torc_tls_factory *self_of(torc_filter_factory *factory) {
    return torc_container_of(factory, torc_tls_factory, base);
}

static torc_err build_server(torc_filter_factory *factory, torc_transport *below,
                             torc_filter **filter) {
    torc_tls_filter *made;
    const torc_err err = torc_tls_filter_new_server(
        below->reactor, torc_tls_context_config(self_of(factory)->context), &made);

    if (!err) *filter = &made->base;
    return err;
}

static torc_err build_client(torc_filter_factory *factory, torc_transport *below,
                             torc_filter **filter) {
    torc_tls_filter *made;
    const torc_err err = torc_tls_filter_new_client(below->reactor, self_of(factory), &made);

    if (!err) *filter = &made->base;
    return err;
}

static void free_factory(torc_filter_factory *factory) {
    torc_tls_factory *self = self_of(factory);

    torc_tls_context_unref(self->context);
    torc_tls_config_unref(self->config);
    torc_dealloc(NULL, self);
}

static torc_tls_factory *new_factory(torc_err (*build)(torc_filter_factory *factory,
                                                       torc_transport *below,
                                                       torc_filter **filter)) {
    torc_tls_factory *self = torc_alloc_zero(NULL, TORC_MEMORY_TLS, 1, sizeof(*self));

    if (!self) return NULL;
    self->base.build_filter = build;
    self->base.free = free_factory;
    atomic_init(&self->base.refs, 1);
    return self;
}

torc_err torc_tls_server_filter(torc_tls_context *context, torc_filter_factory **factory) {
    torc_tls_factory *self = new_factory(build_server);

    if (!self) return TORC_ERR_NO_MEMORY;
    self->context = torc_tls_context_ref(context);
    *factory = &self->base;
    return TORC_OK;
}

/* Whether it may be a name: letters of ASCII, digits, '-', '_', and dots between. */
static bool is_name(torc_str host) {
    if (host.len == 0 || host.bytes[0] == '.') return false;
    for (size_t i = 0; i < host.len; i++) {
        const char byte = host.bytes[i];
        const bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        if (!is_letter && !(byte >= '0' && byte <= '9') && byte != '-' && byte != '_' &&
            !(byte == '.' && host.bytes[i - 1] != '.'))
            return false;
    }
    return true;
}

torc_err torc_tls_factory_new_client(torc_tls_config *config, const char *host, uint16_t port,
                                     torc_tls_factory **factory) {
    torc_str name = torc_str_of(host);
    torc_addr addr;

    if (torc_str_ends_with(name, TORC_STR("."))) name.len--;
    const bool is_address =
        torc_addr_parse(name, port, &addr) == TORC_OK && torc_addr_family(&addr) != AF_UNIX;
    if (name.len >= TORC_TLS_HOST_MAX || (!is_address && !is_name(name))) return TORC_ERR_INVALID;
    torc_tls_factory *self = new_factory(build_client);
    if (!self) return TORC_ERR_NO_MEMORY;
    self->config = torc_tls_config_ref(config);
    self->is_address = is_address;
    memcpy(self->host, name.bytes, name.len);
    self->key_len = (size_t)snprintf(self->key, sizeof(self->key), "%s:%u", self->host, port);
    *factory = self;
    return TORC_OK;
}

torc_err torc_tls_client_filter(torc_tls_config *config, const char *host, uint16_t port,
                                torc_filter_factory **factory) {
    torc_tls_factory *made;
    const torc_err err = torc_tls_factory_new_client(config, host, port, &made);

    if (!err) *factory = &made->base;
    return err;
}

/* ---- in the middle of a connection ---- */

static torc_err start(torc_tls_filter *filter, torc_transport *transport) {
    const torc_err err = torc_tls_filter_start(filter, transport);

    if (err) torc_tls_filter_discard(filter);
    return err;
}

torc_err torc_tls_start_server(torc_transport *transport, torc_tls_context *context) {
    torc_tls_filter *filter;
    const torc_err err =
        torc_tls_filter_new_server(transport->reactor, torc_tls_context_config(context), &filter);
    return err ? err : start(filter, transport);
}

torc_err torc_tls_start_client(torc_transport *transport, torc_tls_config *config, const char *host,
                               uint16_t port) {
    torc_tls_factory *factory;
    torc_tls_filter *filter;
    torc_err err = torc_tls_factory_new_client(config, host, port, &factory);

    if (err) return err;
    err = torc_tls_filter_new_client(transport->reactor, factory, &filter);
    torc_filter_factory_unref(&factory->base); /* the filter holds it */
    return err ? err : start(filter, transport);
}
