/* SPDX-License-Identifier: MIT */
/*
 * Fibers: their stacks, their turns and their waits.
 *
 *  - A fiber stands at the top of its stack's mapping; a page below the stack is guarded.
 *  - Below the fiber stands one frame of enter(), which never returns: it runs one function after
 *    another. So a stack is prepared once, and taking it again is a matter of its fields.
 *  - A fiber is suspended, or runs, or stands under the one that it started (`resumer` of that). Of
 *    one reactor, only `current` runs; NULL is the reactor's own stack. A fiber that suspends
 *    itself or ends goes back to its resumer.
 *  - A suspended fiber goes on by `call` alone, which is posted by the end of its wait, or when it
 *    was spawned.
 *  - A deadline costs nothing until a wait begins under it that has not ended: then its timer is
 *    armed. Of several the innermost is never the later.
 *  - A wait ends once. When it is cancelled, `cancel` is called once, and the wait may still end
 *    with another result.
 *  - A fiber that has ended is recycled by whoever it went back to, unless somebody may still join
 *    it.
 *  - Stacks are counted as FIBER memory while they are mapped. Of those that wait for use, HOT_MAX
 *    keep their pages, and the one that was used last is the next; COLD_MAX more have given theirs
 *    back, all but what enter() stands on.
 *  - `fibers_max` is never 0, but when the reactor is being freed.
 */
#include "reactor/fiber.h"

#include <assert.h>
#include <execinfo.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/poison.h"
#include "reactor/context.h"
#include "reactor/stall.h"

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
    HOT_MAX = 64,     /* stacks that are kept, with their pages, for the next fibers */
    COLD_MAX = 448,   /* more of them, without pages; beyond, they are unmapped */
    QUICK_WAITS = 16, /* in a row, before a fiber yields */
    FRAMES_MAX = 32,
    FRAMES_ROOM = 16384, /* of its stack, to look at what stands on it */
    STACK_MIN = 16384
};

struct torc_fiber {
    torc_context context;
    torc_fiber *resumer;
    struct torc_fiber_pool *pool;
    torc_fiber_fn *run;
    void *argument;
    torc_wait *wait;         /* that it is suspended for */
    torc_wait *joiner;       /* who waits for its end */
    torc_deadline *deadline; /* the innermost, which is the narrowest; NULL: none */
    torc_deadline inherited; /* the outermost, of one that was spawned under another's */
    torc_call call;
    torc_list_node node; /* among all that are mapped */
    torc_fiber *next;    /* among the hot or the cold */
    char *mapping;
    unsigned valgrind_id;
    torc_err result;
    struct {
        int16_t cancelled; /* the reason; TORC_OK: it was not */
        uint16_t shields;
        uint8_t quick_waits;
        bool is_suspended;
        bool is_live;     /* it has not ended */
        bool is_joinable; /* somebody has a handle */
    } now;
};

/* A look at the stack of a fiber that is suspended, made on that stack. */
typedef struct frames {
    void *at[FRAMES_MAX];
    int count;
} frames;

typedef struct torc_fiber_pool {
    torc_reactor *reactor;
    torc_fiber *current;
    torc_context own; /* the reactor's stack */
    torc_fiber *hot, *cold;
    uint32_t hot_count, cold_count, live_count;
    torc_list mapped;
    size_t mapping_size, page_size;
    frames *looking;      /* a fiber goes on for this alone; NULL: to go on */
    bool ignores_shields; /* the reactor is being freed, and what could be waited for has ended */
} torc_fiber_pool;

/* ---- stacks ---- */

static void run_resume(torc_call *call);
static void enter(void *argument);

/* Apart from the quick path, whose registers it would take; as all that is marked so. */
__attribute__((noinline, cold)) static torc_fiber_pool *make_pool(torc_reactor *reactor) {
    torc_fiber_pool *pool = torc_alloc_zero(&reactor->memory, TORC_MEMORY_FIBER, 1, sizeof(*pool));
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t wanted = reactor->options.fiber_stack_size;
    const size_t size = wanted < STACK_MIN ? STACK_MIN : wanted;

    if (!pool) return NULL;
    pool->reactor = reactor;
    pool->page_size = page;
    pool->mapping_size = (size + page - 1) / page * page + page;
    torc_list_init(&pool->mapped);
    reactor->fibers = pool;
    return pool;
}

