/* SPDX-License-Identifier: MIT */
/*
 * Connecting to what an endpoint string says: the name is looked up, the filters are made, and the
 * addresses tried.
 *
 *  - A connecting lives until its deferred has fired, and then as long as the connection, of whose
 *    end it tells the torc_connection that nobody has taken yet.
 *  - What is wrong at once (the string, the memory) is a deferred that has failed.
 */
#include "transport/connect.h"
#include "base/options.h"

#include <torc/endpoint_stages.h>
#include <torc/names.h>

#include "base/alloc.h"
#include "reactor/reactor.h"
#include "transport/connector.h"

typedef struct torc_connecting {
    torc_connector connector;
    torc_callback resolved;
    torc_deferred *deferred; /* NULL once it has fired */
    torc_connection *first;  /* until it has fired */
    torc_list connections;   /* who holds it, then */
    torc_factory *factory;
    torc_filters filters;
    torc_endpoint_error *error; /* who asks for it; not written when nobody waits any more */
    torc_endpoint_error said;
    torc_client_endpoint endpoint;
} connecting;

static torc_reactor *reactor_of(const connecting *self) {
    return self->connector.deadline.reactor;
}

/* ---- the end ---- */

static void free_connecting(connecting *self) {
    torc_memory *memory = &reactor_of(self)->memory;

    torc_filters_dispose(&self->filters);
    torc_dealloc(memory, self->first);
    torc_dealloc(memory, self);
}

/* The name of the peer before what was said of its addresses. */
static void tell_error(connecting *self, torc_err err) {
    const char *host = torc_endpoint_text_of(&self->endpoint.texts, self->endpoint.host);
    const bool is_name = host && self->endpoint.addr.len == 0;

    if (!self->error || !torc_deferred_is_wanted(self->deferred)) return;
    self->error->place = 0;
    self->error->text[0] = '\0';
    if (is_name) torc_connect_error_add(self->error, "%s: ", host);
    torc_connect_error_add(self->error, "%s",
                           self->said.text[0] ? self->said.text : torc_err_text(err));
}

static void fail(connecting *self, torc_err err) {
    torc_deferred *deferred = self->deferred;

    tell_error(self, err);
    self->deferred = NULL;
    (void)torc_deferred_fail(deferred, err);
}

static void settled(torc_connector *connector, torc_protocol *protocol, torc_err err) {
    connecting *self = torc_container_of(connector, connecting, connector);
    torc_deferred *deferred = self->deferred;

    if (!protocol) {
        fail(self, err);
        return;
    }
    torc_connection *connection = self->first;
    self->deferred = NULL;
    self->first = NULL;
    connection->by = self;
    connection->protocol = protocol;
    torc_list_push(&self->connections, &connection->node);
    (void)torc_deferred_fire(deferred, connection, torc_connection_drop);
}

static void ended(torc_connector *connector, torc_err reason) {
    connecting *self = torc_container_of(connector, connecting, connector);

    for (torc_list_node *node; (node = torc_list_pop(&self->connections));) {
        torc_connection *connection = torc_container_of(node, torc_connection, node);
        connection->by = NULL;
        connection->protocol = NULL;
        if (connection->lost) connection->lost(connection, reason);
    }
    free_connecting(self);
}

static const torc_connector_ops connector_ops = {.settled = settled, .ended = ended};

void torc_connection_release(torc_connection *connection) {
    if (!connection) return;
    if (connection->by) torc_list_remove(&connection->node);
    torc_dealloc(&connection->reactor->memory, connection);
}

torc_connection *torc_connection_lend(torc_connection *connection) {
    torc_memory *memory = &connection->reactor->memory;
    torc_connection *other =
        connection->by ? torc_alloc_zero(memory, TORC_MEMORY_CONNECTION, 1, sizeof(*other)) : NULL;

    if (!other) return NULL;
    other->reactor = connection->reactor;
    other->by = connection->by;
    other->protocol = connection->protocol;
    other->is_lent = true;
    torc_list_push(&other->by->connections, &other->node);
    return other;
}

