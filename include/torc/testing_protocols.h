/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_PROTOCOLS_H
#define TORC_TESTING_PROTOCOLS_H

#include <torc/producer.h>
#include <torc/protocol.h>
#include <torc/testing_transport.h>

/**
 * Protocols and producers for tests: peers that say what they are told to say and keep what they
 * hear, and two protocols wired together. In the library torc-testing.
 *
 *     torc_test_recorder *peers = torc_test_recorder_new();
 *     torc_test_recorder_say(peers, TORC_STR("HELLO\r\n"));
 *     torc_deferred *connecting =
 *         torc_connect(reactor, "tcp:192.0.2.1:25", torc_test_recorder_factory(peers), NULL);
 *     … torc_test_settle(reactor); …
 *     assert(torc_str_equals(torc_test_recorder_heard(peers, 0), TORC_STR("220 welcome\r\n")));
 */

/** A factory whose protocols keep what they hear; each is known by its number, from 0. */
typedef struct torc_test_recorder torc_test_recorder;

/** A producer that writes pieces when it may, and counts what it is told. */
typedef struct torc_test_producer torc_test_producer;

TORC_BEGIN_DECLS

/** NULL: there is no memory. */
TORC_API torc_test_recorder *torc_test_recorder_new(void);
/** Free it with what was kept; all its connections are lost, and nobody uses the factory. NULL is
 * fine. */
TORC_API void torc_test_recorder_free(torc_test_recorder *recorder);
TORC_API torc_factory *torc_test_recorder_factory(torc_test_recorder *recorder);
/** What each connection from now on says first; copied. */
TORC_API void torc_test_recorder_say(torc_test_recorder *recorder, torc_str bytes);
/** From now on say back what is heard. */
TORC_API void torc_test_recorder_echo(torc_test_recorder *recorder);
/** From now on consume nothing of what is heard, or again all of it. */
TORC_API void torc_test_recorder_refuse(torc_test_recorder *recorder, bool refuses);
/** How many connections were made, and how many of them are not lost. */
TORC_API size_t torc_test_recorder_made(const torc_test_recorder *recorder);
TORC_API size_t torc_test_recorder_open(const torc_test_recorder *recorder);
/** What one has heard so far; lent until it hears more. */
TORC_API torc_str torc_test_recorder_heard(const torc_test_recorder *recorder, size_t n);
/** Its transport, to write to, close or ask; NULL once it is lost. */
TORC_API torc_transport *torc_test_recorder_transport(const torc_test_recorder *recorder, size_t n);
/** Whether its peer has sent its end. */
TORC_API bool torc_test_recorder_has_ended(const torc_test_recorder *recorder, size_t n);
/** Whether it is lost, and why. */
TORC_API bool torc_test_recorder_is_lost(const torc_test_recorder *recorder, size_t n);
TORC_API torc_err torc_test_recorder_reason(const torc_test_recorder *recorder, size_t n);
/** How many times it was told that its output has drained. */
TORC_API uint32_t torc_test_recorder_drained(const torc_test_recorder *recorder, size_t n);
/** Let `ms` pass at most, until all that were made are lost: whether they are. */
TORC_API bool torc_test_recorder_wait(const torc_test_recorder *recorder, torc_reactor *reactor,
                                      uint64_t ms);

/**
 * Wire two protocols together: connections that are each other's peer, the first one the server's.
 * A turn of the reactor carries at most one delivery each way, torc_test_settle() all there is.
 * TORC_ERR_NO_MEMORY. Free both; whoever is first, the other is reset.
 */
TORC_API torc_err torc_test_loopback(torc_reactor *reactor, torc_factory *server,
                                     torc_factory *client,
                                     torc_test_connection *ends[2]) TORC_MUST_CHECK;

/**
 * A producer of `count` pieces of `bytes` bytes for a transport, registered with it: one that
 * pushes until it is paused, or that pulls, a piece for each resume. It unregisters itself behind
 * the last. NULL: there is no memory, or the transport has another one.
 */
TORC_API torc_test_producer *torc_test_producer_new(torc_transport *transport, size_t count,
                                                    size_t bytes, bool pulls);
/** Free it. It has finished, or its transport is lost. NULL is fine. */
TORC_API void torc_test_producer_free(torc_test_producer *producer);
/** How many pieces are left; how many times it was paused and resumed; whether it was stopped. */
TORC_API size_t torc_test_producer_left(const torc_test_producer *producer);
TORC_API uint32_t torc_test_producer_paused(const torc_test_producer *producer);
TORC_API uint32_t torc_test_producer_resumed(const torc_test_producer *producer);
TORC_API bool torc_test_producer_was_stopped(const torc_test_producer *producer);

TORC_END_DECLS

#endif
