/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_STAGES_H
#define TORC_TRANSPORT_STAGES_H

#include <torc/filter.h>

#include "transport/transport.h"

/*
 * What is to stand on a connection, from the lowest filter to the protocol: embedded in the
 * listener or connector, which outlives all connections that it builds on.
 */
typedef struct torc_stages torc_stages;
struct torc_stages {
    torc_filters filters;
    torc_factory *factory;
    size_t output_max; /* of the topmost transport */
    /*
     * The protocol is there; or cannot be, and the connection is about to be aborted for this
     * reason. Not told when the connection ends before that. May be NULL.
     */
    void (*built)(torc_stages *stages, torc_transport *top, torc_err err);
};

/* Hold the filters, which may be NULL, for a factory's protocols. Nothing is made yet. */
void torc_stages_init(torc_stages *stages, const torc_filters *filters, torc_factory *factory);
void torc_stages_dispose(torc_stages *stages);
/*
 * Stack everything on a connection that has no protocol yet. What stands above a gate is made once
 * that opens.
 */
void torc_stages_build(torc_stages *stages, torc_transport *bottom);
/* Go on from the stage `next` on top of `below`: for a gate that opens. */
void torc_stages_continue(torc_stages *stages, size_t next, torc_transport *below);

#endif
