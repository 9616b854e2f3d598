/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_FILE_END_H
#define TORC_TRANSPORT_FILE_END_H

#include <torc/thread.h>

#include "transport/transport.h"

/*
 * An end of a transport that cannot be waited for: a regular file, or a device that epoll refuses.
 * Threads read it, or write it, a piece at a time; at its end it is the peer's end.
 *
 * Its position is the one that it shares with whoever else has the file: what is read is gone for
 * them, what they append is not overwritten.
 */
typedef struct torc_file_end torc_file_end;

/* Make one; takes the descriptor, whatever happens. `closed` is its last call, told also when the
 * reactor is freed; then it is freed. */
torc_err torc_file_end_new(torc_transport *transport, int fd, void (*closed)(void *context),
                           void *context, torc_file_end **end) TORC_MUST_CHECK;
void torc_file_end_receive_start(torc_file_end *end);
void torc_file_end_receive_stop(torc_file_end *end);
/* Send the first bytes of the transport's output, which torc_transport_sent() will tell. */
void torc_file_end_send(torc_file_end *end, size_t len);
/* Once the thread has let go. Repeating is fine, until it is closed. */
void torc_file_end_close(torc_file_end *end);

#endif
