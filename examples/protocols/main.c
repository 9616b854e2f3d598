/* SPDX-License-Identifier: MIT */
/* The sample protocols, served at an endpoint: `protocols echo tcp:7007`; a SOCKS server, that lets
 * everybody go to this machine's loopback addresses; and `protocols udp-echo 127.0.0.1:7007`. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "protocols.h"

static torc_factory *find(const char *name) {
    if (strcmp(name, "echo") == 0) return &echo_factory;
    if (strcmp(name, "discard") == 0) return &discard_factory;
    if (strcmp(name, "time") == 0) return &time_factory;
    return NULL;
}

static void terminated(void *context, int number) {
    (void)number;
    torc_reactor_stop(context);
}

/* Until it is told to end. */
static torc_err run(torc_reactor *reactor, const torc_addr *addr) {
    torc_signal *signal = NULL;
    char text[TORC_ADDR_TEXT_MAX];

    printf("listening at %s\n", torc_addr_text(addr, text).bytes);
    fflush(stdout);
    torc_err err = torc_signal_new(reactor, SIGTERM, terminated, reactor, &signal);
    if (!err) err = torc_reactor_run(reactor);
    torc_signal_free(signal);
    return err;
}

static int serve(torc_reactor *reactor, torc_factory *factory, const char *string) {
    torc_endpoint_error error = {0};
    torc_endpoint endpoint;
    torc_listener *listener;

    torc_err err = torc_endpoint_parse(torc_str_of(string), &endpoint, &error);
    if (!err) err = torc_endpoint_listen(reactor, &endpoint, factory, NULL, &listener);
    if (err) {
        fprintf(stderr, "%s: %s\n", string, error.text[0] ? error.text : torc_err_text(err));
        return 1;
    }
    const torc_addr addr = torc_listener_addr(listener);
    err = run(reactor, &addr);
    torc_listener_close(listener);
    return err ? 1 : 0;
}

static int serve_socks(torc_reactor *reactor, const char *string) {
    torc_socks_rule rules[2] = {0};
    const torc_socks_options options = {.size = sizeof(options), .rules = rules, .rule_count = 2};
    torc_socks *socks;

    torc_err err = torc_cidr_parse(TORC_STR("127.0.0.0/8"), &rules[0].to);
    if (!err) err = torc_cidr_parse(TORC_STR("::1"), &rules[1].to);
    if (!err) err = torc_socks_new(reactor, &options, &socks);
    if (err) return 1;
    const int code = serve(reactor, torc_socks_factory(socks), string);
    torc_socks_free(socks);
    return code;
}

static int serve_udp(torc_reactor *reactor, const char *address) {
    torc_datagram_port *port;

    torc_err err = udp_echo_open(reactor, address, &port);
    if (err) {
        fprintf(stderr, "%s: %s\n", address, torc_err_text(err));
        return 1;
    }
    const torc_addr addr = torc_datagram_addr(port);
    err = run(reactor, &addr);
    torc_datagram_close(port);
    return err ? 1 : 0;
}

int main(int argc, char **argv) {
    torc_factory *factory = argc == 3 ? find(argv[1]) : NULL;
    const bool is_socks = argc == 3 && strcmp(argv[1], "socks") == 0;
    const bool is_udp = argc == 3 && strcmp(argv[1], "udp-echo") == 0;
    torc_reactor *reactor;

    if (!factory && !is_socks && !is_udp) {
        fprintf(stderr, "usage: %s echo|discard|time|socks ENDPOINT, or %s udp-echo ADDRESS\n",
                argv[0], argv[0]);
        return 2;
    }
    if (torc_reactor_new(NULL, &reactor)) return 1;
    const int code = is_socks ? serve_socks(reactor, argv[2])
                     : is_udp ? serve_udp(reactor, argv[2])
                              : serve(reactor, factory, argv[2]);
    torc_reactor_free(reactor);
    return code;
}