__attribute__((noinline, cold)) static void unmap(torc_fiber_pool *pool, torc_fiber *fiber) {
    VALGRIND_STACK_DEREGISTER(fiber->valgrind_id);
    torc_context_gone(&fiber->context);
    torc_list_remove(&fiber->node);
    torc_unpoison(fiber->mapping, pool->mapping_size);
    munmap(fiber->mapping, pool->mapping_size);
    torc_memory_discharge(&pool->reactor->memory, TORC_MEMORY_FIBER, pool->mapping_size);
}

static torc_fiber *place(torc_fiber_pool *pool, char *mapping) {
    char *const end = mapping + pool->mapping_size;
    torc_fiber *fiber = (torc_fiber *)(void *)(end - (sizeof(torc_fiber) + 63) / 64 * 64);

    *fiber = (torc_fiber){
        .pool = pool,
        .mapping = mapping,
        .call = {.run = run_resume},
        .context = {.bottom = mapping + pool->page_size,
                    .size = (size_t)((char *)fiber - mapping) - pool->page_size},
    };
    fiber->context.sp = torc_context_prepare(fiber, enter, fiber);
    torc_context_made(&fiber->context);
    torc_list_push(&pool->mapped, &fiber->node);
    fiber->valgrind_id = VALGRIND_STACK_REGISTER(mapping + pool->page_size, fiber);
    return fiber;
}

static torc_fiber *map(torc_fiber_pool *pool) {
    torc_memory *memory = &pool->reactor->memory;
    const size_t size = pool->mapping_size;
    char *mapping;

    if (torc_memory_charge(memory, TORC_MEMORY_FIBER, size)) return NULL;
    mapping = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping != MAP_FAILED && mprotect(mapping, pool->page_size, PROT_NONE) == 0)
        return place(pool, mapping);
    if (mapping != MAP_FAILED) munmap(mapping, size);
    torc_memory_discharge(memory, TORC_MEMORY_FIBER, size);
    return NULL;
}

/* There is no hot one. */
__attribute__((noinline, cold)) static torc_fiber *take_other(torc_fiber_pool *pool) {
    torc_fiber *fiber = pool->cold;

    if (!fiber) return map(pool);
    pool->cold = fiber->next;
    pool->cold_count--;
    return fiber;
}

static torc_fiber *take_stack(torc_fiber_pool *pool) {
    torc_fiber *fiber = pool->hot;

    if (!fiber) return take_other(pool);
    pool->hot = fiber->next;
    pool->hot_count--;
    return fiber;
}

/* Give back the pages below what enter() stands on, and the page that this ends in. */
static void cool(torc_fiber_pool *pool, torc_fiber *fiber) {
    const size_t page = pool->page_size;
    char *const bottom = fiber->mapping + page;
    const size_t used = (size_t)((char *)fiber->context.sp - bottom) / page * page;

    if (used > page) (void)madvise(bottom, used - page, MADV_DONTNEED);
}

/* There are hot ones enough. */
__attribute__((noinline, cold)) static void give_other(torc_fiber_pool *pool, torc_fiber *fiber) {
    if (pool->cold_count == COLD_MAX) {
        unmap(pool, fiber);
        return;
    }
    cool(pool, fiber);
    fiber->next = pool->cold;
    pool->cold = fiber;
    pool->cold_count++;
}

static void give_stack(torc_fiber_pool *pool, torc_fiber *fiber) {
    if (pool->hot_count == HOT_MAX) {
        give_other(pool, fiber);
        return;
    }
    fiber->next = pool->hot;
    pool->hot = fiber;
    pool->hot_count++;
}

/* ---- turns ---- */

static torc_context *context_of(torc_fiber_pool *pool, torc_fiber *fiber) {
    return fiber ? &fiber->context : &pool->own;
}

TORC_CONTEXT_FRAME static void change_stack(torc_context *from, torc_context *to, bool for_good) {
    torc_context_leave(from, to, for_good);
    torc_context_swap(&from->sp, to->sp);
    torc_context_entered(from, to);
}

/* It has held up the others. */
__attribute__((noinline, cold)) static void tell_stall(const torc_fiber *fiber) {
    torc_stall_tell(fiber->pool->reactor, "fiber", (const void *)(uintptr_t)fiber->run,
                    fiber->now.is_live ? fiber->argument : NULL);
}

