/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_PIPES_H
#define TORC_TRANSPORT_PIPES_H

#include "transport/file_end.h"

/*
 * The transport over two descriptors, one to receive from and one to send to: pipes, terminals,
 * sockets, files. Either may be missing: then nothing is received, or what is written is dropped.
 *
 * The end of what is received is the peer's end. When nobody reads what is sent, the connection is
 * lost; or, where it is `patient`, what is written is dropped from then on, and what is still
 * received decides.
 */
typedef struct torc_pipes torc_pipes;

typedef struct torc_pipes_end {
    torc_pipes *pipes;
    torc_io io;
    torc_file_end *file; /* in its place, for what cannot be waited for */
    bool is_open;        /* its `closed` has not come */
} torc_pipes_end;

/* Besides the families of reactor/poller.h: what threads read and write. */
enum {
    TORC_PIPES_FILE = 0xfe
};

struct torc_pipes {
    torc_transport base;
    torc_pipes_end input, output; /* if both ways are one descriptor, it is the input's */
    void (*gone)(torc_pipes *pipes, void *context); /* it is about to be freed. May be NULL */
    void *context;
    torc_call retired;       /* posted when it is closed and no end is open */
    torc_call bind;          /* posted until `protocol` is bound */
    torc_protocol *protocol; /* to be bound */
    bool is_one, is_patient;
    bool has_output;
};

/* What it is made over. Families are those of reactor/poller.h, or TORC_PIPES_FILE; a missing
 * descriptor is -1. The same descriptor for both ways is one. */
typedef struct torc_pipes_options {
    int input, output;
    int input_family, output_family;
    bool is_patient;
    void (*gone)(torc_pipes *pipes, void *context);
    void *context;
} torc_pipes_options;

/* Make one; takes the descriptors, whatever happens. When this fails `gone` is not called. Bound by
 * torc_transport_made(), or aborted; it frees itself at its end. */
torc_err torc_pipes_new(torc_reactor *reactor, const torc_pipes_options *options,
                        torc_pipes **pipes) TORC_MUST_CHECK;
/* As torc_transport_made(), in the next turn: for who was called by the protocol's owner. */
void torc_pipes_bind_later(torc_pipes *pipes, torc_protocol *protocol);

#endif
