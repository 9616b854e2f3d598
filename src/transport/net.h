/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_NET_H
#define TORC_TRANSPORT_NET_H

#include <sys/socket.h>
#include <torc/endpoint.h>

/*
 * A network in place of the system's, for tests: whoever listens or connects on its reactor asks it
 * where that is in the kernel, and what the addresses of its sockets shall seem to be. Outside
 * tests a reactor has none, and none of this happens.
 */
typedef struct torc_net torc_net;
struct torc_net {
    /* A listener is to be bound at `*addr`, which becomes where it shall seem to be, with a port if
     * it had none; `*where` is where its socket is to be bound. */
    torc_err (*listen)(torc_net *net, torc_factory *factory, const torc_endpoint *endpoint,
                       torc_addr *addr, torc_addr *where);
    /* Nobody listens at this address any more. */
    void (*unlisten)(torc_net *net, const torc_addr *addr);
    /* A socket is to be connected to `*addr` from `*local`, which may be none: both become what its
     * own addresses are to be. Or nobody there ever answers: `*fd`, which was -1, is a socket that
     * is to be used in its place, and not connected. */
    torc_err (*connect)(torc_net *net, torc_factory *factory, torc_addr *addr, torc_addr *local,
                        int *fd);
    /* A port for datagrams is to be at `*addr`, which becomes where it shall seem to be; `*fd`
     * becomes its socket. */
    torc_err (*bind)(torc_net *net, torc_addr *addr, int *fd);
    /* Nobody has that port any more. */
    void (*unbind)(torc_net *net, const torc_addr *addr);
    /* As sendmmsg() of a socket that is at `from` and connected to `peer`, which may be none. */
    int (*send)(torc_net *net, int fd, const torc_addr *from, const torc_addr *peer,
                const struct mmsghdr *messages, unsigned count);
    /* Put in the place of a socket's address what it shall seem to be. */
    void (*disguise)(torc_net *net, torc_addr *addr);
};

#endif
