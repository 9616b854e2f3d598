/* SPDX-License-Identifier: MIT */
#ifndef TORC_COOPERATE_H
#define TORC_COOPERATE_H

#include <torc/deferred.h>

/**
 * Long work in small steps, on the reactor's thread, without holding up the others.
 *
 * A task is a function that does a step of the work and is called until there is none left. All
 * tasks of a reactor take turns, step by step, within a budget of time for each turn of the
 * reactor (2 ms, unless torc_cooperate_set_budget()). A step should take well less than that. Work
 * that cannot be cut belongs in a thread (<torc/thread.h>).
 *
 * On a fiber there is torc_breathe(), to be called now and then in a loop.
 */
typedef struct torc_task torc_task;

/**
 * One step. NULL: there is more to do, or, when it has set `*done`, there is not. Or a deferred:
 * the next step waits for it. Its value is disposed of; its failure ends the task, so
 * torc_deferred_failed() says that a step has failed.
 */
typedef torc_deferred *torc_step_fn(void *context, bool *done);

TORC_BEGIN_DECLS

/**
 * Begin a task: its first step comes in the next turn. `dispose`, which may be NULL, is given the
 * context when no step comes any more. TORC_ERR_NO_MEMORY. Free it before the reactor.
 */
TORC_API torc_err torc_task_new(torc_reactor *reactor, torc_step_fn *step, void *context,
                                torc_dispose_fn *dispose, torc_task **task) TORC_MUST_CHECK;
/** No steps, until as many torc_task_resume(). A deferred that is waited for goes on. */
TORC_API void torc_task_pause(torc_task *task);
/** Not more often than it was paused. */
TORC_API void torc_task_resume(torc_task *task);
/** Whether it has ended: done, failed or stopped. */
TORC_API bool torc_task_has_ended(const torc_task *task);
/** No steps any more; what is waited for is cancelled. It ends with TORC_ERR_CANCELLED. Fine when
 * it has ended. */
TORC_API void torc_task_stop(torc_task *task);
/** Fires, with no value, when it is done; fails when a step has, or with TORC_ERR_CANCELLED. One
 * that waits at a time: another is TORC_ERR_BUSY. */
TORC_API torc_deferred *torc_task_ended(torc_task *task);
/** Stop it, and let go of it. From anywhere, its step and `dispose`, too. NULL is fine. */
TORC_API void torc_task_free(torc_task *task);

/** How long tasks, and fibers that breathe, may go on in a turn; at least 1. */
TORC_API void torc_cooperate_set_budget(torc_reactor *reactor, uint32_t budget_us);
/**
 * On a fiber: let everything else go first, if this turn has lasted longer than the budget; so call
 * it in a loop that computes. TORC_OK, or the reason of a cancel, which a loop is to end for.
 */
TORC_API torc_err torc_breathe(torc_reactor *reactor) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
