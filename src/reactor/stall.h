/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_STALL_H
#define TORC_REACTOR_STALL_H

#include "reactor/reactor.h"

/*
 * What holds up a reactor longer than a limit is named in its log.
 *
 * A thread looks now and then whether the reactor is still in the same turn; then it sets a mark.
 * Whoever on the reactor's thread has just called something looks at the mark, which costs a load
 * and a branch, and names what it called.
 */

/* Watch from now on: `options.stall_ms`, which is not 0. */
torc_err torc_stall_start(torc_reactor *reactor) TORC_MUST_CHECK;
void torc_stall_stop(torc_reactor *reactor);
/* Something of this kind was called (`code`, the function; may be NULL) and has held the reactor.
 * `argument` is that of a fiber's function. */
void torc_stall_tell(torc_reactor *reactor, const char *kind, const void *code, void *argument);

/* Whether there is something to tell. */
static inline bool torc_stall_is_marked(torc_reactor *reactor) {
    return __builtin_expect(atomic_load_explicit(&reactor->is_stalled, memory_order_relaxed), 0);
}

#endif