/*
 * Let a fiber go on, on top of this stack, until it is suspended or has ended. One that is resumed
 * is named if it holds up the others; one that is started is named by who has started it.
 */
__attribute__((always_inline)) static inline void resume(torc_fiber_pool *pool, torc_fiber *fiber,
                                                         bool is_named) {
    torc_fiber *resumer = pool->current;

    fiber->now.is_suspended = false;
    fiber->resumer = resumer;
    pool->current = fiber;
    change_stack(context_of(pool, resumer), &fiber->context, false);
    if (is_named && torc_stall_is_marked(pool->reactor)) tell_stall(fiber);
    if (!fiber->now.is_live && !fiber->now.is_joinable) give_stack(pool, fiber);
}

static void run_resume(torc_call *call) {
    torc_fiber *fiber = torc_container_of(call, torc_fiber, call);
    resume(fiber->pool, fiber, true);
}

/* Go back to whoever resumed this fiber, until it is resumed again. */
static void suspend(torc_fiber *fiber) {
    torc_fiber_pool *pool = fiber->pool;

    fiber->now.is_suspended = true;
    for (;;) {
        pool->current = fiber->resumer;
        change_stack(&fiber->context, context_of(pool, fiber->resumer), false);
        if (__builtin_expect(!pool->looking, 1)) return;
        pool->looking->count = backtrace(pool->looking->at, FRAMES_MAX);
    }
}

/* The same, until the stack is taken for another function. */
TORC_CONTEXT_FRAME static void end(torc_fiber *fiber) {
    torc_fiber_pool *pool = fiber->pool;

    if (fiber->joiner) torc_wait_end(fiber->joiner, TORC_OK);
    if (fiber->deadline) torc_deadline_stop(fiber->deadline);
    pool->live_count--;
    fiber->now.is_live = false;
    pool->current = fiber->resumer;
    change_stack(&fiber->context, context_of(pool, fiber->resumer), true);
}

TORC_CONTEXT_FRAME static void enter(void *argument) {
    torc_fiber *fiber = argument;

    torc_context_entered(&fiber->context, context_of(fiber->pool, fiber->resumer));
    for (;;) {
        fiber->result = fiber->run(fiber->argument);
        end(fiber);
    }
}

/* A fiber that has not begun; NULL when there is none to be had. */
__attribute__((always_inline)) static inline torc_fiber *make(torc_reactor *reactor,
                                                              torc_fiber_fn *run, void *context) {
    torc_fiber_pool *pool = reactor->fibers ? reactor->fibers : make_pool(reactor);
    torc_fiber *fiber;

    if (!pool || pool->live_count >= reactor->options.fibers_max) return NULL;
    fiber = take_stack(pool);
    if (!fiber) return NULL;

    fiber->run = run;
    fiber->argument = context;
    fiber->wait = NULL;
    fiber->joiner = NULL;
    fiber->deadline = NULL;
    memset(&fiber->now, 0, sizeof(fiber->now));
    fiber->now.is_suspended = fiber->now.is_live = true;
    pool->live_count++;
    torc_unpoison(fiber->context.bottom, fiber->context.size);
    torc_context_inherit(fiber->context.sp);
    return fiber;
}

/* Why there was none. */
__attribute__((noinline, cold)) static torc_err refusal(const torc_reactor *reactor) {
    const torc_fiber_pool *pool = reactor->fibers;

    if (!reactor->options.fibers_max) return TORC_ERR_STOPPING;
    if (pool && pool->live_count >= reactor->options.fibers_max) return TORC_ERR_LIMIT;
    return TORC_ERR_NO_MEMORY;
}

torc_fiber *torc_fiber_current(const torc_reactor *reactor) {
    return reactor->fibers ? reactor->fibers->current : NULL;
}

bool torc_fiber_is_here(const torc_reactor *reactor) {
    return torc_fiber_current(reactor) != NULL;
}

torc_err torc_fiber_start(torc_reactor *reactor, torc_fiber_fn *run, void *context,
                          torc_fiber **fiber) {
    torc_fiber *made = make(reactor, run, context);

    if (!made) return refusal(reactor);
    *fiber = made;
    resume(made->pool, made, false);
    return TORC_OK;
}

