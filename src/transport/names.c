/* SPDX-License-Identifier: MIT */
/*
 * Names of hosts: who asks, what is being asked, and what is kept of the answers.
 *
 *  - A name is in the map while it is asked for (`is_asked`) or its answer is kept; kept ones stand
 *    in the list, the one that was used longest ago first. So a name is asked for once at a time.
 *  - Who asks waits with a deadline of its own. When the last has left, what had not begun is
 *    stopped; a thread goes on, and its answer is kept for the next: so a name whose servers do not
 *    answer holds one thread, however often it is asked for.
 *  - A resolver that was told to stop is asked again, if somebody came meanwhile, when it has.
 *  - Firing a deferred calls nobody, so nothing changes while an answer is handed out.
 */
#include <assert.h>
#include <torc/failure.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/options.h"
#include "reactor/reactor.h"
#include "transport/names.h"

typedef struct torc_names {
    torc_reactor_guest guest;
    torc_reactor *reactor;
    torc_names_options options;
    torc_resolver *resolver; /* NULL: the system */
    torc_map by_name;
    torc_list kept;
    uint32_t kept_count, asked_count;
    torc_counter asked, joined, found, failed;
} torc_names;

typedef struct name {
    torc_names *names;
    torc_list waiters;
    torc_list_node node; /* among those that are kept */
    torc_lookup *lookup; /* of the system; else: */
    torc_deferred *answer;
    torc_callback callback;
    bool is_asked;
    bool is_cancelled; /* the resolver was told to stop */
    bool is_forgotten; /* its answer is not to be kept */
    torc_err err;      /* of the answer that is kept, as all that follows */
    torc_addr_list *list;
    uint64_t until_ms;
    char host[];
} name;

typedef struct waiter {
    torc_list_node node;
    name *name;
    torc_deferred *deferred;
    torc_timer timer;
    uint16_t port;
} waiter;

/* ---- what is kept ---- */

static void drop(name *self) {
    torc_names *names = self->names;

    torc_map_remove(&names->by_name, torc_str_of(self->host));
    if (torc_list_has(&self->node)) names->kept_count--;
    torc_list_remove(&self->node);
    torc_addr_list_free(self->list);
    torc_dealloc(&names->reactor->memory, self);
}

static name *oldest(const torc_names *names) {
    torc_list_node *node = torc_list_first(&names->kept);
    return node ? torc_container_of(node, name, node) : NULL;
}

static void forget_all(torc_names *names) {
    size_t place = 0;
    name *at;

    while ((at = torc_map_next(&names->by_name, &place, NULL)) != NULL) at->is_forgotten = true;
    while ((at = oldest(names)) != NULL) drop(at);
}

/* How long an answer is kept; 0: not at all. */
static uint64_t time_to_keep(const name *self, torc_err err, const torc_addr_list *list) {
    const torc_names_options *options = &self->names->options;

    if (options->keeps_nothing || self->is_forgotten) return 0;
    if (err) return err == TORC_ERR_NOT_FOUND ? options->negative_ms : 0;
    return list->keep_ms < options->keep_ms ? list->keep_ms : options->keep_ms;
}

/* Keep the answer, whose list is taken, or drop the name. */
static void keep_or_drop(name *self, torc_err err, torc_addr_list *list) {
    torc_names *names = self->names;
    const uint64_t keep_ms = time_to_keep(self, err, list);

    self->list = list;
    self->err = err;
    if (keep_ms == 0) {
        drop(self);
        return;
    }
    self->until_ms = names->reactor->now_ms + keep_ms;
    torc_list_push(&names->kept, &self->node);
    if (++names->kept_count > names->options.entries_max) drop(oldest(names));
}

/* ---- answers ---- */

