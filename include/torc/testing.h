/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_H
#define TORC_TESTING_H

#include <torc/reactor.h>

/**
 * Reactors for tests: time is moved by hand, and what the kernel and the allocator may refuse is
 * refused by number. In the library torc-testing. Requests without a socket are in
 * <torc/testing_request.h>.
 *
 *     torc_reactor *reactor;
 *     torc_err err = torc_test_reactor_new(NULL, &reactor);
 *     … arm a timer for 30 s …
 *     torc_test_advance(reactor, 29999);   (nothing has happened)
 *     torc_test_advance(reactor, 1);       (it has expired)
 *
 * Such a reactor never sleeps and never looks at the system's time. The functions below take one
 * that was made here.
 */

/** Kinds of system calls, see torc_test_fail_calls(). */
typedef enum torc_test_call {
    TORC_TEST_WAIT,     /* epoll_wait, poll */
    TORC_TEST_REGISTER, /* epoll_ctl */
    TORC_TEST_RECEIVE,
    TORC_TEST_SEND, /* send, sendmsg, sendfile */
    TORC_TEST_ACCEPT,
    TORC_TEST_CONNECT,
    TORC_TEST_OPEN,  /* of a file */
    TORC_TEST_READ,  /* of a file */
    TORC_TEST_WRITE, /* of a file */
    TORC_TEST_STAT,
    TORC_TEST_UNLINK,
    TORC_TEST_THREAD,  /* making one for the pool */
    TORC_TEST_WATCH,   /* of a folder, for changes */
    TORC_TEST_SPAWN,   /* of a process: its pipes, its terminal, itself */
    TORC_TEST_RESOLVE, /* of a name, by the system */
    TORC_TEST_RENAME,  /* of a file; making a folder */
    TORC_TEST_CALLS
} torc_test_call;

TORC_BEGIN_DECLS

/**
 * Make a reactor whose clock stands still, at 1994-11-06 08:49:37 UTC. `options` may be NULL.
 * torc_reactor_free() frees it.
 */
TORC_API torc_err torc_test_reactor_new(const torc_reactor_options *options,
                                        torc_reactor **reactor) TORC_MUST_CHECK;
/**
 * The same over a poller that completes everything later than it could, delivers after it was told
 * to stop, ends what is closed turns later, and has few and small buffers to receive into. What
 * works over this one relies on nothing but what is promised.
 */
TORC_API torc_err torc_test_reactor_new_late(const torc_reactor_options *options,
                                             torc_reactor **reactor) TORC_MUST_CHECK;
/**
 * Let `ms` milliseconds pass, turning at each moment at which a timer is due, and until nothing
 * more happens by itself.
 */
TORC_API void torc_test_advance(torc_reactor *reactor, uint64_t ms);
/** Move the clock and turn not at all: as if a callback took so long. */
TORC_API void torc_test_spend_us(torc_reactor *reactor, uint64_t us);
/** Set the clock on the wall, as an administrator may: monotonic time, and so timers, do not see
 * it. In seconds since 1970 UTC. */
TORC_API void torc_test_set_wall(torc_reactor *reactor, int64_t seconds);
/** Turn until nothing more happens by itself, without time, threads or peers. */
TORC_API void torc_test_settle(torc_reactor *reactor);
/** Turn, and sleep where necessary, until all jobs of the thread pool are done and told. */
TORC_API void torc_test_finish_jobs(torc_reactor *reactor);

/**
 * Let system calls of a kind fail with this errno: `times` of them, beginning with the n-th from
 * now on (1: the next). Replaces what was asked for this kind before; n 0: no more.
 */
TORC_API void torc_test_fail_calls(torc_reactor *reactor, torc_test_call call, uint64_t n,
                                   uint64_t times, int number);
/** Let each call of a kind transfer at most so many bytes; 0: as many as it can. */
TORC_API void torc_test_limit_calls(torc_reactor *reactor, torc_test_call call, size_t bytes_max);
/** How many system calls of a kind were made or failed since the last of the two calls above for
 * it. */
TORC_API uint64_t torc_test_call_count(const torc_reactor *reactor, torc_test_call call);
/** Let the n-th allocation from now on fail (1: the next; 0: none), and no other. */
TORC_API void torc_test_fail_allocation(torc_reactor *reactor, uint64_t n);
/** Whether that has happened. */
TORC_API bool torc_test_allocation_failed(const torc_reactor *reactor);

TORC_END_DECLS

#endif
