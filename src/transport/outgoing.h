/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_OUTGOING_H
#define TORC_TRANSPORT_OUTGOING_H

#include "reactor/reactor.h"

/*
 * What a transport has only while it has something to send, or somebody who feeds it: so that idle
 * ones need no room for it. It comes from a pool of the reactor.
 */
typedef struct torc_outgoing torc_outgoing;
struct torc_outgoing {
    torc_flushable flushable;
    torc_chain chain;
    union {
        torc_transport *transport; /* whose it is */
        torc_outgoing *next;       /* in the pool */
    };
    torc_producer *producer;
    uint32_t sending; /* bytes of the chain that the stage below has been asked to send */
};

/* One for a transport, empty; NULL when out of memory. */
torc_outgoing *torc_outgoing_new(torc_transport *transport, torc_reactor *reactor,
                                 void (*flush)(torc_flushable *flushable)) TORC_MUST_CHECK;
/* Give it back, with whatever is in its chain. NULL is fine. */
void torc_outgoing_free(torc_outgoing *outgoing, torc_reactor *reactor);

#endif