static void set_port(torc_addr_list *list, uint16_t port) {
    for (size_t i = 0; i < list->count; i++) {
        torc_addr *addr = &list->addrs[i];
        if (torc_addr_family(addr) == AF_INET) addr->as.in.sin_port = htons(port);
        if (torc_addr_family(addr) == AF_INET6) addr->as.in6.sin6_port = htons(port);
    }
}

/* What is known of a failure. */
static torc_failure *failure_of(torc_reactor *reactor, const char *host, torc_err err) {
    return torc_failure_new_at(&reactor->memory, NULL, err, "%.100s: %s", host,
                               torc_resolve_err_text(err));
}

/* Fire with a copy, or fail. */
static void give(const name *self, torc_deferred *deferred, torc_err err,
                 const torc_addr_list *list, uint16_t port) {
    torc_reactor *reactor = self->names->reactor;
    torc_addr_list *copy = err ? NULL : torc_addr_list_new(reactor, list->addrs, list->count);

    if (!err && !copy) err = TORC_ERR_NO_MEMORY;
    if (copy) {
        set_port(copy, port);
        (void)torc_deferred_fire(deferred, copy, torc_addr_list_free);
    } else {
        (void)torc_deferred_fail_with(deferred, err, failure_of(reactor, self->host, err));
    }
}

static torc_err begin(name *self);

/* Hand out an answer, whose list is taken. */
static void answered(name *self, torc_err err, torc_addr_list *list) {
    torc_names *names = self->names;
    const bool was_cancelled = self->is_cancelled;
    torc_list_node *node;

    self->is_asked = self->is_cancelled = false;
    names->asked_count--;
    if (was_cancelled && err && !torc_list_is_empty(&self->waiters)) {
        err = begin(self);
        if (!err) return;
    }
    if (err && !was_cancelled) torc_counter_add(&names->failed, 1);
    while ((node = torc_list_pop(&self->waiters)) != NULL) {
        waiter *one = torc_container_of(node, waiter, node);
        torc_timer_cancel(&one->timer);
        give(self, one->deferred, err, list, one->port);
        torc_dealloc(&names->reactor->memory, one);
    }
    keep_or_drop(self, err, list);
}

static void lookup_answered(void *context, torc_err err, torc_addr_list *list) {
    answered(context, err, list);
}

static void resolver_answered(torc_callback *callback, torc_err err, void *value) {
    answered(torc_container_of(callback, name, callback), err, err ? NULL : value);
}

/* ---- asking ---- */

static torc_err begin(name *self) {
    torc_names *names = self->names;
    torc_resolver *resolver = names->resolver;

    if (names->asked_count >= names->options.asked_max) return TORC_ERR_BUSY;
    self->lookup = NULL;
    self->answer = NULL;
    if (resolver) {
        self->answer = resolver->resolve(resolver, names->reactor, self->host);
        assert(self->answer && "a resolver answers a deferred");
        torc_deferred_then(self->answer, &self->callback, resolver_answered);
    } else {
        const torc_err err =
            torc_lookup_start(names->reactor, self->host, lookup_answered, self, &self->lookup);
        if (err) return err;
    }
    self->is_asked = true;
    names->asked_count++;
    torc_counter_add(&names->asked, 1);
    return TORC_OK;
}

/* Nobody waits for it any more. */
static void stop_asking(name *self) {
    if (self->answer) {
        self->is_cancelled = true;
        torc_deferred_cancel(self->answer);
    } else if (torc_lookup_abandon(self->lookup)) {
        self->names->asked_count--;
        drop(self);
    }
}

static torc_err add(torc_names *names, const char *host, name **added) {
    const size_t len = strlen(host);
    name *self =
        torc_alloc_zero(&names->reactor->memory, TORC_MEMORY_CACHE, 1, sizeof(*self) + len + 1);
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    self->names = names;
    torc_list_init(&self->waiters);
    memcpy(self->host, host, len + 1);
    err = torc_map_set(&names->by_name, torc_str_make(self->host, len), self);
    if (err) {
        torc_dealloc(&names->reactor->memory, self);
        return err;
    }
    err = begin(self);
    if (err)
        drop(self);
    else
        *added = self;
    return err;
}

