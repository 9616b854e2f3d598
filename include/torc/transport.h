/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_H
#define TORC_TRANSPORT_H

#include <torc/credentials.h>
#include <torc/link_info.h>
#include <torc/producer.h>
#include <torc/protocol.h>

/**
 * Transports: one connection's bytes, both ways, as a protocol sees it.
 *
 * What is written is kept in order and leaves at the end of the turn, in as few system calls as the
 * kernel allows. Writing returns nothing: a failure (memory, more than `output_max` waiting) aborts
 * the connection, and writing to one that is closing is ignored. Whoever writes much registers a
 * producer, or asks torc_transport_room() and waits for `drained`.
 *
 * A transport belongs to the library, from connection_made to connection_lost. It is used on its
 * reactor's thread.
 */

TORC_BEGIN_DECLS

TORC_API torc_reactor *torc_transport_reactor(torc_transport *transport);
/** Send a copy of `bytes`. */
TORC_API void torc_transport_write(torc_transport *transport, torc_str bytes);
/**
 * Send `len` bytes of an open file from `offset` on, without copying them where the system can. The
 * transport takes `fd` and closes it, whatever happens. A file that turns out shorter aborts the
 * connection.
 */
TORC_API void torc_transport_write_file(torc_transport *transport, int fd, uint64_t offset,
                                        uint64_t len);
/** Bytes that may be written before the high mark is reached; 0: wait for `drained`, or it is
 * closing. */
TORC_API size_t torc_transport_room(const torc_transport *transport);
/** Bytes written and not yet sent. */
TORC_API size_t torc_transport_unsent(const torc_transport *transport);
/** Set the low and the high mark in bytes (16 KiB and 64 KiB unless set). low < high. */
TORC_API void torc_transport_set_marks(torc_transport *transport, size_t low, size_t high);
/** Close once all that was written, by a producer also from now on, has left. Nothing is received
 * from now on. Repeating is fine. */
TORC_API void torc_transport_close(torc_transport *transport);
/** Send FIN once all that was written has left, and go on receiving. */
TORC_API void torc_transport_close_write(torc_transport *transport);
/** Drop what waits and reset the connection (RST). */
TORC_API void torc_transport_abort(torc_transport *transport);
/** Stop receiving: the peer will be held back by flow control. At most one delivery may still come.
 */
TORC_API void torc_transport_pause(torc_transport *transport);
TORC_API void torc_transport_resume(torc_transport *transport);
/** Whether torc_transport_pause() holds, also that of a delivery that was not consumed whole. */
TORC_API bool torc_transport_is_paused(const torc_transport *transport);
/** Whether it is closing or closed: writing has no effect any more. */
TORC_API bool torc_transport_is_closing(const torc_transport *transport);
/**
 * Let `producer` feed the transport. A push producer (`streaming`) is paused at the high mark and
 * resumed at the low one; one that pulls is resumed whenever there is room, and writes once each
 * time. It is called at the end of a turn and never from inside a write: what writes in a loop asks
 * torc_transport_room(). TORC_ERR_STATE if there is one already; on a connection that is closing
 * the producer is stopped, soon.
 */
TORC_API torc_err torc_transport_register_producer(torc_transport *transport,
                                                   torc_producer *producer,
                                                   bool streaming) TORC_MUST_CHECK;
/** The producer has finished; a close that was asked for goes on. Fine when there is none. */
TORC_API void torc_transport_unregister_producer(torc_transport *transport);
/** The other end's address; `{0}` when there is none. Asked of the kernel when first needed. */
TORC_API torc_addr torc_transport_peer(torc_transport *transport);
/** This end's address. */
TORC_API torc_addr torc_transport_host(torc_transport *transport);
/** All that is known of the connection; what it points to lives until connection_lost. */
TORC_API torc_link_info torc_transport_link_info(torc_transport *transport);
/** Send small segments at once (on by default) or let the kernel gather them. TCP only. */
TORC_API torc_err torc_transport_set_no_delay(torc_transport *transport, bool on) TORC_MUST_CHECK;
TORC_API torc_err torc_transport_set_keep_alive(torc_transport *transport, bool on) TORC_MUST_CHECK;
/**
 * Of a UNIX stream, also through filters: who made the connection, or the socket that it was made
 * to. TORC_ERR_UNSUPPORTED: it is none.
 */
TORC_API torc_err torc_transport_peer_credentials(torc_transport *transport,
                                                  torc_credentials *credentials) TORC_MUST_CHECK;
/** The same process as a pidfd, which no other can have meanwhile: the caller's. From Linux 6.5 on;
 * else TORC_ERR_UNSUPPORTED. */
TORC_API torc_err torc_transport_peer_pidfd(torc_transport *transport, int *fd) TORC_MUST_CHECK;
/**
 * Of a UNIX stream without filters: let `fd_received` of the protocol be told of descriptors that
 * come along, from now on; at most `count_max` (16 is the most) with each receive, and 0: none. In
 * connection_made, mostly. What is not asked for the kernel closes. TORC_ERR_UNSUPPORTED: there
 * are filters, or it is no UNIX stream; TORC_ERR_CLOSED, TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_transport_receive_fds(torc_transport *transport,
                                             uint32_t count_max) TORC_MUST_CHECK;
/**
 * Pass a duplicate of `fd` with the next byte that is written; without one it does not leave. The
 * peer has it not later than that byte, and perhaps with bytes before it. As above; TORC_ERR_BUSY:
 * 16 wait already; TORC_ERR_INVALID: it is no descriptor; TORC_ERR_FILE_TABLE_FULL.
 */
TORC_API torc_err torc_transport_send_fd(torc_transport *transport, int fd) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
