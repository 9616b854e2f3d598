/* SPDX-License-Identifier: MIT */
/*
 * The value of the Date field, made once a second and kept with the reactor.
 */
#include <torc/date.h>

#include "base/alloc.h"
#include "http/request_state.h"

typedef struct torc_date_cache {
    torc_reactor_guest guest;
    int64_t seconds;
    char text[TORC_DATE_LEN];
} torc_date_cache;

static void reactor_freed(torc_reactor_guest *guest, torc_reactor *reactor) {
    torc_date_cache *cache = torc_container_of(guest, torc_date_cache, guest);

    reactor->date = NULL;
    torc_dealloc(&reactor->memory, cache);
}

/* The reactor's cache, made when first needed; NULL without memory. */
static torc_date_cache *cache_of(torc_reactor *reactor) {
    torc_date_cache *cache = reactor->date;

    if (cache) return cache;
    cache = torc_alloc(&reactor->memory, TORC_MEMORY_OTHER, sizeof(*cache));
    if (!cache) return NULL;
    cache->guest.reactor_freed = reactor_freed;
    cache->seconds = INT64_MIN;
    torc_reactor_add_guest(reactor, &cache->guest);
    reactor->date = cache;
    return cache;
}

torc_str torc_date_now(torc_reactor *reactor) {
    torc_date_cache *cache = cache_of(reactor);

    if (!cache) return torc_str_make(NULL, 0);
    if (cache->seconds != reactor->wall_seconds) {
        cache->seconds = reactor->wall_seconds;
        torc_date_format(cache->seconds, cache->text);
    }
    return torc_str_make(cache->text, TORC_DATE_LEN);
}
