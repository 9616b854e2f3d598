/* SPDX-License-Identifier: MIT */
/*
 * The reactor's turn, its queue of calls, and its life.
 *
 *  - A turn is a list of phases; each is bounded, and what is left over makes the next turn not
 *    wait.
 *  - A posted call leaves the list before it runs, so it may post itself, or free what holds it; it
 *    then runs in a later round.
 *  - What was written because a flush made room is flushed in the same turn, so that the next may
 *    wait.
 *  - The clock is looked at when a turn begins and after its wait; within phases every few steps,
 *    and not at all while there are few (a look costs as much as a step).
 */
#include "reactor/reactor.h"
#include "base/options.h"

#include <assert.h>
#include <signal.h>
#include <time.h>

#include "base/alloc.h"
#include "base/monotonic.h"
#include "reactor/blocking_call.h"
#include "reactor/fiber.h"
#include "reactor/folder_watch.h"
#include "reactor/stall.h"
#include "reactor/thread_pool.h"

enum {
    FREE_PAGES = 1024, /* kept by the pool: 4 MiB */
    FREE_SEGMENTS = 4096,
    DELIVERIES = 128, /* rounds of deliver, queue, flush and retire in a turn */
    LOOK_AT_CLOCK_EVERY = 8,
    TURNS_TO_SETTLE = 1024
};

/* ---- time ---- */

static uint64_t system_monotonic_us(torc_clock *clock) {
    (void)clock;
    return torc_monotonic_us();
}

static int64_t system_wall_seconds(torc_clock *clock) {
    struct timespec now;

    (void)clock;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now.tv_sec;
}

static int64_t system_wall_us(torc_clock *clock) {
    struct timespec now;

    (void)clock;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void look_at_clock(torc_reactor *reactor) {
    reactor->now_us = reactor->clock->monotonic_us(reactor->clock);
    reactor->now_ms = reactor->now_us / 1000;
    reactor->looked_us = reactor->now_us;
}

static void look_at_clocks(torc_reactor *reactor) {
    look_at_clock(reactor);
    reactor->wall_seconds = reactor->clock->wall_seconds(reactor->clock);
}

uint64_t torc_reactor_now_ms(const torc_reactor *reactor) {
    return reactor->now_ms;
}

int64_t torc_reactor_wall_seconds(const torc_reactor *reactor) {
    return reactor->wall_seconds;
}

/* A look within a phase, to see whether its time is over; timers and others do not see it. */
static uint64_t look(torc_reactor *reactor) {
    reactor->looked_us = reactor->clock->monotonic_us(reactor->clock);
    return reactor->looked_us;
}

/* ---- calls ---- */

void torc_reactor_post(torc_reactor *reactor, torc_call *call) {
    if (!torc_list_has(&call->node)) torc_list_push(&reactor->calls, &call->node);
}

void torc_call_cancel(torc_call *call) {
    torc_list_remove(&call->node);
}

bool torc_call_is_posted(const torc_call *call) {
    return torc_list_has(&call->node);
}

void torc_reactor_call_from_thread(torc_reactor *reactor, torc_thread_call *call) {
    torc_thread_call *newest = atomic_load_explicit(&reactor->thread_calls, memory_order_relaxed);

    do {
        call->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&reactor->thread_calls, &newest, call,
                                                    memory_order_release, memory_order_relaxed));
    if (!newest) reactor->poller->ops->wake(reactor->poller);
}

/* Take over what threads posted, the oldest first. */
static void take_thread_calls(torc_reactor *reactor) {
    torc_thread_call *newest, *next;

    if (!atomic_load_explicit(&reactor->thread_calls, memory_order_relaxed)) return;
    newest = atomic_exchange_explicit(&reactor->thread_calls, NULL, memory_order_acquire);
    for (; newest; newest = next) {
        next = newest->next;
        newest->next = reactor->thread_calls_taken;
        reactor->thread_calls_taken = newest;
    }
}

