/* SPDX-License-Identifier: MIT */
/*
 * Deferreds that fire as several do: all, all settled, the first with a value, the first.
 *
 *  - A group consumes its members and produces its result; it is freed when it fires that, which is
 *    when its last member has been told. So whatever was lent to a member is nobody's by then.
 *  - What a member ended with is kept in the group's results.
 *  - A group that is decided (`decider`) asks the others to stop. A race is decided by whoever has
 *    a value first, at the firing: from then on no other is wanted, so none takes what it could not
 *    give on. They are asked later in the turn, since cancelling calls, and firing calls nobody.
 *  - Cancelling the result asks all members. One that is decided for a value cannot be cancelled.
 */
#include <assert.h>

#include "base/alloc.h"
#include "reactor/reactor.h"

typedef enum group_kind {
    GROUP_ALL,
    GROUP_SETTLED,
    GROUP_RACE,
    GROUP_FIRST
} group_kind;

typedef struct group group;

typedef struct member {
    torc_owner owner;
    group *of;
} member;

struct group {
    torc_deferred *result;
    torc_results *results;
    size_t *winner; /* the caller's; NULL: it need not be told */
    torc_call cancelling;
    group_kind kind;
    size_t count, left;
    size_t decider; /* the number of a member; `count`: none yet */
    member members[];
};

/* ---- results ---- */

static void dispose_result(torc_result *ended) {
    if (!ended->err) torc_deferred_dispose_of(ended->value, ended->dispose);
    torc_failure_free(ended->failure);
}

void torc_results_dispose(torc_results *results) {
    if (!results) return;
    for (size_t i = 0; i < results->count; i++) dispose_result(&results->each[i]);
    torc_dealloc(results->memory, results);
}

static void dispose_results(void *value) {
    torc_results_dispose(value);
}

void *torc_results_take(torc_results *results, size_t at) {
    torc_result *ended = &results->each[at];
    void *value = ended->err ? NULL : ended->value;

    assert(at < results->count);
    ended->value = NULL;
    ended->dispose = NULL;
    return value;
}

static torc_results *new_results(torc_memory *memory, size_t count) {
    torc_results *results;

    if (count > (PTRDIFF_MAX - sizeof(*results)) / sizeof(torc_result)) return NULL;
    results = torc_alloc_zero(memory, TORC_MEMORY_OTHER, 1,
                              sizeof(*results) + count * sizeof(torc_result));
    if (!results) return NULL;
    *results = (torc_results){
        .count = count, .each = (torc_result *)(void *)(results + 1), .memory = memory};
    return results;
}

/* ---- the end ---- */

/* What became of a member, as a failure that names it; NULL: no memory. */
static torc_failure *take_failure(torc_result *ended) {
    torc_failure *failure = ended->failure;

    ended->failure = NULL;
    return failure;
}

static void fire_all(group *self) {
    torc_results *results = self->results;

    self->results = NULL;
    (void)torc_deferred_fire(self->result, results, dispose_results);
}

/* Of one among several that it says which. */
static torc_failure *failure_of_decider(group *self, torc_memory *memory) {
    torc_result *ended = &self->results->each[self->decider];
    torc_failure *cause = take_failure(ended);
    torc_failure *failure =
        torc_failure_new_at(memory, torc_failure_place(cause), ended->err,
                            "number %zu of %zu failed", self->decider + 1, self->count);

    torc_failure_add_cause(failure, cause);
    return failure;
}

static torc_failure *failure_of_all(group *self, torc_memory *memory) {
    torc_failure *failure =
        torc_failure_new_at(memory, self->result->made_at, self->results->each[0].err,
                            "none of %zu had a value", self->count);

    for (size_t i = 0; i < self->count; i++)
        torc_failure_add_member(failure, take_failure(&self->results->each[i]));
    return failure;
}

static void fail(group *self) {
    torc_memory *memory = &self->result->reactor->memory;

    if (self->decider < self->count) {
        const torc_err err = self->results->each[self->decider].err;
        (void)torc_deferred_fail_with(self->result, err, failure_of_decider(self, memory));
    } else {
        const torc_err err = self->results->each[0].err;
        (void)torc_deferred_fail_with(self->result, err, failure_of_all(self, memory));
    }
}

static void fire_winner(group *self) {
    torc_result *ended = &self->results->each[self->decider];
    const torc_result taken = *ended;

    *ended = (torc_result){0};
    if (self->winner && torc_deferred_is_wanted(self->result)) *self->winner = self->decider;
    (void)torc_deferred_fire(self->result, taken.value, taken.dispose);
}

/* All members have been told. */
static void end(group *self) {
    torc_reactor *reactor = self->result->reactor;
    const bool is_decided = self->decider < self->count;

    torc_call_cancel(&self->cancelling);
    if (self->kind == GROUP_SETTLED || (self->kind == GROUP_ALL && !is_decided))
        fire_all(self);
    else if (is_decided && !self->results->each[self->decider].err)
        fire_winner(self);
    else
        fail(self);
    torc_results_dispose(self->results);
    torc_dealloc(&reactor->memory, self);
}

