/* SPDX-License-Identifier: MIT */
/*
 * Tickets: slots that outlive requests, in a pool that outlives its reactor.
 *
 *  - A slot is never freed before its pool, so a ticket may look at it at any time; its generation
 *    changes when its request ends, and a ticket of another generation is stale.
 *  - A pool is held by its reactor and by each ticket that was not returned; the last one frees it.
 *  - `reactor` and the queue of answers are guarded by the mutex; generations are written by the
 *    reactor's thread and read by any; the rest belongs to the reactor's thread.
 *  - Answers are allocated without the reactor's memory, which is its thread's alone.
 *  - While the queue is not empty, the pool's call is posted; without a reactor the queue stays
 *    empty.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <torc/metrics.h>
#include <torc/ticket.h>

#include "base/alloc.h"
#include "http/request_state.h"

enum {
    BLOCK_SLOTS = 64
};

typedef struct torc_ticket_pool torc_ticket_pool;

typedef struct torc_ticket_slot {
    _Atomic uint64_t generation;
    torc_request *request; /* NULL: the slot is free */
    torc_ticket_pool *pool;
    struct torc_ticket_slot *next_free;
} torc_ticket_slot;

typedef struct block {
    struct block *next;
    torc_ticket_slot slots[BLOCK_SLOTS];
} block;

typedef struct answer {
    struct answer *next;
    torc_ticket_slot *slot;
    uint64_t generation;
    int status;
    char *content_type; /* in `bytes`, ended by NUL; NULL: none */
    torc_str body;      /* in `bytes` */
    char bytes[];
} answer;

struct torc_ticket_pool {
    torc_reactor_guest guest;
    atomic_size_t holders;
    pthread_mutex_t mutex;
    torc_reactor *reactor; /* NULL once that is freed */
    answer *first, *last;
    torc_thread_call call;
    block *blocks;
    torc_ticket_slot *free;
    torc_counter stale;
};

/* Let go of the pool; whoever is last frees it. Any thread. */
static void unhold(torc_ticket_pool *pool) {
    block *next;

    if (atomic_fetch_sub_explicit(&pool->holders, 1, memory_order_acq_rel) != 1) return;
    for (block *each = pool->blocks; each; each = next) {
        next = each->next;
        torc_dealloc(NULL, each);
    }
    pthread_mutex_destroy(&pool->mutex);
    torc_dealloc(NULL, pool);
}

static torc_request *request_of(const torc_ticket_slot *slot, uint64_t generation) {
    if (atomic_load_explicit(&slot->generation, memory_order_acquire) != generation) return NULL;
    return slot->request && !request_is_over(slot->request) ? slot->request : NULL;
}

static void deliver(torc_ticket_pool *pool, const answer *given) {
    torc_request *request = request_of(given->slot, given->generation);

    if (request && !request->is_started)
        torc_reply_bytes(request, given->status, given->content_type, given->body);
    else
        torc_counter_add(&pool->stale, 1);
}

/* Take all answers that wait. */
static answer *take_answers(torc_ticket_pool *pool) {
    answer *first;

    pthread_mutex_lock(&pool->mutex);
    first = pool->first;
    pool->first = pool->last = NULL;
    pthread_mutex_unlock(&pool->mutex);
    return first;
}

static void run_answers(torc_thread_call *call) {
    torc_ticket_pool *pool = torc_container_of(call, torc_ticket_pool, call);
    answer *next;

    for (answer *each = take_answers(pool); each; each = next) {
        next = each->next;
        deliver(pool, each);
        torc_dealloc(NULL, each);
    }
}

static void reactor_freed(torc_reactor_guest *guest, torc_reactor *reactor) {
    torc_ticket_pool *pool = torc_container_of(guest, torc_ticket_pool, guest);
    answer *next;

    pthread_mutex_lock(&pool->mutex);
    pool->reactor = NULL;
    pthread_mutex_unlock(&pool->mutex);
    for (answer *each = take_answers(pool); each; each = next) {
        next = each->next;
        torc_dealloc(NULL, each);
    }
    torc_metric_remove(&pool->stale.metric);
    reactor->tickets = NULL;
    unhold(pool);
}

static torc_ticket_pool *pool_of(torc_reactor *reactor) {
    torc_ticket_pool *pool = reactor->tickets;

    if (pool) return pool;
    pool = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*pool));
    if (!pool) return NULL;
    atomic_init(&pool->holders, 1);
    pthread_mutex_init(&pool->mutex, NULL);
    pool->reactor = reactor;
    pool->call.run = run_answers;
    pool->guest.reactor_freed = reactor_freed;
    torc_reactor_add_guest(reactor, &pool->guest);
    if (reactor->metrics)
        torc_metrics_add_counter(reactor->metrics, &pool->stale, "ticket_answers_stale",
                                 "Answers by ticket that came too late.", "");
    reactor->tickets = pool;
    return pool;
}

