/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_PASSING_H
#define TORC_REACTOR_PASSING_H

#include "reactor/poller.h"

/*
 * Descriptors that go along with the bytes of a UNIX stream, both ways (SCM_RIGHTS): what an io of
 * the family TORC_IO_PASSING has besides. One that is sent goes with a certain byte; those that
 * came are kept until the bytes that they came with are told.
 */
enum {
    TORC_PASSING_MAX = 16 /* each way */
};

typedef struct torc_passed {
    int fd;
    size_t before; /* bytes that leave before it, behind the descriptor before it */
} torc_passed;

struct torc_io_passing {
    torc_passed outgoing[TORC_PASSING_MAX];
    int incoming[TORC_PASSING_MAX];
    uint8_t outgoing_count, incoming_count;
    uint8_t incoming_max; /* more are closed */
};

/* Take a descriptor, to leave with the byte that has `ahead` unsent bytes before it. TORC_ERR_BUSY:
 * too many wait. */
torc_err torc_passing_add(torc_io_passing *passing, int fd, size_t ahead) TORC_MUST_CHECK;
/* Take the first of those that came; -1: there is none. */
int torc_passing_take(torc_io_passing *passing);
/* Close all. */
void torc_passing_dispose(torc_io_passing *passing);
/* The same as torc_socket_send() and recv(), for such an io. */
ssize_t torc_passing_send(const torc_io *io, size_t max);
ssize_t torc_passing_receive(const torc_io *io, void *bytes, size_t len);

#endif
