/* SPDX-License-Identifier: MIT */
/*
 * Fibers: their stacks, their turns and their waits.
 *
 *  - A fiber stands at the top of its stack's mapping; a page below the stack is guarded.
 *  - A fiber is suspended, or runs, or stands under the one that it started (`resumer` of that). Of
 * one reactor, only `current` runs; NULL is the reactor's own stack. A fiber that suspends itself
 * or ends goes back to its resumer.
 *  - A suspended fiber goes on by `call` alone, which is posted by the end of its wait, or when it
 * was spawned.
 *  - A wait ends once. When it is cancelled, `cancel` is called once, and the wait may still end
 * with another result.
 *  - A fiber that has ended is recycled by whoever it went back to, unless somebody may still join
 * it.
 *  - Stacks are counted as FIBER memory while they are mapped. At most FREE_MAX wait for use, hot
 * ones first.
 */
#include "reactor/fiber.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/poison.h"
#include "reactor/context.h"

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef VALGRIND_STACK_REGISTER
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

enum {
    FREE_MAX = 512,   /* stacks that are kept for the next fibers */
    QUICK_WAITS = 16, /* in a row, before a fiber yields */
    STACK_MIN = 16384
};

struct torc_fiber {
    torc_context context;
    torc_fiber *resumer;
    torc_reactor *reactor;
    torc_fiber_fn *run;
    void *argument;
    torc_wait *wait;   /* that it is suspended for */
    torc_wait *joiner; /* who waits for its end */
    torc_call call;
    torc_list_node node; /* among all that are mapped */
    torc_fiber *next;    /* among the free */
    char *mapping;
    unsigned valgrind_id;
    struct {
        int16_t cancelled; /* the reason; TORC_OK: it was not */
        uint16_t shields;
        uint8_t quick_waits;
        bool is_suspended;
        bool is_live;     /* it has not ended */
        bool is_joinable; /* somebody has a handle */
    } now;
};

typedef struct torc_fiber_pool {
    torc_fiber *current;
    torc_context own; /* the reactor's stack */
    torc_fiber *free;
    uint32_t free_count, live_count;
    torc_list mapped;
    size_t mapping_size, guard_size;
} torc_fiber_pool;

/* ---- stacks ---- */

static void run_resume(torc_call *call);

/* Apart from the quick path, whose registers it would take. */
__attribute__((noinline, cold)) static torc_fiber_pool *make_pool(torc_reactor *reactor) {
    torc_fiber_pool *pool = torc_alloc_zero(&reactor->memory, TORC_MEMORY_FIBER, 1, sizeof(*pool));
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t wanted = reactor->options.fiber_stack_size;
    const size_t size = wanted < STACK_MIN ? STACK_MIN : wanted;

    if (!pool) return NULL;
    pool->guard_size = page;
    pool->mapping_size = (size + page - 1) / page * page + page;
    torc_list_init(&pool->mapped);
    reactor->fibers = pool;
    return pool;
}

static torc_fiber_pool *pool_of(torc_reactor *reactor) {
    return reactor->fibers ? reactor->fibers : make_pool(reactor);
}

static void unmap(torc_fiber_pool *pool, torc_fiber *fiber) {
    torc_memory *memory = &fiber->reactor->memory;

    VALGRIND_STACK_DEREGISTER(fiber->valgrind_id);
    torc_list_remove(&fiber->node);
    torc_unpoison(fiber->mapping, pool->mapping_size);
    munmap(fiber->mapping, pool->mapping_size);
    torc_memory_discharge(memory, TORC_MEMORY_FIBER, pool->mapping_size);
}

static torc_fiber *place(torc_reactor *reactor, torc_fiber_pool *pool, char *mapping) {
    char *const end = mapping + pool->mapping_size;
    torc_fiber *fiber = (torc_fiber *)(void *)(end - (sizeof(torc_fiber) + 63) / 64 * 64);

    *fiber = (torc_fiber){
        .reactor = reactor,
        .mapping = mapping,
        .call = {.run = run_resume},
        .context = {.bottom = mapping + pool->guard_size,
                    .size = (size_t)((char *)fiber - mapping) - pool->guard_size},
    };
    torc_list_push(&pool->mapped, &fiber->node);
    fiber->valgrind_id = VALGRIND_STACK_REGISTER(mapping + pool->guard_size, fiber);
    return fiber;
}

__attribute__((noinline, cold)) static torc_fiber *map(torc_reactor *reactor,
                                                       torc_fiber_pool *pool) {
    const size_t size = pool->mapping_size;
    char *mapping;

    if (torc_memory_charge(&reactor->memory, TORC_MEMORY_FIBER, size)) return NULL;
    mapping = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping != MAP_FAILED && mprotect(mapping, pool->guard_size, PROT_NONE) == 0)
        return place(reactor, pool, mapping);
    if (mapping != MAP_FAILED) munmap(mapping, size);
    torc_memory_discharge(&reactor->memory, TORC_MEMORY_FIBER, size);
    return NULL;
}