/* ---- members ---- */

static void cancel_members(group *self) {
    for (size_t i = 0; i < self->count; i++) {
        torc_deferred *deferred = self->members[i].owner.callback.deferred;
        if (deferred) torc_deferred_cancel(deferred);
    }
}

static void run_cancelling(torc_call *call) {
    cancel_members(torc_container_of(call, group, cancelling));
}

static void cancel_group(torc_deferred *result, void *context) {
    (void)result;
    cancel_members(context);
}

static void want_no_other(group *self) {
    for (size_t i = 0; i < self->count; i++) {
        torc_deferred *deferred = self->members[i].owner.callback.deferred;
        if (deferred && !deferred->is_permanent && i != self->decider) deferred->is_unwanted = true;
    }
    torc_reactor_post(self->result->reactor, &self->cancelling);
}

/* It stands what the group ends with. */
static void decide(group *self, size_t decider) {
    if (self->decider < self->count) return;
    self->decider = decider;
    want_no_other(self);
}

static size_t number_of(const member *self) {
    return (size_t)(self - self->of->members);
}

/* A member of a race has a value; nobody may be called from here. */
static void member_decided(torc_owner *owner) {
    member *self = torc_container_of(owner, member, owner);
    group *of = self->of;

    if (of->decider < of->count) return;
    decide(of, number_of(self));
    torc_deferred_decide(of->result);
}

static void member_fired(torc_callback *callback, torc_err err, void *value) {
    member *self = torc_container_of(callback, member, owner.callback);
    group *of = self->of;
    torc_result *ended = &of->results->each[number_of(self)];

    *ended = (torc_result){.err = err, .value = value, .dispose = self->owner.dispose};
    if (err)
        ended->failure = torc_owner_take_failure(&self->owner, &of->result->reactor->memory, err);
    if (err && (of->kind == GROUP_ALL || of->kind == GROUP_FIRST)) decide(of, number_of(self));
    if (--of->left == 0) end(of);
}

/* ---- groups ---- */

static group *new_group(torc_reactor *reactor, group_kind kind, size_t count) {
    group *self = NULL;

    if (count <= (PTRDIFF_MAX - sizeof(*self)) / sizeof(member))
        self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1,
                               sizeof(*self) + count * sizeof(member));
    if (!self) return NULL;
    self->kind = kind;
    self->count = self->left = self->decider = count;
    self->cancelling.run = run_cancelling;
    self->results = new_results(&reactor->memory, count);
    self->result = torc_deferred_new(reactor);
    if (self->results && !torc_deferred_is_out_of_memory(self->result)) return self;

    torc_deferred_drop(self->result);
    (void)torc_deferred_fail(self->result, TORC_ERR_NO_MEMORY);
    torc_results_dispose(self->results);
    torc_dealloc(&reactor->memory, self);
    return NULL;
}

static void add_members(group *self, torc_deferred *const *deferreds) {
    const bool is_race = self->kind == GROUP_RACE || self->kind == GROUP_FIRST;

    for (size_t i = 0; i < self->count; i++) {
        member *each = &self->members[i];
        each->of = self;
        each->owner.result = self->result;
        each->owner.decided = is_race ? member_decided : NULL;
        torc_deferred_own(deferreds[i], &each->owner, member_fired);
    }
    /* Somebody may have decided it before the others were here. */
    if (self->decider < self->count) want_no_other(self);
}

static torc_deferred *make(torc_reactor *reactor, group_kind kind, torc_deferred *const *deferreds,
                           size_t count, size_t *winner) {
    group *self = new_group(reactor, kind, count);

    if (!self) {
        for (size_t i = 0; i < count; i++) torc_deferred_drop(deferreds[i]);
        return torc_deferred_permanent(reactor);
    }
    torc_deferred *result = self->result;
    self->winner = winner;
    result->is_link = true;
    torc_deferred_set_canceller(result, cancel_group, self);
    add_members(self, deferreds);
    if (count == 0) end(self);
    return result;
}

torc_deferred *torc_deferred_all(torc_reactor *reactor, torc_deferred *const *deferreds,
                                 size_t count) {
    return make(reactor, GROUP_ALL, deferreds, count, NULL);
}

torc_deferred *torc_deferred_all_settled(torc_reactor *reactor, torc_deferred *const *deferreds,
                                         size_t count) {
    return make(reactor, GROUP_SETTLED, deferreds, count, NULL);
}

torc_deferred *torc_deferred_race(torc_reactor *reactor, torc_deferred *const *deferreds,
                                  size_t count, size_t *winner) {
    if (count == 0) return torc_deferred_failed(reactor, TORC_ERR_INVALID);
    return make(reactor, GROUP_RACE, deferreds, count, winner);
}

torc_deferred *torc_deferred_first(torc_reactor *reactor, torc_deferred *const *deferreds,
                                   size_t count, size_t *winner) {
    if (count == 0) return torc_deferred_failed(reactor, TORC_ERR_INVALID);
    return make(reactor, GROUP_FIRST, deferreds, count, winner);
}