/* ---- waiting ---- */

/* One stops waiting. */
static void leave(waiter *self, torc_err reason) {
    name *of = self->name;
    torc_reactor *reactor = of->names->reactor;
    torc_deferred *deferred = self->deferred;

    torc_timer_cancel(&self->timer);
    torc_list_remove(&self->node);
    torc_dealloc(&reactor->memory, self);
    torc_failure *failure = failure_of(reactor, of->host, reason);
    if (torc_list_is_empty(&of->waiters) && !of->is_cancelled) stop_asking(of);
    (void)torc_deferred_fail_with(deferred, reason, failure);
}

static void expired(torc_timer *timer) {
    leave(torc_container_of(timer, waiter, timer), TORC_ERR_TIMEOUT);
}

static void cancel_waiter(torc_deferred *deferred, void *context) {
    (void)deferred;
    leave(context, TORC_ERR_CANCELLED);
}

static torc_deferred *wait_for(name *self, uint16_t port) {
    torc_reactor *reactor = self->names->reactor;
    torc_deferred *deferred = torc_deferred_new(reactor);
    waiter *one = torc_alloc(&reactor->memory, TORC_MEMORY_OTHER, sizeof(*one));

    if (!one || torc_deferred_is_out_of_memory(deferred)) {
        torc_dealloc(&reactor->memory, one);
        if (torc_list_is_empty(&self->waiters) && !self->is_cancelled) stop_asking(self);
        (void)torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
        return deferred;
    }
    *one = (waiter){.name = self, .deferred = deferred, .port = port};
    torc_list_push(&self->waiters, &one->node);
    torc_timer_init(&one->timer, reactor, expired);
    torc_timer_arm(&one->timer, self->names->options.timeout_ms);
    torc_deferred_set_canceller(deferred, cancel_waiter, one);
    return deferred;
}

static torc_deferred *answer_kept(name *self, uint16_t port) {
    torc_reactor *reactor = self->names->reactor;
    torc_deferred *deferred = torc_deferred_new(reactor);

    torc_counter_add(&self->names->found, 1);
    torc_list_remove(&self->node);
    torc_list_push(&self->names->kept, &self->node);
    give(self, deferred, self->err, self->list, port);
    return deferred;
}

/* ---- the names of a reactor ---- */

static void reactor_freed(torc_reactor_guest *guest, torc_reactor *reactor) {
    torc_names *self = torc_container_of(guest, torc_names, guest);
    size_t place = 0;
    name *at;

    forget_all(self);
    while ((at = torc_map_next(&self->by_name, &place, NULL)) != NULL)
        torc_dealloc(&reactor->memory, at);
    torc_map_dispose(&self->by_name);
    torc_metric_remove(&self->asked.metric);
    torc_metric_remove(&self->joined.metric);
    torc_metric_remove(&self->found.metric);
    torc_metric_remove(&self->failed.metric);
    reactor->names = NULL;
    torc_dealloc(&reactor->memory, self);
}

static torc_names_options read_options(const torc_names_options *given) {
    torc_names_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    if (!options.timeout_ms) options.timeout_ms = 15000;
    if (!options.keep_ms) options.keep_ms = 30000;
    if (!options.negative_ms) options.negative_ms = 3000;
    if (!options.entries_max) options.entries_max = 512;
    if (!options.asked_max) options.asked_max = 1024;
    return options;
}

static void register_counters(torc_names *self) {
    torc_metrics *metrics = self->reactor->metrics;

    torc_metrics_add_counter(metrics, &self->asked, "names_asked",
                             "Names that a resolver was asked for.", "");
    torc_metrics_add_counter(metrics, &self->joined, "names_joined",
                             "Names that were asked for while they were being asked for.", "");
    torc_metrics_add_counter(metrics, &self->found, "names_kept",
                             "Names whose answer was kept from before.", "");
    torc_metrics_add_counter(metrics, &self->failed, "names_failed",
                             "Names that a resolver had no address of.", "");
}

