/* SPDX-License-Identifier: MIT */
/*
 * Keeping a connection up.
 *
 *   stopped     start → connecting
 *   connecting  connected → preparing or ready; failed → waiting; stop → closing
 *   preparing   prepared → ready; prepare failed, or lost → waiting; stop → closing
 *   ready       lost → waiting; stop → closing
 *   waiting     retry → connecting; no tries left, or stop → stopped
 *   closing     all is closed → stopped, or connecting if it was started again
 *
 *  - `trying` waits while connecting, `preparing` while preparing, `timer` is armed while waiting,
 *    and while closing until the connection is aborted.
 *  - `connection` is there from its making until it is lost; also while closing.
 */
#include <stdio.h>
#include <torc/client_service.h>
#include <torc/endpoint_stages.h>
#include <torc/log.h>
#include <torc/transport.h>

#include "base/alloc.h"
#include "base/options.h"
#include "reactor/reactor.h"
#include "transport/connect.h"

enum {
    STOP_MS = 5000
};

typedef enum service_state {
    STOPPED,
    CONNECTING,
    PREPARING,
    READY,
    WAITING,
    CLOSING
} service_state;

/* Who waits for a connection, or for the stop. */
typedef struct waiter {
    torc_list_node node;
    torc_client_service *service;
    torc_deferred *deferred;
    uint32_t failures_left; /* 0: it waits as long as it takes */
} waiter;

struct torc_client_service {
    torc_reactor *reactor;
    torc_factory *factory;
    torc_client_service_options options;
    torc_backoff backoff;
    torc_filters filters;
    torc_client_endpoint endpoint;
    torc_tls_config *tls; /* of an endpoint with TLS, made once */
    service_state state;
    bool is_wanted;  /* started, and not stopped since */
    bool *was_freed; /* told of the end; NULL: nobody asks */
    uint32_t failures;
    torc_timer timer;
    torc_callback trying, preparing;
    torc_connection *connection;
    torc_list waiting, stopping; /* waiters */
    torc_endpoint_error error;   /* of the last try */
};

/* ---- who waits ---- */

static void cancelled(torc_deferred *deferred, void *context) {
    waiter *self = context;

    torc_list_remove(&self->node);
    torc_dealloc(&self->service->reactor->memory, self);
    (void)torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

static torc_deferred *wait_in(torc_client_service *self, torc_list *list, uint32_t failures_max) {
    torc_deferred *deferred = torc_deferred_new(self->reactor);

    if (torc_deferred_is_out_of_memory(deferred)) return deferred;
    waiter *one = torc_alloc_zero(&self->reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*one));
    if (!one) {
        (void)torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
        return deferred;
    }
    *one = (waiter){.service = self, .deferred = deferred, .failures_left = failures_max};
    torc_list_push(list, &one->node);
    torc_deferred_set_canceller(deferred, cancelled, one);
    return deferred;
}

/* Take a waiter out of its list: its deferred is to be fired. */
static torc_deferred *take(waiter *one) {
    torc_deferred *deferred = one->deferred;

    torc_list_remove(&one->node);
    torc_dealloc(&one->service->reactor->memory, one);
    return deferred;
}

static waiter *first_of(const torc_list *list) {
    return torc_container_of(torc_list_first(list), waiter, node);
}

static void fail_all(torc_list *list, torc_err err) {
    while (!torc_list_is_empty(list)) (void)torc_deferred_fail(take(first_of(list)), err);
}

/* Another try has failed: who has waited for enough of them is told. */
static void count_failure(torc_client_service *self, torc_err err) {
    torc_list_node *next;

    self->failures++;
    for (torc_list_node *node = torc_list_first(&self->waiting); node; node = next) {
        waiter *one = torc_container_of(node, waiter, node);
        next = torc_list_next(&self->waiting, node);
        if (one->failures_left && --one->failures_left == 0)
            (void)torc_deferred_fail(take(one), err);
    }
}

static void give(torc_deferred *deferred, torc_connection *connection) {
    torc_connection *lent = torc_connection_lend(connection);

    if (lent)
        (void)torc_deferred_fire(deferred, lent, torc_connection_drop);
    else
        (void)torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
}

/* ---- states ---- */

static void connect_now(torc_client_service *self);

static void stopped(torc_client_service *self) {
    self->state = STOPPED;
    while (!torc_list_is_empty(&self->stopping))
        (void)torc_deferred_fire(take(first_of(&self->stopping)), NULL, NULL);
}

/* All is closed: that was asked for, or it is begun anew. */
static void closed(torc_client_service *self) {
    torc_timer_cancel(&self->timer);
    stopped(self);
    if (self->is_wanted) connect_now(self);
}