torc_err torc_connection_take(torc_connection *connection, torc_protocol **protocol) {
    torc_protocol *made = connection->protocol;

    torc_connection_release(connection);
    if (!made) return TORC_ERR_LOST;
    *protocol = made;
    return TORC_OK;
}

void torc_connection_drop(void *value) {
    torc_connection *connection = value;

    if (connection->by && !connection->is_lent)
        torc_connector_abort(&connection->by->connector, TORC_ERR_CANCELLED);
    torc_connection_release(connection);
}

static void cancelled(torc_deferred *deferred, void *context) {
    connecting *self = context;

    (void)deferred;
    if (!self->resolved.deferred) {
        torc_connector_abort(&self->connector, TORC_ERR_CANCELLED);
        return;
    }
    torc_callback_cancel(&self->resolved);
    fail(self, TORC_ERR_CANCELLED);
    free_connecting(self);
}

/* ---- going on ---- */

/* How much of the time is left when the name is known. */
static uint64_t left_ms(const connecting *self, uint64_t now_ms) {
    const uint64_t due_ms = self->endpoint.timeout_ms;

    if (!due_ms) return 0;
    return due_ms > now_ms ? due_ms - now_ms : 1;
}

static torc_err start(connecting *self, const torc_addr *addrs, size_t count) {
    torc_reactor *reactor = reactor_of(self);
    const torc_connector_target target = {
        .addrs = addrs,
        .addr_count = count < TORC_RACE_MAX ? count : TORC_RACE_MAX,
        .local = self->endpoint.local.len ? &self->endpoint.local : NULL,
        .timeout_ms = left_ms(self, torc_reactor_now_ms(reactor)),
        .attempt_delay_ms = self->endpoint.attempt_delay_ms,
        .filters = &self->filters,
        .error = &self->said,
    };
    return torc_connector_start(&self->connector, reactor, &connector_ops, self->factory, &target);
}

/* Nothing is under way. */
static void give_up(connecting *self, torc_err err) {
    fail(self, err);
    free_connecting(self);
}

static void resolved(torc_callback *callback, torc_err err, void *value) {
    connecting *self = torc_container_of(callback, connecting, resolved);
    torc_addr_list *list = value;

    if (!err) {
        torc_addr_list_interleave(list);
        err = start(self, list->addrs, list->count);
        torc_addr_list_free(list);
    } else {
        torc_connect_error_add(&self->said, "%s", torc_resolve_err_text(err));
    }
    if (err) give_up(self, err);
}

static torc_err begin(connecting *self) {
    torc_reactor *reactor = reactor_of(self);
    const torc_client_endpoint *endpoint = &self->endpoint;

    if (endpoint->addr.len) return start(self, &endpoint->addr, 1);
    torc_deferred *list = torc_resolve(
        reactor, torc_endpoint_text_of(&endpoint->texts, endpoint->host), endpoint->port);
    if (endpoint->timeout_ms)
        list = torc_deferred_timeout(list, left_ms(self, torc_reactor_now_ms(reactor)));
    torc_deferred_then(list, &self->resolved, resolved);
    return TORC_OK;
}

/* ---- the beginning ---- */

static torc_connect_options read_options(const torc_connect_options *given) {
    torc_connect_options options = {.size = sizeof(options)};

    TORC_OPTIONS_READ(&options, given);
    return options;
}

