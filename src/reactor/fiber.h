/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_FIBER_H
#define TORC_REACTOR_FIBER_H

#include <torc/fiber.h>

#include "reactor/reactor.h"

/*
 * What operations that wait are made of.
 *
 * A wait is a value on the stack of the fiber that waits. The operation puts it where its
 * completion will find it (a list, a job) and calls torc_fiber_wait(). Whoever completes the
 * operation calls torc_wait_end(), once; the fiber goes on from the reactor's queue. A cancelled
 * wait is told by `cancel`, which takes it out of where it was put and ends it: at once, or when
 * what was lent to the operation has been let go of.
 */
typedef struct torc_wait torc_wait;
typedef void torc_wait_cancel_fn(torc_wait *wait, torc_err reason);
struct torc_wait {
    torc_list_node node; /* the operation's */
    torc_fiber *fiber;   /* NULL until it waits */
    torc_wait_cancel_fn *cancel;
    torc_err result;
    bool has_ended;
    bool is_cancelled; /* `cancel` was called */
};

/*
 * Run a function on a fiber at once, on top of the caller's stack, until it first waits or ends.
 * `*fiber` is set before the function runs, and invalid from its end on; nobody joins it, and what
 * the function answers is dropped. Fails as torc_fiber_spawn(). A fiber may start another: that one
 * returns to it when it first waits, and is resumed from the reactor's queue like any other.
 */
torc_err torc_fiber_start(torc_reactor *reactor, torc_fiber_fn *run, void *context,
                          torc_fiber **fiber) TORC_MUST_CHECK;
/*
 * On a fiber: wait until torc_wait_end(), whose result this returns; one that was ended already
 * returns at once, but for every 16th of these in a row. If the fiber was cancelled, `cancel` is
 * called first of all.
 */
torc_err torc_fiber_wait(torc_reactor *reactor, torc_wait *wait,
                         torc_wait_cancel_fn *cancel) TORC_MUST_CHECK;
/* End a wait. Once; the wait may be gone when the reactor's queue has run. */
void torc_wait_end(torc_wait *wait, torc_err result);
/*
 * On a fiber: an operation that may wait did not have to. After 16 of these in a row the fiber
 * yields, so that it cannot hold the reactor; the error is that of this wait.
 */
torc_err torc_fiber_did_not_wait(torc_reactor *reactor) TORC_MUST_CHECK;
/* For deadlines: the innermost of a fiber; and that it is over: what the fiber waits for is
 * cancelled, unless it is shielded. */
torc_deadline **torc_fiber_deadline(torc_fiber *fiber);
void torc_fiber_time_out(torc_fiber *fiber);
/* Begin with the deadline of the fiber that has spawned this one. Returns it. */
torc_deadline *torc_deadline_inherit(torc_deadline *deadline, torc_reactor *reactor,
                                     torc_fiber *fiber, uint64_t due_ms);
/* A wait begins: have the fiber told when it is over, at once if it is. */
void torc_deadline_watch(torc_deadline *deadline);
/* The fiber has ended. */
void torc_deadline_stop(torc_deadline *deadline);
/* Cancel all fibers of a reactor that is about to be freed; new ones are refused from now on. */
void torc_fibers_cancel_all(torc_reactor *reactor, torc_err reason);
/* A fiber as others see it; what it points to goes with the call that tells it. */
typedef struct torc_fiber_view {
    const char *state; /* for people */
    const void *code;  /* its function, and what that was given */
    void *argument;
    bool is_cancelled;
    void *const *frames; /* return addresses, the innermost first; of one that waits */
    int frame_count;
} torc_fiber_view;
typedef void torc_fiber_view_fn(void *context, const torc_fiber_view *view);
/* Tell of all that have not ended. */
void torc_fibers_view(torc_reactor *reactor, torc_fiber_view_fn *tell, void *context);
/* How many have not ended. */
size_t torc_fibers_count(const torc_reactor *reactor);
/* Unmap the stacks that wait for another fiber. */
void torc_fibers_trim(torc_reactor *reactor);
/* Nothing that could still end by itself is left to wait for: also what is shielded is cancelled
 * from now on. */
void torc_fibers_end_shields(torc_reactor *reactor);
/* Free the stacks; every fiber has ended, or is lost with what it held. */
void torc_fibers_free(torc_reactor *reactor);

/*
 * Whether the fiber that runs met the guarded page below its stack at this address, and how large
 * its stack is. For a handler of signals, in the reactor's thread.
 */
bool torc_fiber_has_overflowed(const torc_reactor *reactor, const void *address, size_t *size);

#endif
