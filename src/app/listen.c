/* SPDX-License-Identifier: MIT */
/*
 * Where a listener, a wire and whoever answers meet.
 */
#include <torc/listen.h>
#include <torc/log.h>

#include "app/listen.h"
#include "base/options.h"
#include "protocol/negotiate.h"
#include "transport/listener.h"

static torc_listen_options listen_options(const torc_limits *limits, const torc_filters *filters) {
    return (torc_listen_options){
        .size = sizeof(torc_listen_options),
        .connections_max = limits->connections_max,
        .connections_per_address_max = limits->connections_per_address_max == TORC_UNLIMITED
                                           ? 0
                                           : limits->connections_per_address_max,
        .output_max = SIZE_MAX, /* the wire has limits of its own */
        .filters = filters,
    };
}

static torc_err listen_at(torc_reactor *reactor, const torc_endpoint *endpoint,
                          torc_acceptor *acceptor, const torc_http_options *options,
                          torc_listener **listener) {
    const torc_http_server_options of_server = {
        .limits = options->limits,
        .allow_bare_lf = options->allow_bare_lf,
        .allow_folded_fields = options->allow_folded_fields,
    };
    torc_factory *factory;
    torc_err err = torc_http_server_new(reactor, acceptor, &of_server, &factory);

    if (err) return err;
    const torc_listen_options of_listener =
        listen_options(torc_http_server_limits(factory), options->filters);
    err = torc_listener_new_staged(reactor, endpoint, factory, &of_listener,
                                   torc_http_server_refusal(), listener);
    if (err) torc_http_server_free(factory);
    return err;
}

/* The options that were given, the rest as zeros; longer than the caller's struct is never read. */
static torc_http_options read_options(const torc_http_options *given) {
    torc_http_options options = {.size = sizeof(options)};

    TORC_OPTIONS_READ(&options, given);
    return options;
}

torc_err torc_listen_http(torc_reactor *reactor, const char *string, torc_acceptor *acceptor,
                          const torc_http_options *given, torc_endpoint_error *error,
                          torc_listener **listener) {
    const torc_http_options options = read_options(given);
    torc_endpoint endpoint;
    torc_err err = torc_endpoint_parse(torc_str_of(string), &endpoint, error);

    if (!err) err = torc_endpoint_resolve(&endpoint, NULL, error);
    if (err) return err;
    if (error) error->text[0] = '\0'; /* the string is fine */
    return listen_at(reactor, &endpoint, acceptor, &options, listener);
}

torc_err torc_listen_http_fd(torc_reactor *reactor, int fd, torc_acceptor *acceptor,
                             const torc_http_options *given, torc_listener **listener) {
    const torc_http_options options = read_options(given);
    const torc_endpoint endpoint = {.fd = fd, .unix_uid = -1, .unix_gid = -1};

    return listen_at(reactor, &endpoint, acceptor, &options, listener);
}

torc_err torc_listen_http_stdio(torc_reactor *reactor, torc_acceptor *acceptor,
                                const torc_http_options *given,
                                void (*served)(torc_listener *listener, void *context),
                                void *context, torc_listener **listener) {
    const torc_http_options options = read_options(given);
    const torc_endpoint endpoint = {.fd = -1, .is_stdio = true};
    const torc_err err = listen_at(reactor, &endpoint, acceptor, &options, listener);

    if (err) return err;
    (*listener)->served = served;
    (*listener)->served_context = context;
    return TORC_OK;
}

torc_listener *torc_listen(torc_reactor *reactor, const char *endpoint, torc_acceptor *acceptor,
                           const torc_http_options *options) {
    torc_endpoint_error error = {0};
    torc_listener *listener;
    const torc_err err = torc_listen_http(reactor, endpoint, acceptor, options, &error, &listener);

    if (!err) return listener;
    TORC_LOG_ERROR(torc_reactor_log(reactor), "app", "cannot listen",
                   TORC_LOG_TEXT("endpoint", endpoint),
                   TORC_LOG_TEXT("why", error.text[0] ? error.text : torc_err_text(err)));
    return NULL;
}

void torc_listener_drain(torc_listener *listener, uint32_t idle_ms) {
    torc_factory *factory = listener->stages.factory;

    torc_listener_stop(listener);
    torc_http_server_drain(factory, idle_ms);
}

uint64_t torc_listener_requests(const torc_listener *listener) {
    return torc_http_server_requests(listener->stages.factory);
}
