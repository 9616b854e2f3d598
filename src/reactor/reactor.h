/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_REACTOR_H
#define TORC_REACTOR_REACTOR_H

#include <pthread.h>
#include <stdatomic.h>
#include <torc/coding.h>
#include <torc/reactor.h>
#include <torc/timer.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/page.h"
#include "reactor/chain.h"
#include "reactor/counts.h"
#include "reactor/deferred.h"
#include "reactor/phase.h"
#include "reactor/poller.h"
#include "reactor/retire.h"

/*
 * The inside of a reactor: what the sources of its layer share, and what outputs and tests ask of
 * it.
 */

/* An output that has something to send at the end of the turn. */
typedef struct torc_flushable torc_flushable;
struct torc_flushable {
    torc_list_node node;
    void (*flush)(torc_flushable *flushable);
};

/*
 * What a layer above keeps with a reactor (a cache, a pool of its own): embedded in it.
 * torc_reactor_free() calls `reactor_freed` when nothing runs any more and the memory is still
 * there.
 */
typedef struct torc_reactor_guest torc_reactor_guest;
struct torc_reactor_guest {
    torc_reactor_guest *next;
    void (*reactor_freed)(torc_reactor_guest *guest, torc_reactor *reactor);
};

/* Where the time comes from: the system's clocks, or a test's hand. */
typedef struct torc_clock torc_clock;
struct torc_clock {
    uint64_t (*monotonic_us)(torc_clock *clock);
    int64_t (*wall_seconds)(torc_clock *clock);
    bool is_moved;                         /* by hand: then nothing waits for it */
    int64_t (*wall_us)(torc_clock *clock); /* the same time; NULL: by the second */
};

/* See reactor/syscalls.h. */
typedef struct torc_sys_faults torc_sys_faults;

enum {
    TORC_TURN_TIMERS_US = 1000,      /* of timers that are due; the others go in the next turn */
    TORC_TURN_ROUNDS = 8,            /* of the queue phase */
    TORC_TURN_QUEUE_US = 1000,       /* or this long */
    TORC_TURN_COMPLETIONS = 32,      /* delivered before the queue is run and outputs are flushed */
    TORC_TURN_PAGES = 64,            /* or so many pages taken: more would leave the cache */
    TORC_TURN_DELIVER_US = 500,      /* or this long */
    TORC_TURN_SEND_MAX = 256 * 1024, /* bytes that a connection sends in a turn */
    TORC_RECEIVE_SIZE = 64 * 1024    /* the scratch buffer of the reactor */
};

