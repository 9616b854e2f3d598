/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_NET_H
#define TORC_TESTING_NET_H

#include <torc/connect.h>
#include <torc/testing.h>

/**
 * A network for tests: a reactor's own, in which nobody else is. In the library torc-testing.
 *
 *     torc_test_net *net;
 *     torc_err err = torc_test_net_new(reactor, &net);
 *     … a program listens on tcp:80 and connects to 192.0.2.1:443 …
 *     assert(torc_test_net_is_listening(net, "0.0.0.0:80"));
 *     assert(torc_test_net_connect_count(net) == 1);
 *
 * Whatever listens or connects on the reactor does so in this network: any address and any port may
 * be had, no port of the machine is opened, no packet leaves, and no file is made for a UNIX
 * socket. Who connects to an address where somebody of the reactor listens gets there, through real
 * transports that tell the addresses of this network; elsewhere the connection is refused, if the
 * test does not say otherwise. All of it is recorded.
 *
 * Ports for datagrams are in it, too: what is sent through them is recorded and reaches who has a
 * port of the reactor, and the test sends to them what it likes, from any address. Groups, ECN and
 * descriptors are not there.
 *
 * Names are looked up as before: see <torc/testing_names.h>. Inherited sockets and standard input
 * are none of its business.
 */
typedef struct torc_test_net torc_test_net;

/** Somebody has listened. */
typedef struct torc_test_listening {
    torc_addr addr; /* with the port that it got, if it asked for none */
    int backlog;
    torc_factory *factory; /* of the connections */
    bool is_open;          /* it still listens */
} torc_test_listening;

/** Somebody has connected, or tried to. */
typedef struct torc_test_connecting {
    torc_addr addr;
    torc_addr local;       /* as it seems to the peer */
    torc_factory *factory; /* of the protocol */
    torc_err err;          /* TORC_OK: there was somebody, or it waits for an answer for ever */
} torc_test_connecting;

/** A datagram was sent. */
typedef struct torc_test_datagram {
    torc_addr from, to;
    torc_str bytes;
} torc_test_datagram;

TORC_BEGIN_DECLS

/** Give a reactor a network of its own, before anything listens or connects on it. It goes with the
 * reactor. */
TORC_API torc_err torc_test_net_new(torc_reactor *reactor, torc_test_net **net) TORC_MUST_CHECK;
/** From now on listening at an address ("192.0.2.1:80", "/a/path"; NULL: any) fails so; TORC_OK:
 * it does not any more. TORC_ERR_SYNTAX, TORC_ERR_NO_MEMORY. */
TORC_API torc_err torc_test_net_fail_listen(torc_test_net *net, const char *addr,
                                            torc_err err) TORC_MUST_CHECK;
/** The same of connecting to it. TORC_ERR_TIMEOUT: nobody there ever answers, so that whoever
 * connects gives up when it likes. */
TORC_API torc_err torc_test_net_fail_connect(torc_test_net *net, const char *addr,
                                             torc_err err) TORC_MUST_CHECK;
/** Whether somebody listens at an address. */
TORC_API bool torc_test_net_is_listening(const torc_test_net *net, const char *addr);
/** Who has listened and connected so far, in their order. Valid as long as the reactor. */
TORC_API size_t torc_test_net_listen_count(const torc_test_net *net);
TORC_API const torc_test_listening *torc_test_net_listening(const torc_test_net *net, size_t n);
TORC_API size_t torc_test_net_connect_count(const torc_test_net *net);
TORC_API const torc_test_connecting *torc_test_net_connecting(const torc_test_net *net, size_t n);
/** The datagrams that were sent through ports of the reactor, in their order. */
TORC_API size_t torc_test_net_datagram_count(const torc_test_net *net);
TORC_API const torc_test_datagram *torc_test_net_datagram(const torc_test_net *net, size_t n);
/** Send one from an address, where nobody need be, to the port at another one. TORC_ERR_REFUSED:
 * nobody has it; TORC_ERR_AGAIN: it has no room; TORC_ERR_SYNTAX, TORC_ERR_NO_MEMORY. */
TORC_API torc_err torc_test_net_send(torc_test_net *net, const char *from, const char *to,
                                     torc_str bytes) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
