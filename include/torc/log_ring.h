/* SPDX-License-Identifier: MIT */
#ifndef TORC_LOG_RING_H
#define TORC_LOG_RING_H

#include <torc/log.h>

/**
 * Rings: the last events of a log, kept in memory.
 *
 * For what is only of interest when something goes wrong: a ring with levels of its own keeps
 * events that nobody is told of otherwise, and is written out when the program crashes
 * (torc_log_ring_dump() is safe in a handler of signals), or to a sink that is added later
 * (`replay` of torc_log_sink_options).
 *
 * An event takes one slot of TORC_LOG_RING_SLOT_BYTES: long values are cut, and of many fields the
 * last ones are left out. Any number of threads may log; nobody waits.
 */
enum {
    TORC_LOG_RING_SLOT_BYTES = 512,
    TORC_LOG_RING_EVENTS_MAX = 65536
};

/** Is shown an event of a ring; everything in it is lent for the call. */
typedef void torc_log_ring_fn(void *context, const torc_log_record *record);

TORC_BEGIN_DECLS

/** Make a ring of `events` slots, from 1 to TORC_LOG_RING_EVENTS_MAX (TORC_ERR_INVALID beyond). */
TORC_API torc_err torc_log_ring_new(torc_memory *memory, size_t events,
                                    torc_log_ring **ring) TORC_MUST_CHECK;
/** Free it, after the logs that it was added to. NULL is fine. */
TORC_API void torc_log_ring_free(torc_log_ring *ring);
/** Keep the events of a log in a ring, which is lent. `options` and `sink` may be NULL. */
TORC_API torc_err torc_log_add_ring(torc_log *log, torc_log_ring *ring,
                                    const torc_log_sink_options *options,
                                    torc_log_sink **sink) TORC_MUST_CHECK;
/** Show what is kept: first what is critical, then all the rest, each from the oldest on. */
TORC_API void torc_log_ring_each(const torc_log_ring *ring, torc_log_ring_fn *show, void *context);
/** Write what is kept to a descriptor as lines of text, from the oldest on. May be called from a
 * handler of signals. */
TORC_API void torc_log_ring_dump(const torc_log_ring *ring, int fd);

TORC_END_DECLS

#endif
