/* SPDX-License-Identifier: MIT */
/*
 * A resolver in memory.
 *
 *  - What it knows and what it holds is memory of no reactor, so that faults of its allocations
 *    meet what is tested, not the double.
 *  - A question that is held stands in the list until it is answered or cancelled.
 */
#include <torc/testing_names.h>

#include "base/list.h"
#include "testing/reactor.h"

enum {
    ADDRESSES_MAX = 8
};

typedef struct known {
    torc_list_node node;
    torc_err err;
    size_t count;
    torc_addr addrs[ADDRESSES_MAX];
    char host[];
} known;

typedef struct question {
    torc_list_node node;
    torc_test_names *names;
    torc_deferred *deferred;
    const char *host;
} question;

struct torc_test_names {
    torc_resolver resolver;
    torc_reactor_guest guest;
    torc_reactor *reactor;
    torc_list known, held;
    bool is_held;
    uint32_t keep_ms;
    uint64_t asked, held_count;
};

static known *find(const torc_test_names *self, const char *host) {
    for (torc_list_node *at = torc_list_first(&self->known); at;
         at = torc_list_next(&self->known, at)) {
        known *of = torc_container_of(at, known, node);
        if (strcmp(of->host, host) == 0) return of;
    }
    return NULL;
}

static void answer(torc_test_names *self, torc_deferred *deferred, const char *host) {
    const known *of = find(self, host);
    torc_err err = of ? of->err : TORC_ERR_NOT_FOUND;
    torc_addr_list *list = err ? NULL : torc_addr_list_new(self->reactor, of->addrs, of->count);

    if (!err && !list) err = TORC_ERR_NO_MEMORY;
    if (err) {
        (void)torc_deferred_fail(deferred, err);
        return;
    }
    list->keep_ms = self->keep_ms;
    (void)torc_deferred_fire(deferred, list, torc_addr_list_free);
}

static void drop(question *self) {
    self->names->held_count--;
    torc_list_remove(&self->node);
    torc_dealloc(NULL, self);
}

static void cancelled(torc_deferred *deferred, void *context) {
    drop(context);
    (void)torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

static void hold(torc_test_names *self, torc_deferred *deferred, const char *host) {
    question *held = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*held));

    if (!held) {
        (void)torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
        return;
    }
    *held = (question){.names = self, .deferred = deferred, .host = host};
    torc_list_push(&self->held, &held->node);
    self->held_count++;
    torc_deferred_set_canceller(deferred, cancelled, held);
}

static torc_deferred *resolve(torc_resolver *resolver, torc_reactor *reactor, const char *host) {
    torc_test_names *self = torc_container_of(resolver, torc_test_names, resolver);
    torc_deferred *deferred = torc_deferred_new(reactor);

    self->asked++;
    if (torc_deferred_is_out_of_memory(deferred)) return deferred;
    if (self->is_held)
        hold(self, deferred, host);
    else
        answer(self, deferred, host);
    return deferred;
}

static void reactor_freed(torc_reactor_guest *guest, torc_reactor *reactor) {
    torc_test_names *self = torc_container_of(guest, torc_test_names, guest);
    torc_list_node *node;

    (void)reactor;
    while ((node = torc_list_pop(&self->known)) != NULL)
        torc_dealloc(NULL, torc_container_of(node, known, node));
    while ((node = torc_list_first(&self->held)) != NULL)
        drop(torc_container_of(node, question, node));
    torc_dealloc(NULL, self);
}

torc_err torc_test_names_new(torc_reactor *reactor, torc_test_names **names) {
    torc_test_names *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    self->resolver.resolve = resolve;
    self->reactor = reactor;
    torc_list_init(&self->known);
    torc_list_init(&self->held);
    err = torc_names_set_resolver(reactor, &self->resolver);
    if (err) {
        torc_dealloc(NULL, self);
        return err;
    }
    self->guest.reactor_freed = reactor_freed;
    torc_reactor_add_guest(reactor, &self->guest);
    *names = self;
    return TORC_OK;
}

/* What is known of a host, made when nothing was. */
static known *known_of(torc_test_names *self, const char *host) {
    const size_t size = strlen(host) + 1;
    known *of = find(self, host);

    if (of) return of;
    of = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*of) + size);
    if (!of) return NULL;
    memcpy(of->host, host, size);
    torc_list_push(&self->known, &of->node);
    return of;
}

torc_err torc_test_names_set(torc_test_names *names, const char *host, const char *addresses) {
    torc_str rest = torc_str_of(addresses), one;
    known *of = known_of(names, host);
    torc_err err = TORC_OK;

    if (!of) return TORC_ERR_NO_MEMORY;
    of->err = TORC_OK;
    of->count = 0;
    while (!err && torc_str_split(&rest, ' ', &one)) {
        if (of->count == ADDRESSES_MAX) return TORC_ERR_SYNTAX;
        err = torc_addr_parse(one, 0, &of->addrs[of->count++]);
    }
    return err;
}

torc_err torc_test_names_fail(torc_test_names *names, const char *host, torc_err err) {
    known *of = known_of(names, host);

    if (!of) return TORC_ERR_NO_MEMORY;
    of->err = err;
    return TORC_OK;
}

void torc_test_names_hold(torc_test_names *names, bool is_held) {
    torc_list_node *node;

    names->is_held = is_held;
    while (!is_held && (node = torc_list_first(&names->held)) != NULL) {
        question *held = torc_container_of(node, question, node);
        torc_deferred *deferred = held->deferred;
        const char *host = held->host;
        drop(held);
        answer(names, deferred, host);
    }
}

void torc_test_names_keep(torc_test_names *names, uint32_t keep_ms) {
    names->keep_ms = keep_ms;
}

uint64_t torc_test_names_asked(const torc_test_names *names) {
    return names->asked;
}

uint64_t torc_test_names_held(const torc_test_names *names) {
    return names->held_count;
}