static void wait_or_give_up(torc_client_service *self, torc_err err) {
    uint64_t delay_ms;

    if (!torc_backoff_next(&self->backoff, &delay_ms)) {
        TORC_LOG_ERROR(self->reactor->log, "transport.client", "cannot connect; given up",
                       TORC_LOG_ERR("error", err), TORC_LOG_TEXT("why", self->error.text));
        self->is_wanted = false;
        stopped(self);
        fail_all(&self->waiting, err);
        return;
    }
    self->state = WAITING;
    torc_timer_arm(&self->timer, delay_ms);
}

static void failed(torc_client_service *self, torc_err err) {
    if (self->failures == 0)
        TORC_LOG_WARN(self->reactor->log, "transport.client", "cannot connect; trying again",
                      TORC_LOG_ERR("error", err), TORC_LOG_TEXT("why", self->error.text));
    self->state = WAITING;
    count_failure(self, err);
    wait_or_give_up(self, err);
}

static void ready(torc_client_service *self) {
    self->state = READY;
    self->failures = 0;
    torc_backoff_reset(&self->backoff);
    while (!torc_list_is_empty(&self->waiting))
        give(take(first_of(&self->waiting)), self->connection);
    if (self->options.connected)
        self->options.connected(self->options.context, self->connection->protocol);
}

/* Let what was written leave, but not for ever. */
static void close_connection(torc_client_service *self) {
    self->state = CLOSING;
    torc_transport_close(self->connection->protocol->transport);
    torc_timer_arm(&self->timer, self->options.stop_ms);
}

/* The connection is lost: a prepared one begins a new wait, another counts as a failure. */
static void lost(torc_connection *connection, torc_err reason) {
    torc_client_service *self = connection->context;
    const service_state before = self->state;

    torc_callback_cancel(&self->preparing);
    self->connection = NULL;
    torc_connection_release(connection);
    if (before == CLOSING) {
        closed(self);
    } else if (before == PREPARING) {
        failed(self, reason);
    } else {
        wait_or_give_up(self, reason);
        if (self->options.lost) self->options.lost(self->options.context, reason);
    }
}

static void prepared(torc_callback *callback, torc_err err, void *value) {
    torc_client_service *self = torc_container_of(callback, torc_client_service, preparing);

    (void)value;
    if (!err)
        ready(self);
    else
        torc_transport_abort(self->connection->protocol->transport); /* `lost` counts it */
}

static void hold(torc_client_service *self, torc_connection *connection) {
    self->connection = connection;
    connection->lost = lost;
    connection->context = self;
}

static void made(torc_client_service *self) {
    torc_deferred *deferred;
    bool was_freed = false;

    if (!self->options.prepare) {
        ready(self);
        return;
    }
    self->state = PREPARING;
    self->was_freed = &was_freed;
    deferred = self->options.prepare(self->options.context, self->connection->protocol);
    if (was_freed) {
        torc_deferred_drop(deferred);
        return;
    }
    self->was_freed = NULL;
    if (self->state == PREPARING)
        torc_deferred_then(deferred, &self->preparing, prepared);
    else
        torc_deferred_drop(deferred); /* it was stopped in there */
}

static void tried(torc_callback *callback, torc_err err, void *value) {
    torc_client_service *self = torc_container_of(callback, torc_client_service, trying);
    torc_connection *connection = value;

    if (!err && !connection->by) { /* lost in the time between */
        torc_connection_release(connection);
        err = TORC_ERR_LOST;
    } else if (!err) {
        hold(self, connection);
    }
    if (self->state == CLOSING && err)
        closed(self);
    else if (self->state == CLOSING)
        close_connection(self);
    else if (err)
        failed(self, err);
    else
        made(self);
}

static void connect_now(torc_client_service *self) {
    const torc_connect_options options = {.size = sizeof(options),
                                          .timeout_ms = self->options.timeout_ms,
                                          .filters = &self->filters,
                                          .tls = self->tls,
                                          .error = &self->error};

    self->state = CONNECTING;
    self->error.text[0] = '\0';
    torc_deferred_then(
        torc_connect_endpoint(self->reactor, &self->endpoint, self->factory, &options),
        &self->trying, tried);
}

static void expired(torc_timer *timer) {
    torc_client_service *self = torc_container_of(timer, torc_client_service, timer);

    if (self->state == WAITING)
        connect_now(self);
    else if (self->connection)
        torc_transport_abort(self->connection->protocol->transport);
}

/* ---- what is asked ---- */

void torc_client_service_start(torc_client_service *self) {
    if (self->is_wanted) return;
    self->is_wanted = true;
    self->failures = 0;
    torc_backoff_reset(&self->backoff);
    if (self->state == STOPPED) connect_now(self);
}

