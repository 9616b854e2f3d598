/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_SOCKET_H
#define TORC_REACTOR_SOCKET_H

#include "reactor/poller.h"

/*
 * System calls on sockets that every poller makes in the same way. They change nothing of an io.
 */

/*
 * Send the first bytes of what an io is sending, at most `max`: its pieces in one call, or the file
 * range at the front. Answers the bytes that left, which are not consumed; or -1 and errno
 * (ENODATA: a file is shorter than it was said to be).
 */
ssize_t torc_socket_send(const torc_io *io, size_t max);
/* The same without descriptors that go along. The chain begins with what is to be sent. */
ssize_t torc_socket_send_bytes(const torc_io *io, size_t max);
/* The error that an errno of torc_socket_send() stands for. */
torc_err torc_socket_send_err(int number);
/* Whether an errno says: not now. */
bool torc_socket_is_full(int number);
/* Take the error that the kernel keeps for a socket; TORC_OK if there is none. */
torc_err torc_socket_take_err(int fd);
/* Close a stream's or a listener's descriptor; `reset`: by RST, where there is such a thing. */
void torc_socket_close(const torc_io *io, bool reset);

/* What an accept that failed means. */
typedef enum torc_accept_failure {
    TORC_ACCEPT_NOBODY, /* nobody waits */
    TORC_ACCEPT_NEXT,   /* who waited has gone: ask for the next */
    TORC_ACCEPT_FULL,   /* no descriptor is left */
    TORC_ACCEPT_FAILED
} torc_accept_failure;
torc_accept_failure torc_socket_accept_failure(int number);
/*
 * No descriptor is left: give the spare one up for a moment, so that who waits learns of it by a
 * close. `*spare_fd` is opened again; torc_socket_open_spare() makes the first.
 */
void torc_socket_refuse(int fd, int *spare_fd);
int torc_socket_open_spare(void);

#endif