/* TLS with the configuration that is given, or one of the string's. */
static torc_err add_tls(connecting *self, torc_tls_config *given) {
    const torc_client_endpoint *endpoint = &self->endpoint;
    const torc_tls_client_options defaults = {.size = sizeof(defaults),
                                              .log = reactor_of(self)->log};
    torc_tls_config *config = given ? torc_tls_config_ref(given) : NULL;
    torc_filter_factory *factory;
    torc_tls_error error;
    torc_err err = TORC_OK;

    if (!config) err = torc_client_endpoint_tls(endpoint, &defaults, &error, &config);
    if (err) {
        torc_connect_error_add(&self->said, "%.200s", error.text);
        return err;
    }
    err = torc_tls_client_filter(config,
                                 torc_endpoint_text_of(&endpoint->texts, endpoint->tls.host_name),
                                 endpoint->port, &factory);
    torc_tls_config_unref(config);
    return err ? err : torc_filters_add(&self->filters, factory);
}

/* The stages that the string asks for, the lowest first, and those that are given on top. */
static torc_err make_filters(connecting *self, const torc_connect_options *options) {
    torc_filter_factory *factory;
    torc_err err = TORC_OK;

    if (self->endpoint.has_proxy) {
        torc_proxy_header header = {.is_local = true};
        if (options->proxy_header) header = *options->proxy_header;
        header.version = self->endpoint.proxy.version;
        err = torc_proxy_header_sender_new(reactor_of(self), &header, &factory);
        if (!err) err = torc_filters_add(&self->filters, factory);
    }
    if (!err && self->endpoint.has_tls) err = add_tls(self, options->tls);
    for (size_t i = 0; options->filters && i < options->filters->count && !err; i++)
        err = torc_filters_add(&self->filters,
                               torc_filter_factory_ref(options->filters->factories[i]));
    return err;
}

static connecting *new_connecting(torc_reactor *reactor, const torc_client_endpoint *endpoint,
                                  torc_factory *factory, const torc_connect_options *options) {
    torc_memory *memory = &reactor->memory;
    connecting *self = torc_alloc_zero(memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));
    torc_connection *connection =
        torc_alloc_zero(memory, TORC_MEMORY_CONNECTION, 1, sizeof(*connection));

    if (!self || !connection) {
        torc_dealloc(memory, connection);
        torc_dealloc(memory, self);
        return NULL;
    }
    connection->reactor = reactor;
    self->first = connection;
    torc_list_init(&self->connections);
    self->connector.deadline.reactor = reactor;
    self->factory = factory;
    self->error = options->error;
    self->endpoint = *endpoint;
    if (options->timeout_ms) self->endpoint.timeout_ms = options->timeout_ms;
    if (self->endpoint.timeout_ms) self->endpoint.timeout_ms += torc_reactor_now_ms(reactor);
    return self;
}

torc_deferred *torc_connect_endpoint(torc_reactor *reactor, const torc_client_endpoint *endpoint,
                                     torc_factory *factory, const torc_connect_options *given) {
    const torc_connect_options options = read_options(given);
    torc_deferred *deferred = torc_deferred_new(reactor);

    if (torc_deferred_is_out_of_memory(deferred)) return deferred;
    connecting *self = new_connecting(reactor, endpoint, factory, &options);
    if (!self) {
        (void)torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
        return deferred;
    }
    self->deferred = deferred;
    torc_deferred_set_canceller(deferred, cancelled, self);
    torc_err err = make_filters(self, &options);
    if (!err) err = begin(self);
    if (err) give_up(self, err);
    return deferred;
}

torc_deferred *torc_connect(torc_reactor *reactor, const char *string, torc_factory *factory,
                            const torc_connect_options *given) {
    const torc_connect_options options = read_options(given);
    torc_client_endpoint endpoint;
    const torc_err err = torc_client_endpoint_parse_with(options.prefixes, torc_str_of(string),
                                                         &endpoint, options.error);

    if (err) return torc_deferred_failed(reactor, err);
    return torc_connect_endpoint(reactor, &endpoint, factory, given);
}

torc_err torc_connect_await(torc_reactor *reactor, const char *endpoint, torc_factory *factory,
                            const torc_connect_options *options, torc_protocol **protocol) {
    void *connection;
    const torc_err err = torc_await(torc_connect(reactor, endpoint, factory, options), &connection);

    return err ? err : torc_connection_take(connection, protocol);
}
