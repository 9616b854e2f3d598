/* SPDX-License-Identifier: MIT */
#ifndef TORC_STDIO_H
#define TORC_STDIO_H

#include <torc/protocol.h>

/**
 * The standard streams, or any two descriptors, as a connection: a protocol that speaks to a person
 * at a terminal, in a pipeline, or to the peer of who started the program (inetd, ssh).
 *
 * Whatever they are, the reactor does not wait for them: pipes and terminals are opened anew, so
 * that their mode, which is shared with other processes, stays as it is; sockets are used without
 * changing theirs; regular files and devices that cannot be waited for are read and written by
 * threads of the file class. Only a pipe or terminal that may not be opened anew is set to not
 * block, until the end of the connection.
 *
 * torc_transport_close_write() ends the output alone: a reader of the pipe sees the end, while the
 * protocol goes on receiving. When nobody reads the output any more the connection is lost, with
 * TORC_ERR_LOST.
 */

TORC_BEGIN_DECLS

/**
 * Speak `protocol` over the descriptors 0 and 1; its connection_made comes in the next turn. From
 * then on 0 and 1 lead to /dev/null, so that nothing else in the program can read from or write
 * into the middle of it. Once per process: TORC_ERR_BUSY for a second time on this reactor.
 * TORC_ERR_INVALID when one of them is closed.
 */
TORC_API torc_err torc_stdio_open(torc_reactor *reactor, torc_protocol *protocol) TORC_MUST_CHECK;
/**
 * The same over any descriptors, which stay the caller's and may be closed after the call: a serial
 * line, FIFOs. They may be one.
 */
TORC_API torc_err torc_descriptors_open(torc_reactor *reactor, int input, int output,
                                        torc_protocol *protocol) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