torc_err torc_fiber_spawn(torc_reactor *reactor, torc_fiber_fn *run, void *context,
                          torc_fiber **fiber) {
    torc_fiber *made = make(reactor, run, context);

    if (!made) return refusal(reactor);
    made->now.is_joinable = fiber != NULL;
    const torc_fiber *parent = made->pool->current;
    if (parent && parent->deadline)
        made->deadline =
            torc_deadline_inherit(&made->inherited, reactor, made, parent->deadline->due_ms);
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
        torc_reactor_post(wait->fiber->pool->reactor, &wait->fiber->call);
}

static bool is_cancelled(const torc_fiber *fiber) {
    return fiber->now.cancelled && (!fiber->now.shields || fiber->pool->ignores_shields);
}

static void cancel_wait(torc_wait *wait, torc_err reason) {
    if (wait->has_ended || wait->is_cancelled) return;
    wait->is_cancelled = true;
    wait->cancel(wait, reason);
}

torc_deadline **torc_fiber_deadline(torc_fiber *fiber) {
    return &fiber->deadline;
}

void torc_fiber_time_out(torc_fiber *fiber) {
    if (fiber->wait && (!fiber->now.shields || fiber->pool->ignores_shields))
        cancel_wait(fiber->wait, TORC_ERR_TIMEOUT);
}

torc_err torc_fiber_wait(torc_reactor *reactor, torc_wait *wait, torc_wait_cancel_fn *cancel) {
    torc_fiber *fiber = torc_fiber_current(reactor);

    assert(fiber && "waiting needs a fiber");
    wait->fiber = fiber;
    wait->cancel = cancel;
    fiber->wait = wait;
    if (is_cancelled(fiber)) cancel_wait(wait, (torc_err)fiber->now.cancelled);
    if (fiber->deadline && !wait->has_ended) torc_deadline_watch(fiber->deadline);
    const bool is_quick = wait->has_ended;
    if (!is_quick) {
        fiber->now.quick_waits = 0;
        suspend(fiber);
    }
    fiber->wait = NULL;
    /* The result is this wait's; if the fiber is cancelled while it yields, the next will tell. */
    if (is_quick) (void)!torc_fiber_did_not_wait(reactor);
    return wait->result;
}

void torc_fiber_cancel(torc_fiber *fiber, torc_err reason) {
    assert(reason != TORC_OK);
    if (!fiber->now.is_live) return;
    if (!fiber->now.cancelled) fiber->now.cancelled = (int16_t)reason;
    if (fiber->wait && is_cancelled(fiber))
        cancel_wait(fiber->wait, (torc_err)fiber->now.cancelled);
}

torc_err torc_fiber_did_not_wait(torc_reactor *reactor) {
    torc_fiber *fiber = torc_fiber_current(reactor);

    /* The waits of a cancelled fiber return at once, this one, too. */
    if (!fiber || ++fiber->now.quick_waits < QUICK_WAITS) return TORC_OK;
    fiber->now.quick_waits = 0;
    return torc_yield(reactor);
}

void torc_shield_begin(torc_reactor *reactor) {
    torc_fiber *fiber = torc_fiber_current(reactor);

    assert(fiber && fiber->now.shields < UINT16_MAX);
    fiber->now.shields++;
}

void torc_shield_end(torc_reactor *reactor) {
    torc_fiber *fiber = torc_fiber_current(reactor);

    assert(fiber && fiber->now.shields > 0);
    fiber->now.shields--;
}

/* ---- seen by others ---- */

/* Let it go on, on top of this stack, only to look at its own. */
static void look_at(torc_fiber_pool *pool, torc_fiber *fiber, frames *looking) {
    torc_fiber *resumer = pool->current;

    if ((size_t)((char *)fiber->context.sp - (char *)(uintptr_t)fiber->context.bottom) <
        FRAMES_ROOM)
        return;
    fiber->resumer = resumer;
    pool->current = fiber;
    pool->looking = looking;
    change_stack(context_of(pool, resumer), &fiber->context, false);
    pool->looking = NULL;
}