/* Run what threads posted; what is left when the time is up goes first next time. */
static void run_thread_calls(torc_reactor *reactor, uint64_t until_us) {
    torc_thread_call *call;
    unsigned count = 0;

    if (!reactor->thread_calls_taken) take_thread_calls(reactor);
    while ((call = reactor->thread_calls_taken) != NULL) {
        reactor->thread_calls_taken = call->next;
        call->run(call);
        if (++count % LOOK_AT_CLOCK_EVERY == 0 && look(reactor) >= until_us) return;
    }
}

/* One round: the calls that are posted now. False when the time is up; the rest goes first next
 * time. */
static bool run_round(torc_reactor *reactor, uint64_t until_us) {
    torc_list round;
    torc_list_node *node;
    unsigned count = 0;

    torc_list_init(&round);
    torc_list_take(&round, &reactor->calls);
    while ((node = torc_list_pop(&round)) != NULL) {
        torc_call *call = torc_container_of(node, torc_call, node);
        torc_call_fn *const run = call->run;
        run(call);
        if (torc_stall_is_marked(reactor))
            torc_stall_tell(reactor, "call", (const void *)(uintptr_t)run, NULL);
        if (++count % LOOK_AT_CLOCK_EVERY == 0 && look(reactor) >= until_us) break;
    }
    reactor->counts.calls += count;
    if (torc_list_is_empty(&round)) return true;
    torc_list_take(&round, &reactor->calls);
    torc_list_take(&reactor->calls, &round);
    return false;
}

static void run_queue(torc_reactor *reactor) {
    const uint64_t until_us = reactor->looked_us + TORC_TURN_QUEUE_US;

    run_thread_calls(reactor, until_us);
    if (torc_list_is_empty(&reactor->calls)) return;
    if (!run_round(reactor, until_us)) return;
    for (int round = 1; round < TORC_TURN_ROUNDS && !torc_list_is_empty(&reactor->calls); round++)
        if (look(reactor) >= until_us || !run_round(reactor, until_us)) return;
}

/* ---- output ---- */

void torc_reactor_flush_later(torc_reactor *reactor, torc_flushable *flushable) {
    if (!torc_list_has(&flushable->node)) torc_list_push(&reactor->flushables, &flushable->node);
}

void torc_reactor_flush_next_turn(torc_reactor *reactor, torc_flushable *flushable) {
    if (!torc_list_has(&flushable->node))
        torc_list_push(&reactor->flushables_next, &flushable->node);
}

void torc_flushable_cancel(torc_flushable *flushable) {
    torc_list_remove(&flushable->node);
}

static void flush(torc_reactor *reactor) {
    torc_list round;
    torc_list_node *node;

    if (torc_list_is_empty(&reactor->flushables)) return;
    torc_list_init(&round);
    torc_list_take(&round, &reactor->flushables);
    while ((node = torc_list_pop(&round)) != NULL) {
        torc_flushable *flushable = torc_container_of(node, torc_flushable, node);
        flushable->flush(flushable);
    }
}

/* ---- the turn ---- */

bool torc_reactor_is_queued(const torc_reactor *reactor) {
    return !torc_list_is_empty(&reactor->calls) || !torc_list_is_empty(&reactor->flushables) ||
           !torc_list_is_empty(&reactor->flushables_next) || reactor->retired ||
           reactor->thread_calls_taken ||
           atomic_load_explicit(&reactor->thread_calls, memory_order_relaxed) ||
           reactor->poller->ops->has_completions(reactor->poller);
}

static int64_t time_to_wait(const torc_reactor *reactor, int64_t wait_ms) {
    const uint64_t soonest_ms = torc_timers_soonest_ms(reactor);

    if (reactor->stopping || torc_reactor_is_queued(reactor) || soonest_ms <= reactor->now_ms ||
        reactor->clock->is_moved)
        return 0;
    if (soonest_ms == UINT64_MAX) return wait_ms;
    const uint64_t until_ms = soonest_ms - reactor->now_ms;
    return wait_ms >= 0 && (uint64_t)wait_ms < until_ms ? wait_ms : (int64_t)until_ms;
}

int64_t torc_reactor_wait_ms(torc_reactor *reactor) {
    look_at_clock(reactor);
    return time_to_wait(reactor, -1);
}