static torc_err add_block(torc_ticket_pool *pool) {
    block *added = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*added));

    if (!added) return TORC_ERR_NO_MEMORY;
    added->next = pool->blocks;
    pool->blocks = added;
    for (size_t i = 0; i < BLOCK_SLOTS; i++) {
        torc_ticket_slot *slot = &added->slots[i];
        atomic_init(&slot->generation, 1);
        slot->pool = pool;
        slot->next_free = pool->free;
        pool->free = slot;
    }
    return TORC_OK;
}

static torc_ticket_slot *take_slot(torc_request *request) {
    torc_ticket_pool *pool = pool_of(request->reactor);

    if (!pool || (!pool->free && add_block(pool))) return NULL;
    torc_ticket_slot *slot = pool->free;
    pool->free = slot->next_free;
    slot->request = request;
    return slot;
}

torc_err torc_ticket_take(torc_request *request, torc_ticket *ticket) {
    *ticket = (torc_ticket){0};
    if (request_is_over(request)) return TORC_ERR_GONE;
    if (!request->slot) request->slot = take_slot(request);
    if (!request->slot) return TORC_ERR_NO_MEMORY;

    torc_ticket_slot *slot = request->slot;
    atomic_fetch_add_explicit(&slot->pool->holders, 1, memory_order_relaxed);
    ticket->slot = slot;
    ticket->generation = atomic_load_explicit(&slot->generation, memory_order_relaxed);
    return TORC_OK;
}

void torc_ticket_release(torc_request *request) {
    torc_ticket_slot *slot = request->slot;

    request->slot = NULL;
    atomic_fetch_add_explicit(&slot->generation, 1, memory_order_release);
    slot->request = NULL;
    slot->next_free = slot->pool->free;
    slot->pool->free = slot;
}

torc_request *torc_ticket_request(const torc_ticket *ticket) {
    return ticket->slot ? request_of(ticket->slot, ticket->generation) : NULL;
}

static answer *copy_answer(const torc_ticket *ticket, const torc_answer *given) {
    const size_t type_size = given->content_type.bytes ? given->content_type.len + 1 : 0;
    answer *copy;

    if (given->body.len > PTRDIFF_MAX - sizeof(*copy) - type_size) return NULL;
    copy = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*copy) + type_size + given->body.len);
    if (!copy) return NULL;
    *copy = (answer){
        .slot = ticket->slot,
        .generation = ticket->generation,
        .status = given->status,
        .content_type = type_size ? copy->bytes : NULL,
        .body = torc_str_make(copy->bytes + type_size, given->body.len),
    };
    if (type_size) {
        memcpy(copy->bytes, given->content_type.bytes, given->content_type.len);
        copy->bytes[type_size - 1] = '\0';
    }
    if (given->body.len) memcpy(copy->bytes + type_size, given->body.bytes, given->body.len);
    return copy;
}

/* Put an answer into the queue, unless the reactor is gone. The reactor cannot be freed meanwhile.
 */
static bool enqueue(torc_ticket_pool *pool, answer *added) {
    bool is_there;

    pthread_mutex_lock(&pool->mutex);
    is_there = pool->reactor != NULL;
    if (is_there) {
        const bool was_empty = pool->first == NULL;
        if (was_empty)
            pool->first = added;
        else
            pool->last->next = added;
        pool->last = added;
        if (was_empty) torc_reactor_call_from_thread(pool->reactor, &pool->call);
    }
    pthread_mutex_unlock(&pool->mutex);
    return is_there;
}

torc_err torc_ticket_answer(const torc_ticket *ticket, const torc_answer *given) {
    torc_ticket_slot *slot = ticket->slot;
    answer *copy;

    if (!slot ||
        atomic_load_explicit(&slot->generation, memory_order_acquire) != ticket->generation)
        return TORC_ERR_GONE;
    copy = copy_answer(ticket, given);
    if (!copy) return TORC_ERR_NO_MEMORY;
    if (enqueue(slot->pool, copy)) return TORC_OK;
    torc_dealloc(NULL, copy);
    return TORC_ERR_GONE;
}

void torc_ticket_return(torc_ticket *ticket) {
    torc_ticket_slot *slot = ticket->slot;

    *ticket = (torc_ticket){0};
    if (slot) unhold(slot->pool);
}