static torc_fiber *take_stack(torc_reactor *reactor, torc_fiber_pool *pool) {
    torc_fiber *fiber = pool->free;

    if (!fiber) return map(reactor, pool);
    pool->free = fiber->next;
    pool->free_count--;
    torc_unpoison(fiber->context.bottom, fiber->context.size);
    return fiber;
}

static void give_stack(torc_fiber_pool *pool, torc_fiber *fiber) {
    if (pool->free_count == FREE_MAX) {
        unmap(pool, fiber);
        return;
    }
    fiber->next = pool->free;
    pool->free = fiber;
    pool->free_count++;
}

/* ---- turns ---- */

static torc_context *context_of(torc_fiber_pool *pool, torc_fiber *fiber) {
    return fiber ? &fiber->context : &pool->own;
}

static void change_stack(torc_context *from, torc_context *to, bool for_ever) {
    torc_context_leave(from, to, for_ever);
    torc_context_swap(&from->sp, to->sp);
    torc_context_entered(from, to);
}

static void recycle(torc_fiber *fiber) {
    give_stack(fiber->reactor->fibers, fiber);
}

/* Let a fiber go on, on top of this stack, until it is suspended or has ended. */
static void resume(torc_fiber *fiber) {
    torc_fiber_pool *pool = fiber->reactor->fibers;

    fiber->now.is_suspended = false;
    fiber->resumer = pool->current;
    pool->current = fiber;
    change_stack(context_of(pool, fiber->resumer), &fiber->context, false);
    if (fiber->now.is_live) return;
    torc_context_gone(&fiber->context);
    if (!fiber->now.is_joinable) recycle(fiber);
}

static void run_resume(torc_call *call) {
    resume(torc_container_of(call, torc_fiber, call));
}

/* Go back to whoever resumed this fiber, until it is resumed again. */
static void suspend(torc_fiber *fiber) {
    torc_fiber_pool *pool = fiber->reactor->fibers;

    fiber->now.is_suspended = true;
    pool->current = fiber->resumer;
    change_stack(&fiber->context, context_of(pool, fiber->resumer), false);
}

static void end(torc_fiber *fiber) {
    torc_fiber_pool *pool = fiber->reactor->fibers;

    if (fiber->joiner) torc_wait_end(fiber->joiner, TORC_OK);
    pool->live_count--;
    fiber->now.is_live = false;
    pool->current = fiber->resumer;
    change_stack(&fiber->context, context_of(pool, fiber->resumer), true);
}

static void enter(void *argument) {
    torc_fiber *fiber = argument;

    torc_context_entered(&fiber->context, context_of(fiber->reactor->fibers, fiber->resumer));
    fiber->run(fiber->argument);
    end(fiber);
}

/* A fiber that has not begun. */
__attribute__((always_inline)) static inline torc_err
make(torc_reactor *reactor, torc_fiber_fn *run, void *context, torc_fiber **made) {
    torc_fiber_pool *pool = pool_of(reactor);
    torc_fiber *fiber;

    if (!pool) return TORC_ERR_NO_MEMORY;
    if (pool->live_count >= reactor->options.fibers_max) return TORC_ERR_LIMIT;
    fiber = take_stack(reactor, pool);
    if (!fiber) return TORC_ERR_NO_MEMORY;

    fiber->run = run;
    fiber->argument = context;
    fiber->wait = NULL;
    fiber->joiner = NULL;
    memset(&fiber->now, 0, sizeof(fiber->now));
    fiber->now.is_suspended = fiber->now.is_live = true;
    pool->live_count++;
    fiber->context.sp = torc_context_prepare(fiber, enter, fiber);
    torc_context_made(&fiber->context);
    *made = fiber;
    return TORC_OK;
}

torc_fiber *torc_fiber_current(const torc_reactor *reactor) {
    return reactor->fibers ? reactor->fibers->current : NULL;
}

bool torc_fiber_is_here(const torc_reactor *reactor) {
    return torc_fiber_current(reactor) != NULL;
}

torc_err torc_fiber_start(torc_reactor *reactor, torc_fiber_fn *run, void *context,
                          torc_fiber **fiber) {
    torc_fiber *made;
    const torc_err err = make(reactor, run, context, &made);

    if (err) return err;
    *fiber = made;
    resume(made);
    return TORC_OK;
}

torc_err torc_fiber_spawn(torc_reactor *reactor, torc_fiber_fn *run, void *context,
                          torc_fiber **fiber) {
    torc_fiber *made;
    const torc_err err = make(reactor, run, context, &made);

    if (err) return err;
    made->now.is_joinable = fiber != NULL;
    if (fiber) *fiber = made;
    torc_reactor_post(reactor, &made->call);
    return TORC_OK;
}

/* ---- waits ---- */

void torc_wait_end(torc_wait *wait, torc_err result) {
    assert(!wait->has_ended);
    wait->has_ended = true;
    wait->result = result;
    if (wait->fiber && wait->fiber->now.is_suspended)
        torc_reactor_post(wait->fiber->reactor, &wait->fiber->call);
}

static void cancel_wait(torc_wait *wait, torc_err reason) {
    if (wait->has_ended || wait->is_cancelled) return;
    wait->is_cancelled = true;
    wait->cancel(wait, reason);
}

