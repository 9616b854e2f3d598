/* SPDX-License-Identifier: MIT */
/* Echo over UDP (RFC 862): what comes goes back to who sent it. */
#include <stdio.h>

#include "protocols.h"

/* When too much waits to be sent, a datagram is lost, as any may be. */
static void datagram_received(torc_datagram_protocol *protocol, const torc_datagram *datagram) {
    (void)!torc_datagram_send(protocol->port, datagram->bytes, &datagram->peer, NULL);
}

static const torc_datagram_protocol_ops ops = {.datagram_received = datagram_received};
static torc_datagram_protocol udp_echo = {.ops = &ops};

torc_err udp_echo_open(torc_reactor *reactor, const char *address, torc_datagram_port **port) {
    const torc_datagram_options options = {.size = sizeof(options), .receive_max = 2048};
    torc_addr addr;

    const torc_err err = torc_addr_parse_text(torc_str_of(address), &addr);
    return err ? err : torc_datagram_open(reactor, &addr, &udp_echo, &options, port);
}