/*
 * Tell completions, a few at a time so that the time can be looked at. Many in a row keep the
 * kernel's ways of receiving and of sending in the cache; but not so many that what they take is
 * not there any more when the next round takes it again.
 */
static size_t deliver(torc_reactor *reactor) {
    torc_poller *poller = reactor->poller;
    const uint64_t until_us = reactor->looked_us + TORC_TURN_DELIVER_US;
    const uint32_t pages_max = reactor->pages.used_count + TORC_TURN_PAGES;
    size_t count = 0, more;

    do {
        more = poller->ops->deliver(poller, LOOK_AT_CLOCK_EVERY);
        count += more;
    } while (more == LOOK_AT_CLOCK_EVERY && count < TORC_TURN_COMPLETIONS &&
             reactor->pages.used_count < pages_max && look(reactor) < until_us);
    reactor->counts.completions += count;
    return count;
}

/* For who looks whether it turns: odd while it waits. */
static void beat(torc_reactor *reactor, uint64_t part) {
    atomic_store_explicit(&reactor->beat, reactor->turns * 2 + part, memory_order_relaxed);
}

torc_err torc_reactor_turn(torc_reactor *reactor, int64_t wait_ms) {
    reactor->turns++;
    look_at_clock(reactor);
    torc_timers_expire(reactor);
    beat(reactor, 1);
    const torc_err err =
        reactor->poller->ops->wait(reactor->poller, time_to_wait(reactor, wait_ms));
    beat(reactor, 2);
    look_at_clocks(reactor);
    torc_list_take(&reactor->flushables, &reactor->flushables_next);
    for (int i = 0; i < DELIVERIES; i++) {
        const size_t delivered = deliver(reactor);
        if (i > 0 && delivered == 0 && torc_list_is_empty(&reactor->flushables)) break;
        run_queue(reactor);
        flush(reactor);
        torc_retire_all(
            reactor); /* now: the next requests take memory that is still in the cache */
    }
    if (torc_stall_is_marked(reactor)) torc_stall_tell(reactor, "a turn", NULL, NULL);
    return err;
}

torc_err torc_reactor_run(torc_reactor *reactor) {
    torc_err err = TORC_OK;

    assert(!reactor->running);
    reactor->running = true;
    torc_reactor_start(reactor);
    while (!reactor->stopping && !err) err = torc_reactor_turn(reactor, -1);
    torc_phases_end(reactor);
    reactor->running = reactor->stopping = false;
    return err;
}

void torc_reactor_stop(torc_reactor *reactor) {
    if (!torc_phases_stop(reactor)) reactor->stopping = true;
}

/* ---- life ---- */

static torc_reactor_options read_options(const torc_reactor_options *given) {
    torc_reactor_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    if (!options.fibers_max) options.fibers_max = 8192;
    if (!options.fiber_stack_size) options.fiber_stack_size = 65536;
    torc_threads_default(options.threads);
    if (!options.stop_ms) options.stop_ms = 10000;
    if (!options.deferred_reports) options.deferred_reports = TORC_DEFERRED_REPORTS;
    return options;
}

/* sendfile() raises SIGPIPE and cannot be told not to; a log that has reached the limit of a file's
 * size must not end the program. */