static void begin_stop(torc_client_service *self) {
    self->is_wanted = false;
    fail_all(&self->waiting, TORC_ERR_CANCELLED);
    torc_callback_cancel(&self->preparing);
    switch (self->state) {
    case WAITING:
        torc_timer_cancel(&self->timer);
        self->state = STOPPED;
        break;
    case CONNECTING:
        self->state = CLOSING;
        torc_deferred_cancel(self->trying.deferred);
        break;
    case PREPARING:
    case READY:
        close_connection(self);
        break;
    default:
        break;
    }
}

torc_deferred *torc_client_service_stop(torc_client_service *self) {
    begin_stop(self);
    return self->state == STOPPED ? torc_deferred_of(self->reactor, NULL, NULL)
                                  : wait_in(self, &self->stopping, 0);
}

torc_deferred *torc_client_service_when_connected(torc_client_service *self,
                                                  uint32_t failures_max) {
    torc_deferred *deferred;

    if (!self->is_wanted) return torc_deferred_failed(self->reactor, TORC_ERR_STATE);
    if (self->state != READY) return wait_in(self, &self->waiting, failures_max);
    deferred = torc_deferred_new(self->reactor);
    if (!torc_deferred_is_out_of_memory(deferred)) give(deferred, self->connection);
    return deferred;
}

torc_err torc_client_service_await(torc_client_service *self, uint32_t failures_max,
                                   torc_protocol **protocol) {
    void *connection;
    const torc_err err =
        torc_await(torc_client_service_when_connected(self, failures_max), &connection);

    return err ? err : torc_connection_take(connection, protocol);
}

torc_protocol *torc_client_service_protocol(const torc_client_service *self) {
    return self->state == READY ? self->connection->protocol : NULL;
}

uint32_t torc_client_service_failures(const torc_client_service *self) {
    return self->failures;
}

void torc_client_service_retry_now(torc_client_service *self) {
    torc_backoff_reset(&self->backoff);
    if (self->state != WAITING) return;
    torc_timer_cancel(&self->timer);
    connect_now(self);
}

/* ---- the beginning and the end ---- */

static void keep_options(torc_client_service *self, const torc_client_service_options *given) {
    TORC_OPTIONS_READ(&self->options, given);
    if (!self->options.stop_ms) self->options.stop_ms = STOP_MS;
    if (self->options.backoff) self->backoff = *self->options.backoff;
    for (size_t i = 0; self->options.filters && i < self->options.filters->count; i++)
        self->filters.factories[self->filters.count++] =
            torc_filter_factory_ref(self->options.filters->factories[i]);
    self->options.backoff = NULL; /* lent for the call */
    self->options.filters = NULL;
}

static torc_err make_tls(torc_client_service *self, torc_endpoint_error *error) {
    const torc_tls_client_options defaults = {.size = sizeof(defaults), .log = self->reactor->log};
    torc_tls_error why;
    const torc_err err = torc_client_endpoint_tls(&self->endpoint, &defaults, &why, &self->tls);

    if (err && error) snprintf(error->text, sizeof(error->text), "%.250s", why.text);
    return err;
}

torc_err torc_client_service_new(torc_reactor *reactor, const char *endpoint, torc_factory *factory,
                                 const torc_client_service_options *options,
                                 torc_endpoint_error *error, torc_client_service **service) {
    torc_client_service *self =
        torc_alloc_zero(&reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->reactor = reactor;
    self->factory = factory;
    torc_list_init(&self->waiting);
    torc_list_init(&self->stopping);
    torc_timer_init(&self->timer, reactor, expired);
    keep_options(self, options);
    torc_err err = torc_client_endpoint_parse_with(self->options.prefixes, torc_str_of(endpoint),
                                                   &self->endpoint, error);
    if (!err && self->endpoint.has_tls) err = make_tls(self, error);
    if (err) {
        torc_client_service_free(self);
        return err;
    }
    *service = self;
    return TORC_OK;
}

void torc_client_service_free(torc_client_service *self) {
    if (!self) return;
    if (self->was_freed) *self->was_freed = true;
    torc_timer_cancel(&self->timer);
    torc_callback_cancel(&self->trying);
    torc_callback_cancel(&self->preparing);
    if (self->connection) {
        self->connection->lost = NULL;
        torc_connection_drop(self->connection);
    }
    fail_all(&self->waiting, TORC_ERR_CANCELLED);
    fail_all(&self->stopping, TORC_ERR_CANCELLED);
    torc_filters_dispose(&self->filters);
    torc_tls_config_unref(self->tls);
    torc_dealloc(&self->reactor->memory, self);
}
