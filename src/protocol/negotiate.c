/* SPDX-License-Identifier: MIT */
/*
 * Which wire a connection speaks: HTTP/1, the only one there is so far.
 */
#include "protocol/negotiate.h"

#include "protocol/http1/server.h"

static torc_http1_server *server_of(const torc_factory *factory) {
    return torc_container_of(factory, torc_http1_server, factory);
}

torc_err torc_http_server_new(torc_reactor *reactor, torc_acceptor *acceptor,
                              const torc_http_server_options *options, torc_factory **factory) {
    const torc_http1_server_options of_http1 = {
        .limits = options->limits,
        .allow_bare_lf = options->allow_bare_lf,
        .allow_folded_fields = options->allow_folded_fields,
    };
    torc_http1_server *server;
    const torc_err err = torc_http1_server_new(reactor, acceptor, &of_http1, &server);

    if (!err) *factory = &server->factory;
    return err;
}

void torc_http_server_free(torc_factory *factory) {
    torc_http1_server_free(server_of(factory));
}

const torc_limits *torc_http_server_limits(const torc_factory *factory) {
    return &server_of(factory)->side.limits;
}

uint64_t torc_http_server_requests(const torc_factory *factory) {
    return server_of((torc_factory *)(uintptr_t)factory)->requests.value;
}

void torc_http_server_drain(torc_factory *factory, uint32_t idle_ms) {
    torc_http1_server_drain(server_of(factory), idle_ms);
}

const char *torc_http_server_protocols(void) {
    return "http/1.1";
}

bool torc_http_server_speaks(torc_str protocols) {
    torc_str name, spoken, rest;

    while (torc_str_split(&protocols, ',', &name)) {
        bool is_spoken = false;
        rest = torc_str_of(torc_http_server_protocols());
        while (!is_spoken && torc_str_split(&rest, ',', &spoken))
            is_spoken = torc_str_equals(torc_str_trim(name), spoken);
        if (!is_spoken) return false;
    }
    return true;
}

torc_str torc_http_server_refusal(void) {
    return torc_http1_server_refusal();
}
