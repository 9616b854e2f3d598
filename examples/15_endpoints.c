/* An echo server at any endpoint, and a client that says something to one. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <torc/torc.h>

/* ---- the server: what it is told it says once more ---- */

static void echo_made(torc_protocol *protocol) {
    (void)protocol;
}

static size_t echo_received(torc_protocol *protocol, torc_str bytes) {
    torc_transport_write(protocol->transport, bytes);
    return bytes.len;
}

static void echo_lost(torc_protocol *protocol, torc_err reason) {
    (void)reason;
    free(protocol);
}

static const torc_protocol_ops echo_ops = {
    .connection_made = echo_made, .data_received = echo_received, .connection_lost = echo_lost};

static torc_err build_echo(torc_factory *factory, torc_transport *transport,
                           torc_protocol **protocol) {
    torc_protocol *echo = calloc(1, sizeof(*echo));

    (void)factory;
    (void)transport;
    if (!echo) return TORC_ERR_NO_MEMORY;
    echo->ops = &echo_ops;
    *protocol = echo;
    return TORC_OK;
}

static const torc_factory_ops echo_factory_ops = {.build_protocol = build_echo};
static torc_factory echo_factory = {.ops = &echo_factory_ops};

static void terminated(void *context, int number) {
    (void)number;
    torc_reactor_stop(context);
}

static int serve(torc_reactor *reactor, const char *string) {
    torc_endpoint endpoint;
    torc_endpoint_error error = {0};
    torc_listener *listener;
    torc_signal *signal = NULL;
    char text[TORC_ADDR_TEXT_MAX];

    torc_err err = torc_endpoint_parse(torc_str_of(string), &endpoint, &error);
    if (!err) err = torc_endpoint_listen(reactor, &endpoint, &echo_factory, NULL, &listener);
    if (err) {
        fprintf(stderr, "%s: %s\n", string, error.text[0] ? error.text : torc_err_text(err));
        return 1;
    }
    const torc_addr addr = torc_listener_addr(listener);
    printf("listening at %s\n", torc_addr_text(&addr, text).bytes);
    fflush(stdout);
    err = torc_signal_new(reactor, SIGTERM, terminated, reactor, &signal);
    if (!err) err = torc_reactor_run(reactor);
    torc_signal_free(signal);
    torc_listener_close(listener);
    return err ? 1 : 0;
}

/* ---- the client: it waits until all has come back ---- */

typedef struct caller {
    torc_protocol base;
    torc_factory factory;
    torc_reactor *reactor;
    const char *endpoint, *words;
    size_t missing;
    torc_err err;
} caller;

static size_t caller_received(torc_protocol *protocol, torc_str bytes) {
    caller *self = torc_container_of(protocol, caller, base);

    fwrite(bytes.bytes, 1, bytes.len, stdout);
    self->missing -= bytes.len < self->missing ? bytes.len : self->missing;
    if (self->missing == 0) torc_transport_close(protocol->transport);
    return bytes.len;
}

static void caller_lost(torc_protocol *protocol, torc_err reason) {
    caller *self = torc_container_of(protocol, caller, base);

    self->err = self->missing == 0 ? TORC_OK : reason;
    torc_reactor_stop(self->reactor);
}

static const torc_protocol_ops caller_ops = {
    .connection_made = echo_made, .data_received = caller_received, .connection_lost = caller_lost};

static torc_err build_caller(torc_factory *factory, torc_transport *transport,
                             torc_protocol **protocol) {
    caller *self = torc_container_of(factory, caller, factory);

    (void)transport;
    self->base.ops = &caller_ops;
    *protocol = &self->base;
    return TORC_OK;
}

static const torc_factory_ops caller_factory_ops = {.build_protocol = build_caller};

/* On a fiber, so it waits in the middle of a function. */
static torc_err call(void *context) {
    caller *self = context;
    torc_endpoint_error error = {0};
    const torc_connect_options options = {.size = sizeof(options), .error = &error};
    torc_protocol *protocol;

    self->err =
        torc_connect_await(self->reactor, self->endpoint, &self->factory, &options, &protocol);
    if (self->err) {
        fprintf(stderr, "%s: %s\n", self->endpoint, error.text);
        torc_reactor_stop(self->reactor);
        return self->err;
    }
    torc_transport_write(protocol->transport, torc_str_of(self->words));
    torc_transport_write(protocol->transport, TORC_STR("\n"));
    return TORC_OK;
}

static int say(torc_reactor *reactor, const char *endpoint, const char *words) {
    caller self = {.factory.ops = &caller_factory_ops,
                   .reactor = reactor,
                   .endpoint = endpoint,
                   .words = words,
                   .missing = strlen(words) + 1};

    torc_err err = torc_fiber_spawn(reactor, call, &self, NULL);
    if (!err) err = torc_reactor_run(reactor);
    return err || self.err ? 1 : 0;
}

int main(int argc, char **argv) {
    torc_reactor *reactor;
    int code = 2;

    if (torc_reactor_new(NULL, &reactor)) return 1;
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        code = serve(reactor, argv[2]);
    else if (argc == 4 && strcmp(argv[1], "say") == 0)
        code = say(reactor, argv[2], argv[3]);
    else
        fprintf(stderr, "usage: %s serve ENDPOINT | say ENDPOINT WORDS\n", argv[0]);
    torc_reactor_free(reactor);
    return code;
}
