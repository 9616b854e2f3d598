/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_H
#define TORC_REACTOR_H

#include <torc/err.h>
#include <torc/memory.h>
#include <torc/metrics.h>

/**
 * The reactor: one thread's loop over time, I/O and calls.
 *
 * A turn runs the timers that are due, waits for I/O (not at all when anything is queued), delivers
 * completions, runs posted calls and fired deferreds, flushes outputs, and retires what was closed:
 * these four in short rounds, until nothing of the turn is left.
 * Each phase is bounded, so that nothing can hold the loop for ever.
 *
 * Everything made on a reactor belongs to the thread that runs it; the functions of this header are
 * called in that thread, but for torc_reactor_call_from_thread(), which any thread may call. There
 * may be several reactors in a process, each in a thread of its own: nothing is shared.
 *
 * fork(): a child shares the kernel's objects of its parent's reactors and has none of their
 * threads. So it may use no reactor that was made before the fork, nor anything made on one, and
 * does not free it either; what it may do is exec, or make a reactor of its own. The parent goes on
 * as before. A program of several processes makes its reactors after its forks, as torc_app_run()
 * does. All descriptors of the library are closed by exec.
 *
 * torc_reactor_new() blocks SIGPIPE in the mask of the calling thread (sendfile() raises it and has
 * no flag against it), and SIGXFSZ (a file that may grow no more is an error, not the end). The
 * library installs no signal handlers and never exits or prints.
 */

/** A call to be made by the reactor: embedded in the object that asks, so posting cannot fail. */
typedef struct torc_call torc_call;
typedef void torc_call_fn(torc_call *call);
struct torc_call {
    torc_call_fn *run;
    torc_list_node node; /* private */
};

/** A call handed over by any thread. Owned by the reactor from posting until `run` is entered. */
typedef struct torc_thread_call torc_thread_call;
typedef void torc_thread_call_fn(torc_thread_call *call);
struct torc_thread_call {
    torc_thread_call_fn *run;
    struct torc_thread_call *next; /* private */
};

/** For what a reactor's threads are; each class has threads and a queue of its own, so that none
 * can hold up another. */
typedef enum torc_thread_class {
    TORC_THREAD_FILE, /* what waits for a disk; the library's own reads and writes, too */
    TORC_THREAD_NAME, /* look-ups of names, which wait for a server somewhere */
    TORC_THREAD_CPU,  /* what computes and does not wait */
    TORC_THREAD_USER, /* the program's blocking calls */
    TORC_THREAD_CLASSES
} torc_thread_class;

/** How much a class of threads may take. Zero: the default. */
typedef struct torc_thread_limits {
    uint32_t threads_max; /* made when first needed; 4, 8, the number of processors, 10 */
    uint32_t queue_max;   /* jobs waiting for a thread, 1024; then TORC_ERR_BUSY */
} torc_thread_limits;

/** How a reactor is made; `size` first, so that new members do not break the ABI. Zero: default. */
typedef struct torc_reactor_options {
    size_t size;               /* sizeof(torc_reactor_options) */
    size_t memory_max;         /* bytes of all that is allocated for the reactor; 0: no limit */
    uint32_t fibers_max;       /* 8192; the fiber beyond it is refused with TORC_ERR_LIMIT */
    uint32_t fiber_stack_size; /* bytes, 65536; rounded up to whole pages */
    torc_thread_limits threads[TORC_THREAD_CLASSES]; /* of the pool for blocking work */
    int32_t deferred_reports; /* 1: name failures that nobody takes, and deferreds that have never
                                 fired when the reactor is freed; -1: do not; 0: in debug builds */
    uint32_t stop_ms;  /* that what is to be done before the stop may take (torc/phase.h), 10,000 */
    uint32_t stall_ms; /* what holds the reactor longer is named in the log; 0: is not looked for */
    torc_log *log;     /* where the reactor reports; NULL: nowhere. Must outlive it */
} torc_reactor_options;

/** How much is open on a reactor: what would keep it busy, or somebody waiting. */
typedef struct torc_reactor_open {
    size_t ios;       /* listeners, connections, pipes, watched descriptors */
    size_t timers;    /* that are armed */
    size_t fibers;    /* that have not ended */
    size_t deferreds; /* that have not fired, or that nobody has taken */
    size_t calls;     /* that are posted */
} torc_reactor_open;

TORC_BEGIN_DECLS

/**
 * Make a reactor for the calling thread. `options` may be NULL. Fails with TORC_ERR_NO_MEMORY or
 * what the kernel refused (TORC_ERR_FILE_TABLE_FULL, TORC_ERR_SYSTEM).
 */
TORC_API torc_err torc_reactor_new(const torc_reactor_options *options,
                                   torc_reactor **reactor) TORC_MUST_CHECK;
/**
 * Close what is still open, tell its owners, and free the reactor. Not while it runs. Fibers that
 * wait are cancelled first. NULL is fine.
 */
TORC_API void torc_reactor_free(torc_reactor *reactor);
/** Turn until torc_reactor_stop() is called. TORC_ERR_SYSTEM when waiting itself is impossible. */
TORC_API torc_err torc_reactor_run(torc_reactor *reactor) TORC_MUST_CHECK;
/** Let torc_reactor_run() return: at the end of this turn, or after the phases of its stop, if it
 * has any (torc/phase.h). Only marks: safe anywhere in its thread. */
TORC_API void torc_reactor_stop(torc_reactor *reactor);
/** One turn, waiting at most `wait_ms` for I/O or a timer; -1 waits as long as it takes. */
TORC_API torc_err torc_reactor_turn(torc_reactor *reactor, int64_t wait_ms) TORC_MUST_CHECK;
/** Count what is open; in steps as many as that is, so for tests and reports. */
TORC_API torc_reactor_open torc_reactor_count_open(const torc_reactor *reactor);
/** Milliseconds of monotonic time at the last look, which each turn takes. */
TORC_API uint64_t torc_reactor_now_ms(const torc_reactor *reactor);
/** Seconds since 1970 UTC at the last look. */
TORC_API int64_t torc_reactor_wall_seconds(const torc_reactor *reactor);
TORC_API torc_memory *torc_reactor_memory(torc_reactor *reactor);
/** Coders of bodies that wait to be used again: see <torc/coding.h>. */
TORC_API torc_coder_pool *torc_reactor_coders(torc_reactor *reactor);
/** The registry of what is counted on this reactor: its turns, its memory, what stands above. */
TORC_API torc_metrics *torc_reactor_metrics(torc_reactor *reactor);
/** The log given in the options, or NULL. */
TORC_API torc_log *torc_reactor_log(torc_reactor *reactor);
/** Run `call` in the queue phase of this turn or the next. One that is posted already stays. */
TORC_API void torc_reactor_post(torc_reactor *reactor, torc_call *call);
/** Take back a posted call. One that is not posted is left alone. */
TORC_API void torc_call_cancel(torc_call *call);
/** Whether the call is posted and has not run. */
TORC_API bool torc_call_is_posted(const torc_call *call);
/**
 * Any thread: run `call` on the reactor's thread, soon. Lock-free; calls of one thread run in their
 * order. The reactor must not be freed meanwhile (see tickets for what may be late).
 */
TORC_API void torc_reactor_call_from_thread(torc_reactor *reactor, torc_thread_call *call);

TORC_END_DECLS

#endif
