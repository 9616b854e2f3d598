/* SPDX-License-Identifier: MIT */
#ifndef TORC_THREAD_H
#define TORC_THREAD_H

#include <torc/reactor.h>

/**
 * Work for threads: what would hold the reactor (a file, a library that blocks, long computing).
 *
 * A reactor has a pool for each torc_thread_class, of at most `threads_max` threads, made when they
 * are needed, and a queue of at most `queue_max` jobs in front of it. A job is a member of the
 * object that needs it. Its `work` runs on a thread and may touch nothing but what belongs to the
 * job; its `done` runs on the reactor's thread afterwards.
 *
 * A job that has started cannot be stopped. So it must own what it works on, and never be on a
 * fiber's stack: torc_await_thread() and torc_defer_to_thread() take care of both. A reactor that
 * is freed waits for the jobs that have started. One that may take very long can be left behind
 * instead, if it has a `left`: then `done` is told TORC_ERR_STOPPING while `work` still runs, with
 * `is_left` set, and `left` is called on the thread when it has returned. What the two share goes
 * with the last of them, which takes an atomic counter.
 */
typedef struct torc_job torc_job;
typedef void torc_job_fn(torc_job *job);
struct torc_job {
    torc_job_fn *work; /* on a thread of the pool */
    torc_job_fn *done; /* on the reactor's: the job is its owner's again */
    torc_err
        err; /* for `done`: TORC_ERR_STOPPING when the reactor was freed before `work` could end */
    torc_thread_class thread_class; /* zero: TORC_THREAD_FILE */
    torc_job_fn *left;              /* on the thread, when the reactor has gone; NULL: it waits */
    bool is_left;                   /* for `done`: `left` will be called, or was */
    torc_reactor *reactor;          /* private, as all that follows */
    torc_thread_call call;
    torc_list_node node;
};

/** What torc_await_thread() runs, on a thread; the answer is its caller's. */
typedef torc_err torc_thread_fn(void *data);

TORC_BEGIN_DECLS

/**
 * Give a job to the pool. TORC_ERR_BUSY when the queue is full, TORC_ERR_NO_MEMORY or
 * TORC_ERR_LIMIT when there is no thread and none can be made; then `done` is not called.
 */
TORC_API torc_err torc_job_submit(torc_reactor *reactor, torc_job *job) TORC_MUST_CHECK;
/** Take back a job that no thread has begun: `done` is not called. False: it will be. */
TORC_API bool torc_job_withdraw(torc_job *job);
/** The same, of a job whose result nobody needs any more: one that has begun is counted so. */
TORC_API bool torc_job_abandon(torc_job *job);

/**
 * On a fiber: run a function on a thread and wait for its answer. It works on a copy of the `size`
 * bytes at `data`, which is copied back when it has returned. If the fiber is cancelled meanwhile,
 * this returns the reason at once, and the copy is disposed of when the function has returned: by
 * `dispose`, on the reactor's thread, which may be NULL. For the same with a callback see
 * torc_defer_to_thread(). Fails as torc_job_submit().
 */
TORC_API torc_err torc_await_thread(torc_reactor *reactor, torc_thread_class thread_class,
                                    torc_thread_fn *run, void *data, size_t size,
                                    void (*dispose)(void *data)) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
