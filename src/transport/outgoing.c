/* SPDX-License-Identifier: MIT */
/*
 * The outgoing parts of transports, pooled.
 *
 *  - The pool is made with the first and freed with its reactor, as whose guest it learns of that.
 *  - The one that was given back last is taken first: it is in the cache. At most FREE_MAX wait.
 */
#include "transport/outgoing.h"

#include "base/alloc.h"

enum {
    FREE_MAX = 1024
};

typedef struct torc_outgoing_pool {
    torc_reactor_guest guest;
    torc_outgoing *free;
    uint32_t free_count;
} torc_outgoing_pool;

static void drop(torc_reactor *reactor, torc_outgoing *outgoing) {
    torc_object_dealloc(&reactor->memory, TORC_MEMORY_OUTPUT, outgoing, sizeof(*outgoing));
}

static void reactor_freed(torc_reactor_guest *guest, torc_reactor *reactor) {
    torc_outgoing_pool *pool = torc_container_of(guest, torc_outgoing_pool, guest);

    while (pool->free) {
        torc_outgoing *outgoing = pool->free;
        pool->free = outgoing->next;
        drop(reactor, outgoing);
    }
    reactor->outgoings = NULL;
    torc_dealloc(&reactor->memory, pool);
}

/* The reactor's pool, made when first needed; NULL without memory. */
static torc_outgoing_pool *pool_of(torc_reactor *reactor) {
    torc_outgoing_pool *pool = reactor->outgoings;

    if (pool) return pool;
    pool = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*pool));
    if (!pool) return NULL;
    pool->guest.reactor_freed = reactor_freed;
    torc_reactor_add_guest(reactor, &pool->guest);
    reactor->outgoings = pool;
    return pool;
}

static torc_outgoing *take(torc_reactor *reactor) {
    torc_outgoing_pool *pool = pool_of(reactor);
    torc_outgoing *outgoing = pool ? pool->free : NULL;

    if (!pool) return NULL;
    if (!outgoing)
        return torc_object_alloc(&reactor->memory, TORC_MEMORY_OUTPUT, sizeof(*outgoing));
    pool->free = outgoing->next;
    pool->free_count--;
    return outgoing;
}

torc_outgoing *torc_outgoing_new(torc_transport *transport, torc_reactor *reactor,
                                 void (*flush)(torc_flushable *flushable)) {
    torc_outgoing *outgoing = take(reactor);

    if (!outgoing) return NULL;
    *outgoing = (torc_outgoing){.flushable = {.flush = flush}, .transport = transport};
    torc_chain_init(&outgoing->chain, &reactor->chains);
    return outgoing;
}

void torc_outgoing_free(torc_outgoing *outgoing, torc_reactor *reactor) {
    torc_outgoing_pool *pool = reactor->outgoings;

    if (!outgoing) return;
    torc_flushable_cancel(&outgoing->flushable);
    torc_chain_clear(&outgoing->chain);
    if (pool->free_count >= FREE_MAX) {
        drop(reactor, outgoing);
        return;
    }
    outgoing->next = pool->free;
    pool->free = outgoing;
    pool->free_count++;
}