struct torc_reactor {
    torc_memory memory;
    torc_page_pool pages;
    torc_chain_pool chains;
    torc_coder_pool coders;
    torc_log *log;
    torc_reactor_options options;
    torc_clock *clock;
    torc_clock system_clock;
    uint64_t now_us, now_ms;
    int64_t wall_seconds;
    torc_heap timers;
    uint64_t timers_armed; /* number of arms so far: the order of the newest */
    torc_list calls;       /* posted, in order */
    torc_list flushables;
    torc_list flushables_next; /* have sent what a turn allows */
    torc_retiree *retired, **retired_end;
    torc_poller *poller;
    torc_list ios; /* those that are open */
    char *scratch; /* TORC_RECEIVE_SIZE bytes into which the poller receives */
    _Atomic(torc_thread_call *) thread_calls; /* posted by threads, newest first */
    torc_thread_call *thread_calls_taken;     /* of those, what is being run, oldest first */
    struct torc_thread_pool *threads[TORC_THREAD_CLASSES]; /* NULL until the first job of each */
    struct torc_names *names;                   /* NULL until transport first looks up a name */
    struct torc_net *net;                       /* a test's; NULL: the system's */
    struct torc_fiber_pool *fibers;             /* NULL until the first fiber */
    struct torc_ticket_pool *tickets;           /* NULL until the first ticket */
    struct torc_folder_watcher *folder_watcher; /* NULL until the first watch */
    struct torc_file_caches *file_caches;       /* NULL until web first finds a file */
    torc_list warmings;                         /* of transport/file_warmer.c */
    struct torc_outgoing_pool *outgoings;       /* NULL until a transport first sends */
    struct torc_tls_local *tls;                 /* NULL until a connection has TLS */
    struct torc_date_cache *date;               /* NULL until http first needs the Date field */
    torc_metrics *metrics;                      /* the registry of this reactor's counters */
    torc_counts counts;                         /* of the reactor itself */
    torc_sys_faults *sys_faults;                /* a test's; NULL otherwise */
    torc_list deferreds;                        /* that have not fired */
    torc_list untaken;                          /* that have, and no consumer is known */
    torc_told told;                             /* the failure that is being told */
    torc_list signals;                          /* that are watched: signal.c */
    torc_list children;                         /* processes that were not waited for */
    uint64_t files_before;      /* soft limit of descriptors that children get back; 0: as it is */
    torc_deferred no_memory;    /* what stands for one that could not be made */
    torc_reactor_guest *guests; /* newest first */
    uint64_t turns;
    uint64_t looked_us;                 /* the last look at the clock in this turn's phases */
    torc_phase_lists phases;            /* of its start and stop */
    struct torc_cooperator *cooperator; /* NULL until the first task */
    uint32_t slice_us;                  /* of tasks; 0: the default */
    pthread_t thread;                   /* it was made in this one */
    pthread_mutex_t blocking_mutex;     /* of the next three, and of what is in the list */
    torc_list blocking_calls;           /* threads that wait for this one */
    bool refuses_blocking_calls;
    uint32_t blocking_inside;     /* threads that are in a call, whether it has ended or not */
    pthread_cond_t blocking_left; /* no thread is any more */
    _Atomic(uint64_t) beat;       /* see stall.c */
    _Atomic(bool) is_stalled;     /* somebody holds it too long: whoever sees it tells */
    struct torc_stall *stall;     /* NULL: nobody looks */
    const void *described_code;   /* a function of fibers, of whose argument `describe` can tell */
    void (*describe)(void *argument, char *text, size_t size);
    bool running, stopping;
    bool has_stdio;           /* the standard streams were taken, see torc/stdio.h */
    bool has_stopped_threads; /* it is being freed */
    bool is_ending;           /* it is being freed */
    bool reports_deferreds;   /* failures that nobody takes, and what never fires */
};

/* Give back what is kept for later: pages and stacks that nobody uses. For when memory is short. */
void torc_reactor_trim(torc_reactor *reactor);
/* As torc_reactor_new(), over another poller and clock: `make` gets the reactor, all else made. */
typedef torc_err torc_poller_new_fn(torc_reactor *reactor, torc_poller **poller);
torc_err torc_reactor_new_over(const torc_reactor_options *options, torc_poller_new_fn *make,
                               torc_clock *clock, torc_reactor **reactor) TORC_MUST_CHECK;
/* Be told when the reactor is freed. Cannot be taken back. */
static inline void torc_reactor_add_guest(torc_reactor *reactor, torc_reactor_guest *guest) {
    guest->next = reactor->guests;
    reactor->guests = guest;
}
/* Flush it at the end of this turn; once, however often it is asked. */
void torc_reactor_flush_later(torc_reactor *reactor, torc_flushable *flushable);
/* The same in the next turn: for an output that has sent what a turn allows. */
void torc_reactor_flush_next_turn(torc_reactor *reactor, torc_flushable *flushable);
void torc_flushable_cancel(torc_flushable *flushable);
/* Whether anything is to be done without waiting. */
bool torc_reactor_is_queued(const torc_reactor *reactor);
/* The order of the heap of timers. */
bool torc_timer_before(const torc_heap_node *a, const torc_heap_node *b);
/* The timer phase, and the time of the soonest timer (UINT64_MAX: none). */
void torc_timers_expire(torc_reactor *reactor);
uint64_t torc_timers_soonest_ms(const torc_reactor *reactor);

#endif
