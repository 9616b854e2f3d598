/* SPDX-License-Identifier: MIT */
#ifndef TORC_PHASE_H
#define TORC_PHASE_H

#include <torc/deferred.h>

/**
 * The phases of a reactor's start and stop, and what is done in each.
 *
 * torc_reactor_run() begins with the phases of the start, and torc_reactor_stop() leads to those of
 * the stop; the reactor turns meanwhile. In each phase its triggers are run, in the order in which
 * they were added. Those before the start and before the stop may answer a deferred, and the next
 * phase waits for it: so connections are ended, and what is in memory is written, while everything
 * still works. Before the stop it waits for `stop_ms` (see torc_reactor_options) at most; then what
 * holds it is cancelled. A second torc_reactor_stop() ends at once.
 *
 * A reactor without triggers starts and stops at once. One that is driven by
 * torc_reactor_turn() alone has phases when torc_reactor_start() was called.
 */
typedef enum torc_phase {
    TORC_PHASE_BEFORE_START, /* may hold */
    TORC_PHASE_DURING_START,
    TORC_PHASE_AFTER_START,
    TORC_PHASE_BEFORE_STOP, /* may hold */
    TORC_PHASE_DURING_STOP,
    TORC_PHASE_AFTER_STOP,
    TORC_PHASES
} torc_phase;

/** What is done once, in a phase; embedded in who does it, and in no phase any more when it runs.
 * NULL, or a deferred: of a phase that may not hold, this is not waited for. */
typedef struct torc_trigger torc_trigger;
typedef torc_deferred *torc_trigger_fn(torc_trigger *trigger);
struct torc_trigger {
    torc_trigger_fn *run;
    torc_reactor *reactor; /* private, as all that follows */
    torc_callback callback;
    torc_list_node node;
    bool holds;
};

TORC_BEGIN_DECLS

/** Run `trigger`, whose `run` is set, in a phase. One that waits for another phase is moved. */
TORC_API void torc_trigger_add(torc_trigger *trigger, torc_reactor *reactor, torc_phase phase);
/** Take it back; if it holds a phase, that is over for it. Before freeing what holds it. */
TORC_API void torc_trigger_remove(torc_trigger *trigger);
/** Run `call` when the reactor has started, after the phases of its start; or soon, if it has.
 * torc_call_cancel() takes it back. */
TORC_API void torc_reactor_call_when_running(torc_reactor *reactor, torc_call *call);
/**
 * Begin the start: for who turns a reactor by other means than torc_reactor_run(), which calls this
 * itself. Turn it as long as torc_reactor_is_running().
 */
TORC_API void torc_reactor_start(torc_reactor *reactor);
/** Whether it was started, and has not stopped. */
TORC_API bool torc_reactor_is_running(const torc_reactor *reactor);

/**
 * For a loop of somebody else's that drives the reactor: a descriptor that is readable when
 * something is to be done, to be polled and nothing else; -1: this reactor has none. With it goes
 * torc_reactor_wait_ms(), and torc_reactor_turn(reactor, 0) when either says so.
 */
TORC_API int torc_reactor_fd(const torc_reactor *reactor);
/**
 * How long that loop may wait: until the next timer; 0: not at all; -1: as long as it takes. Looks
 * at the clock, so it is to be asked just before waiting.
 */
TORC_API int64_t torc_reactor_wait_ms(torc_reactor *reactor);

TORC_END_DECLS

#endif