static void view(torc_fiber_pool *pool, torc_fiber *fiber, torc_fiber_view_fn *tell,
                 void *context) {
    frames looking = {.count = 0};
    const bool waits = fiber->now.is_suspended && fiber->wait;
    const char *state = waits ? "waits" : fiber->now.is_suspended ? "has not begun" : "runs";

    if (waits) look_at(pool, fiber, &looking);
    const torc_fiber_view it = {
        .state = state,
        .code = (const void *)(uintptr_t)fiber->run,
        .argument = fiber->argument,
        .is_cancelled = fiber->now.cancelled != TORC_OK,
        .frames = looking.at,
        .frame_count = looking.count,
    };
    tell(context, &it);
}

void torc_fibers_view(torc_reactor *reactor, torc_fiber_view_fn *tell, void *context) {
    torc_fiber_pool *pool = reactor->fibers;

    for (torc_list_node *node = pool ? torc_list_first(&pool->mapped) : NULL; node;
         node = torc_list_next(&pool->mapped, node)) {
        torc_fiber *fiber = torc_container_of(node, torc_fiber, node);
        if (fiber->now.is_live) view(pool, fiber, tell, context);
    }
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

/* The wait is taken back before its frame ends, by whoever ends it: the compiler cannot see that,
 * and warns when it sees the rest. */
__attribute__((noinline)) static void set_joiner(torc_fiber *fiber, torc_wait *wait) {
    fiber->joiner = wait;
}

torc_err torc_fiber_join(torc_fiber *fiber, torc_err *result) {
    torc_reactor *reactor = fiber->pool->reactor;
    joining self = {.fiber = fiber};

    assert(fiber->now.is_joinable && !fiber->joiner && fiber != fiber->pool->current);
    if (fiber->now.is_live)
        set_joiner(fiber, &self.wait);
    else
        torc_wait_end(&self.wait, TORC_OK);
    const torc_err err = torc_fiber_wait(reactor, &self.wait, cancel_join);
    fiber->joiner = NULL; /* the wait is over, and its memory goes */
    if (err) return err;
    if (result) *result = fiber->result;
    give_stack(fiber->pool, fiber);
    return TORC_OK;
}

void torc_fiber_detach(torc_fiber *fiber) {
    if (!fiber) return;
    assert(fiber->now.is_joinable && !fiber->joiner);
    fiber->now.is_joinable = false;
    if (!fiber->now.is_live) give_stack(fiber->pool, fiber);
}

bool torc_fiber_has_ended(const torc_fiber *fiber) {
    return !fiber->now.is_live;
}

void torc_fibers_cancel_all(torc_reactor *reactor, torc_err reason) {
    torc_list_node *node;

    reactor->options.fibers_max = 0;
    if (!reactor->fibers) return;
    /* A canceller may let others be unmapped, but not the one that it is called for, which is live.
     */
    torc_list *mapped = &reactor->fibers->mapped;
    for (node = torc_list_first(mapped); node; node = torc_list_next(mapped, node))
        torc_fiber_cancel(torc_container_of(node, torc_fiber, node), reason);
}

static void unmap_all(torc_fiber_pool *pool, torc_fiber *fiber) {
    while (fiber) {
        torc_fiber *next = fiber->next;
        unmap(pool, fiber);
        fiber = next;
    }
}

size_t torc_fibers_count(const torc_reactor *reactor) {
    return reactor->fibers ? reactor->fibers->live_count : 0;
}

void torc_fibers_trim(torc_reactor *reactor) {
    torc_fiber_pool *pool = reactor->fibers;

    if (!pool) return;
    unmap_all(pool, pool->hot);
    unmap_all(pool, pool->cold);
    pool->hot = pool->cold = NULL;
    pool->hot_count = pool->cold_count = 0;
}

void torc_fibers_end_shields(torc_reactor *reactor) {
    if (!reactor->fibers) return;
    reactor->fibers->ignores_shields = true;
    torc_fibers_cancel_all(reactor, TORC_ERR_STOPPING);
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

bool torc_fiber_has_overflowed(const torc_reactor *reactor, const void *address, size_t *size) {
    const torc_fiber *fiber = torc_fiber_current(reactor);
    const uintptr_t place = (uintptr_t)address;

    if (!fiber || place < (uintptr_t)fiber->mapping ||
        place >= (uintptr_t)fiber->mapping + fiber->pool->page_size)
        return false;
    *size = fiber->context.size;
    return true;
}
