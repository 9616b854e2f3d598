/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_DATAGRAM_H
#define TORC_TRANSPORT_DATAGRAM_H

#include <torc/datagram.h>
#include <torc/queue.h>

#include "reactor/reactor.h"
#include "reactor/waiter.h"
#include "transport/net.h"

/*
 * The inside of a port, which its sources share: datagram.c (its life, what it waits for),
 * datagram_socket.c (opening), datagram_send.c, datagram_receive.c, datagram_take.c (without a
 * protocol) and datagram_group.c.
 */

/* Datagrams of one size to one peer that follow each other; only the last may be shorter. */
typedef struct torc_datagram_run {
    torc_list_node node;
    torc_addr to, local; /* {0}: the peer of a connected port; any */
    uint32_t count, done;
    uint32_t segment, len, capacity; /* bytes */
    uint8_t ecn, fd_count;
    bool is_whole; /* nothing can be added */
    bool is_cut;   /* the kernel does not cut it: each goes alone */
    int fds[TORC_DATAGRAM_FDS_MAX];
    char bytes[];
} torc_datagram_run;

struct torc_datagram_port {
    torc_io io;
    torc_flushable flushable;
    torc_call taken;  /* posted when something may have been taken */
    torc_timer again; /* armed when the kernel has refused to watch */
    torc_datagram_protocol *protocol;
    torc_queue *received; /* without a protocol */
    torc_datagram_options options;
    torc_datagram_counts counts;
    torc_addr peer;       /* that it is connected to; {0}: none */
    torc_list runs;       /* to be sent */
    torc_waiters senders; /* fibers that wait for room */
    size_t bytes, count;
    uint64_t file_dev, file_ino; /* of the socket's file */
    uint32_t watched;            /* events */
    int family;
    torc_addr in_net; /* where it is in a test's network; {0}: it is in the system's */
    bool has_file;
    bool has_gso;
    bool is_paused;
    bool is_full;    /* a send was refused: drained is to be told */
    bool is_blocked; /* the kernel has no room */
    bool is_retried; /* what is first was refused for an error that another had */
    bool is_closed;
};

/* The network of a test that the port is in, or NULL. */
static inline torc_net *torc_datagram_net(const torc_datagram_port *port) {
    return port->in_net.len ? port->io.reactor->net : NULL;
}

/* ---- datagram_socket.c ---- */

/* Open and bind a socket, and set what the options ask for. */
torc_err torc_datagram_socket_open(torc_datagram_port *port, const torc_addr *local,
                                   int *fd) TORC_MUST_CHECK;
/* Set the same on one that is there. */
torc_err torc_datagram_socket_adopt(torc_datagram_port *port, int fd) TORC_MUST_CHECK;
/* Remove the socket's file, if it is still the one that was made. */
void torc_datagram_remove_file(const torc_datagram_port *port, const torc_addr *local);

/* ---- datagram.c ---- */

/* Ask for the events that are needed now. */
void torc_datagram_look(torc_datagram_port *port);
/* Tell of one that has not arrived, unless the port is closed. */
void torc_datagram_tell_failed(torc_datagram_port *port, torc_err err, const torc_addr *to);

/* ---- datagram_send.c ---- */

/* Send what waits, as much as the kernel and a turn allow. May call the protocol. */
void torc_datagram_send_runs(torc_datagram_port *port);
void torc_datagram_flush(torc_flushable *flushable);
/* Drop what waits. */
void torc_datagram_drop_runs(torc_datagram_port *port);

/* ---- datagram_receive.c ---- */

/* Receive what is there, as much as a turn allows, and give it to who is told. */
void torc_datagram_receive_batch(torc_datagram_port *port);
/* Tell what the kernel has heard of those that were sent; whether there was something. */
bool torc_datagram_take_errors(torc_datagram_port *port);

/* ---- datagram_take.c ---- */

/* Keep a copy for who takes it; without memory it is lost. */
void torc_datagram_keep(torc_datagram_port *port, const torc_datagram *datagram);
/* Something may have been taken: whether there is room now. */
void torc_datagram_taken(torc_call *call);
/* How many more may be kept. */
size_t torc_datagram_room(const torc_datagram_port *port);

#endif
