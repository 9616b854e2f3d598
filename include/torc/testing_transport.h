/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_TRANSPORT_H
#define TORC_TESTING_TRANSPORT_H

#include <torc/transport.h>

/**
 * Connections in memory: a transport without a socket, whose other end the test plays.
 *
 *     torc_test_connection *peer = torc_test_connection_new(reactor, factory);
 *     torc_test_connection_send(peer, TORC_STR("hello\r\n"));
 *     torc_test_settle(reactor);
 *     assert(torc_str_equals(torc_test_connection_written(peer), TORC_STR("hello\r\n")));
 *     torc_test_connection_free(peer);
 *
 * The protocol cannot tell it from a socket: it is called in turns of the reactor only, which the
 * test makes (see <torc/testing.h>), receives once a turn, and is held back when the test does not
 * take what it writes. What the test needs memory for is not the reactor's. A connection is freed
 * before its reactor.
 */
typedef struct torc_test_connection torc_test_connection;

TORC_BEGIN_DECLS

/**
 * A connection that was accepted: the factory makes its protocol in the next turn, and is not
 * counted as used. NULL when out of memory.
 */
TORC_API torc_test_connection *torc_test_connection_new(torc_reactor *reactor,
                                                        torc_factory *factory);
/** The same with a protocol that is made already; its connection_made is called in the next turn.
 */
TORC_API torc_test_connection *torc_test_connection_new_over(torc_reactor *reactor,
                                                             torc_protocol *protocol);
/** Free it. If it is open the peer goes away first, and the reactor turns until that is over. NULL
 * is fine. */
TORC_API void torc_test_connection_free(torc_test_connection *connection);

/**
 * Put a filter between the connection and its protocol that splits all bytes anew, both ways,
 * delays them to later turns, and takes no ranges of files. What it does follows from `seed`.
 * Before the first turn; it may be repeated.
 */
TORC_API torc_err torc_test_connection_scramble(torc_test_connection *connection,
                                                uint64_t seed) TORC_MUST_CHECK;
/**
 * Let two connections be each other's peer: what one writes arrives at the other, and so do its end
 * and its reset. Each takes up to 32 KiB that it does not consume, as a socket's buffer does, and
 * then holds the other back.
 */
TORC_API void torc_test_connection_join(torc_test_connection *one, torc_test_connection *other);
/** The addresses that the transport tells; it has none before. */
TORC_API void torc_test_connection_set_addrs(torc_test_connection *connection,
                                             const torc_addr *peer, const torc_addr *host);
/** Let no delivery have more than `bytes` bytes; 0: each has as many as one send. */
TORC_API void torc_test_connection_set_pieces(torc_test_connection *connection, size_t bytes);

/** Send a copy of bytes to the protocol. Sends are not joined: each is a delivery of its own, or
 * several. */
TORC_API void torc_test_connection_send(torc_test_connection *connection, torc_str bytes);
/** Send no more: FIN. What was sent before still arrives. */
TORC_API void torc_test_connection_send_end(torc_test_connection *connection);
/** Reset the connection, or let it fail in another way. What was sent before still arrives, if it
 * is received. */
TORC_API void torc_test_connection_reset(torc_test_connection *connection);
TORC_API void torc_test_connection_break(torc_test_connection *connection, torc_err reason);
/** A slow peer: nothing is taken any more but by torc_test_connection_take(). */
TORC_API void torc_test_connection_hold_back(torc_test_connection *connection);
/** Take `bytes` more of what is written; SIZE_MAX: all that comes. */
TORC_API void torc_test_connection_take(torc_test_connection *connection, size_t bytes);

/** All that was taken so far, since the last clear. Ranges of files were read from them. Valid
 * until the next turn. */
TORC_API torc_str torc_test_connection_written(const torc_test_connection *connection);
/** Forget what was written; the counts stay. */
TORC_API void torc_test_connection_clear(torc_test_connection *connection);
/** How many times the transport was asked to send: the system calls that it would have made, about.
 */
TORC_API uint32_t torc_test_connection_send_count(const torc_test_connection *connection);
/** How many of the bytes taken so far came as ranges of files. */
TORC_API uint64_t torc_test_connection_file_bytes(const torc_test_connection *connection);
/** Bytes that were sent and not yet consumed. */
TORC_API size_t torc_test_connection_unread(const torc_test_connection *connection);
/** Whether the transport receives: it does not while it is paused. */
TORC_API bool torc_test_connection_is_receiving(const torc_test_connection *connection);
/** Whether the transport has sent its end: by FIN, or by closing in good order. */
TORC_API bool torc_test_connection_has_ended(const torc_test_connection *connection);
/** Whether the transport reset the connection. */
TORC_API bool torc_test_connection_was_reset(const torc_test_connection *connection);
/** Whether it is over: the protocol has lost its connection. And why. */
TORC_API bool torc_test_connection_is_over(const torc_test_connection *connection);
TORC_API torc_err torc_test_connection_reason(const torc_test_connection *connection);
/** The transport that the protocol has; NULL once it is over. */
TORC_API torc_transport *torc_test_connection_transport(torc_test_connection *connection);

TORC_END_DECLS

#endif
