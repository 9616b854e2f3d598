/* SPDX-License-Identifier: MIT */
#ifndef PROTOCOLS_H
#define PROTOCOLS_H

#include <torc/torc.h>

/* The sample protocols, a file each. */
extern torc_factory echo_factory, discard_factory, time_factory;
/* Echo over datagrams: open a port at an address, "127.0.0.1:7007". */
torc_err udp_echo_open(torc_reactor *reactor, const char *address, torc_datagram_port **port);

#endif