torc_err torc_fiber_wait(torc_reactor *reactor, torc_wait *wait, torc_wait_cancel_fn *cancel) {
    torc_fiber *fiber = torc_fiber_current(reactor);

    assert(fiber && "waiting needs a fiber");
    wait->fiber = fiber;
    wait->cancel = cancel;
    fiber->wait = wait;
    fiber->now.quick_waits = 0;
    if (fiber->now.cancelled && !fiber->now.shields)
        cancel_wait(wait, (torc_err)fiber->now.cancelled);
    if (!wait->has_ended) suspend(fiber);
    fiber->wait = NULL;
    return wait->result;
}

void torc_fiber_cancel(torc_fiber *fiber, torc_err reason) {
    assert(reason != TORC_OK);
    if (!fiber->now.is_live) return;
    if (!fiber->now.cancelled) fiber->now.cancelled = (int16_t)reason;
    if (fiber->wait && !fiber->now.shields)
        cancel_wait(fiber->wait, (torc_err)fiber->now.cancelled);
}

torc_err torc_fiber_did_not_wait(torc_reactor *reactor) {
    torc_fiber *fiber = torc_fiber_current(reactor);

    if (!fiber || ++fiber->now.quick_waits < QUICK_WAITS) return TORC_OK;
    fiber->now.quick_waits = 0;
    return torc_yield(reactor);
}

void torc_shield_begin(torc_reactor *reactor) {
    torc_fiber_current(reactor)->now.shields++;
}

void torc_shield_end(torc_reactor *reactor) {
    assert(torc_fiber_current(reactor)->now.shields > 0);
    torc_fiber_current(reactor)->now.shields--;
}

typedef struct sleeping {
    torc_wait wait;
    torc_timer timer;
} sleeping;

static void expired(torc_timer *timer) {
    sleeping *self = torc_container_of(timer, sleeping, timer);
    torc_wait_end(&self->wait, TORC_OK);
}

static void cancel_sleep(torc_wait *wait, torc_err reason) {
    sleeping *self = torc_container_of(wait, sleeping, wait);

    torc_timer_cancel(&self->timer);
    torc_wait_end(wait, reason);
}

torc_err torc_sleep(torc_reactor *reactor, uint64_t delay_ms) {
    sleeping self = {0};

    torc_timer_init(&self.timer, reactor, expired);
    torc_timer_arm(&self.timer, delay_ms);
    return torc_fiber_wait(reactor, &self.wait, cancel_sleep);
}

typedef struct yielding {
    torc_wait wait;
    torc_call call;
} yielding;

static void run_yielded(torc_call *call) {
    yielding *self = torc_container_of(call, yielding, call);
    torc_wait_end(&self->wait, TORC_OK);
}

static void cancel_yield(torc_wait *wait, torc_err reason) {
    yielding *self = torc_container_of(wait, yielding, wait);

    torc_call_cancel(&self->call);
    torc_wait_end(wait, reason);
}

torc_err torc_yield(torc_reactor *reactor) {
    yielding self = {.call = {.run = run_yielded}};

    torc_reactor_post(reactor, &self.call);
    return torc_fiber_wait(reactor, &self.wait, cancel_yield);
}

/* ---- the end ---- */

typedef struct joining {
    torc_wait wait;
    torc_fiber *fiber;
} joining;

static void cancel_join(torc_wait *wait, torc_err reason) {
    torc_container_of(wait, joining, wait)->fiber->joiner = NULL;
    torc_wait_end(wait, reason);
}

torc_err torc_fiber_join(torc_fiber *fiber) {
    joining self = {.fiber = fiber};

    assert(fiber->now.is_joinable && !fiber->joiner);
    if (fiber->now.is_live) {
        fiber->joiner = &self.wait;
        const torc_err err = torc_fiber_wait(fiber->reactor, &self.wait, cancel_join);
        if (err) return err;
    }
    recycle(fiber);
    return TORC_OK;
}

void torc_fiber_detach(torc_fiber *fiber) {
    if (!fiber) return;
    assert(fiber->now.is_joinable);
    fiber->now.is_joinable = false;
    if (!fiber->now.is_live) recycle(fiber);
}

bool torc_fiber_has_ended(const torc_fiber *fiber) {
    return !fiber->now.is_live;
}

void torc_fibers_cancel_all(torc_reactor *reactor, torc_err reason) {
    torc_list_node *node;

    if (!reactor->fibers) return;
    torc_list *mapped = &reactor->fibers->mapped;
    for (node = torc_list_first(mapped); node; node = torc_list_next(mapped, node))
        torc_fiber_cancel(torc_container_of(node, torc_fiber, node), reason);
}

void torc_fibers_free(torc_reactor *reactor) {
    torc_fiber_pool *pool = reactor->fibers;
    torc_list_node *node;

    if (!pool) return;
    while ((node = torc_list_first(&pool->mapped)) != NULL)
        unmap(pool, torc_container_of(node, torc_fiber, node));
    reactor->fibers = NULL;
    torc_dealloc(&reactor->memory, pool);
}