static torc_names *names_of(torc_reactor *reactor) {
    torc_names *self = reactor->names;

    if (self) return self;
    self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_CACHE, 1, sizeof(*self));
    if (!self) return NULL;
    self->reactor = reactor;
    self->options = read_options(NULL);
    torc_map_init(&self->by_name, &reactor->memory, TORC_MEMORY_CACHE, false);
    torc_list_init(&self->kept);
    register_counters(self);
    self->guest.reactor_freed = reactor_freed;
    torc_reactor_add_guest(reactor, &self->guest);
    reactor->names = self;
    return self;
}

torc_err torc_names_configure(torc_reactor *reactor, const torc_names_options *options) {
    torc_names *self = names_of(reactor);

    if (!self) return TORC_ERR_NO_MEMORY;
    self->options = read_options(options);
    forget_all(self);
    return TORC_OK;
}

torc_err torc_names_set_resolver(torc_reactor *reactor, torc_resolver *resolver) {
    torc_names *self = names_of(reactor);

    if (!self) return TORC_ERR_NO_MEMORY;
    self->resolver = resolver;
    forget_all(self);
    return TORC_OK;
}

void torc_names_forget(torc_reactor *reactor) {
    if (reactor->names) forget_all(reactor->names);
}

/* ---- resolving ---- */

/* A name that is asked for, or whose answer is still good. */
static torc_err find_or_ask(torc_names *names, const char *host, name **found) {
    name *self = torc_map_find(&names->by_name, torc_str_of(host));

    if (self && !self->is_asked && self->until_ms <= names->reactor->now_ms) {
        drop(self);
        self = NULL;
    }
    *found = self;
    if (!self) return add(names, host, found);
    if (self->is_asked) torc_counter_add(&names->joined, 1);
    return TORC_OK;
}

static torc_deferred *resolve_name(torc_reactor *reactor, const char *host, uint16_t port) {
    torc_names *names = names_of(reactor);
    name *self = NULL;
    const torc_err err = names ? find_or_ask(names, host, &self) : TORC_ERR_NO_MEMORY;

    if (err) return torc_deferred_failed_with(reactor, err, failure_of(reactor, host, err));
    return self->is_asked ? wait_for(self, port) : answer_kept(self, port);
}

torc_deferred *torc_resolve(torc_reactor *reactor, const char *host, uint16_t port) {
    char asked[TORC_NAME_MAX + 1];
    torc_addr_list *list;
    const torc_err err = torc_names_known(reactor, host, asked, &list);

    if (err) return torc_deferred_failed_with(reactor, err, failure_of(reactor, host, err));
    if (!list) return resolve_name(reactor, asked, port);
    set_port(list, port);
    return torc_deferred_of(reactor, list, torc_addr_list_free);
}

torc_err torc_resolve_await(torc_reactor *reactor, const char *host, uint16_t port,
                            torc_addr_list **list) {
    void *value;
    const torc_err err = torc_await(torc_resolve(reactor, host, port), &value);

    if (!err) *list = value;
    return err;
}

const char *torc_resolve_err_text(torc_err err) {
    if (err == TORC_ERR_NOT_FOUND) return "there is no such name, or it has no address";
    if (err == TORC_ERR_AGAIN) return "the name servers cannot be reached or fail; try again later";
    if (err == TORC_ERR_TIMEOUT) return "the name servers took too long; try again later";
    if (err == TORC_ERR_BUSY) return "too many names are being asked for; try again later";
    if (err == TORC_ERR_SYNTAX) return "this is neither an address nor a name of a host";
    if (err == TORC_ERR_SYSTEM) return "the name servers refuse to answer";
    return torc_err_text(err);
}
