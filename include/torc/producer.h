/* SPDX-License-Identifier: MIT */
#ifndef TORC_PRODUCER_H
#define TORC_PRODUCER_H

#include <torc/types.h>

/**
 * Producers: what feeds a transport, or the body of a response, as fast as it drains; embedded in
 * the object that produces. See torc_transport_register_producer() and
 * torc_request_register_producer().
 */
typedef struct torc_producer_ops {
    /** Enough for now: the output has reached the high mark. */
    void (*pause)(torc_producer *producer);
    /** More is welcome: after a pause, or, for a producer that pulls, each time there is room. */
    void (*resume)(torc_producer *producer);
    /** The connection is lost: nobody will ask for more. The last call. */
    void (*stop)(torc_producer *producer);
} torc_producer_ops;

struct torc_producer {
    const torc_producer_ops *ops;
};

#endif