static void block_signals_of_writing(void) {
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigaddset(&set, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void init(torc_reactor *self, const torc_reactor_options *options, torc_clock *clock) {
    self->options = *options;
    torc_memory_init(&self->memory, options->memory_max);
    torc_page_pool_init(&self->pages, &self->memory, FREE_PAGES);
    torc_chain_pool_init(&self->chains, &self->pages, FREE_SEGMENTS);
    torc_coder_pool_init(&self->coders, &self->memory);
    torc_heap_init(&self->timers, torc_timer_before);
    torc_list_init(&self->calls);
    torc_list_init(&self->warmings);
    torc_list_init(&self->deferreds);
    torc_list_init(&self->children);
    torc_list_init(&self->signals);
    torc_list_init(&self->untaken);
    self->reports_deferreds = options->deferred_reports > 0;
    torc_list_init(&self->flushables);
    torc_list_init(&self->flushables_next);
    torc_list_init(&self->ios);
    torc_phases_init(self);
    torc_blocking_calls_init(self);
    self->retired_end = &self->retired;
    self->log = options->log;
    self->system_clock = (torc_clock){.monotonic_us = system_monotonic_us,
                                      .wall_seconds = system_wall_seconds,
                                      .wall_us = system_wall_us};
    self->clock = clock ? clock : &self->system_clock;
    look_at_clocks(self);
    torc_counts_register(self);
}

torc_err torc_reactor_new_over(const torc_reactor_options *given, torc_poller_new_fn *make,
                               torc_clock *clock, torc_reactor **reactor) {
    const torc_reactor_options options = read_options(given);
    torc_reactor *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    init(self, &options, clock);
    self->scratch = torc_alloc(&self->memory, TORC_MEMORY_INPUT, TORC_RECEIVE_SIZE);
    const torc_err err = self->scratch ? make(self, &self->poller) : TORC_ERR_NO_MEMORY;
    if (err) {
        torc_reactor_free(self);
        return err;
    }
    block_signals_of_writing();
    const torc_err stall_err = options.stall_ms ? torc_stall_start(self) : TORC_OK;
    if (stall_err) {
        torc_reactor_free(self);
        return stall_err;
    }
    *reactor = self;
    return TORC_OK;
}

torc_err torc_reactor_new(const torc_reactor_options *options, torc_reactor **reactor) {
    return torc_reactor_new_over(options, torc_poller_epoll_new, NULL, reactor);
}

/*
 * Let what was begun end: `closed` may take several turns, by the poller, and so do many fibers. A
 * bound, since somebody may post for ever.
 */
static void settle(torc_reactor *reactor) {
    for (int i = 0; i < TURNS_TO_SETTLE && torc_reactor_is_queued(reactor); i++)
        (void)!torc_reactor_turn(reactor, 0);
}

static void tell_guests(torc_reactor *reactor) {
    torc_reactor_guest *guest;

    while ((guest = reactor->guests) != NULL) {
        reactor->guests = guest->next;
        guest->reactor_freed(guest, reactor);
    }
}

void torc_reactor_trim(torc_reactor *reactor) {
    torc_fibers_trim(reactor);
    torc_page_pool_trim(&reactor->pages);
    torc_coder_pool_trim(&reactor->coders);
}

void torc_reactor_free(torc_reactor *reactor) {
    if (!reactor) return;
    assert(!reactor->running);
    torc_blocking_calls_stop(reactor);
    torc_stall_stop(reactor);
    if (reactor->poller) {
        reactor->is_ending = true;
        torc_deferreds_report(reactor);
        torc_fibers_cancel_all(reactor, TORC_ERR_STOPPING);
        torc_deferreds_cancel_all(reactor);
        settle(reactor);
        torc_threads_stop(reactor);
        settle(reactor);
        torc_ios_close(reactor, TORC_ERR_STOPPING);
        /* What was told so far may have gone on to wait for something else. */
        torc_deferreds_cancel_all(reactor);
        settle(reactor);
        torc_fibers_end_shields(reactor);
        settle(reactor);
        /* Who fires late, from a thread, is told that it is gone. */
        torc_deferreds_cancel_all(reactor);
        settle(reactor);
        torc_deferreds_free(reactor);
        reactor->poller->ops->free(reactor->poller);
    }
    tell_guests(reactor);
    torc_folder_watcher_free(reactor);
    torc_fibers_free(reactor);
    torc_threads_free(reactor);
    torc_blocking_calls_dispose(reactor);
    torc_dealloc(&reactor->memory, reactor->scratch);
    torc_coder_pool_dispose(&reactor->coders);
    torc_chain_pool_dispose(&reactor->chains);
    torc_page_pool_dispose(&reactor->pages);
    torc_dealloc(NULL, reactor);
}

torc_memory *torc_reactor_memory(torc_reactor *reactor) {
    return &reactor->memory;
}

torc_coder_pool *torc_reactor_coders(torc_reactor *reactor) {
    return &reactor->coders;
}

torc_metrics *torc_reactor_metrics(torc_reactor *reactor) {
    return reactor->metrics;
}

torc_log *torc_reactor_log(torc_reactor *reactor) {
    return reactor->log;
}
