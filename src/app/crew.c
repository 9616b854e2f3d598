/* SPDX-License-Identifier: MIT */
/*
 * Who serves which slot: starting workers, following what they say, replacing those that died.
 *
 * A worker's states, and who makes the transitions:
 *
 *   NONE      → STARTING  start()
 *   STARTING  → READY     is_ready()
 *   READY     → SERVING   promote(), which lets the one before it drain
 *   any       → DRAINING  yield(), drain(), stop(); is_leaving(), when somebody else told it to
 *   any       → NONE      ended()
 *
 *  - A slot has at most one worker that serves and one that is to be the next. While it has none
 *    that serves, a sibling accepts from its sockets.
 *  - A worker that dies is replaced, the first time at once and then after longer and longer; but
 *    when nobody has come to serve yet, the program cannot be started, and ends.
 *  - Nothing here waits: the parent's loop tells of messages, deaths and times.
 */
#include "app/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/worker.h"
#include "base/alloc.h"

enum {
    MEMBERS_PER_SLOT = 4, /* one serves, one comes, two drain */
    KILL_AFTER_MS = 2000  /* it should have ended: it hangs */
};

static void start_due(torc_crew *crew, torc_slot *slot, uint64_t delay_ms) {
    slot->start_at_ms = crew->now_ms + delay_ms;
    if (slot->start_at_ms == 0) slot->start_at_ms = 1;
}

static size_t index_of(const torc_crew *crew, const torc_slot *slot) {
    return (size_t)(slot - crew->slots);
}

/* ---- orders ---- */

static void order(torc_crew *crew, torc_member *member, torc_control_kind kind, size_t slot) {
    const torc_control_message message = {.kind = kind, .slot = (uint32_t)slot};

    if (member->control < 0) return;
    const torc_err err = torc_control_send(member->control, &message);
    if (err && err != TORC_ERR_LOST) /* one that has gone is seen elsewhere */
        TORC_LOG_WARN(crew->app->log, "app", "a worker does not take its orders",
                      TORC_LOG_INT("pid", member->pid),
                      TORC_LOG_TEXT("order", torc_control_name(kind)), TORC_LOG_ERR("error", err));
}

static void kill_within(torc_crew *crew, torc_member *member, uint64_t delay_ms) {
    const uint64_t at_ms = crew->now_ms + delay_ms;
    if (member->kill_at_ms == 0 || at_ms < member->kill_at_ms) member->kill_at_ms = at_ms;
}

/* ---- adoption ---- */

/* Of those who serve, the next one after a slot; NULL: nobody serves. */
static torc_member *find_sibling(const torc_crew *crew, size_t slot) {
    for (size_t i = 1; i < crew->slot_count; i++) {
        torc_member *member = crew->slots[(slot + i) % crew->slot_count].serving;
        if (member) return member;
    }
    return NULL;
}

/* See to it that somebody accepts from the sockets of a slot. */
static void adopt(torc_crew *crew, torc_slot *slot) {
    if (slot->serving || slot->adopter || crew->is_draining) return;
    slot->adopter = find_sibling(crew, index_of(crew, slot));
    if (slot->adopter) order(crew, slot->adopter, TORC_CONTROL_ADOPT, index_of(crew, slot));
}

/* A worker accepts nothing more: others do, from what it accepted from for others. */
static void pass_on(torc_crew *crew, const torc_member *member) {
    for (size_t i = 0; i < crew->slot_count; i++)
        if (crew->slots[i].adopter == member) {
            crew->slots[i].adopter = NULL;
            adopt(crew, &crew->slots[i]);
        }
}

/* ---- the ends of workers ---- */

/* It accepts nothing more, by itself or because it is told to. */
static void begin_draining(torc_crew *crew, torc_member *member) {
    torc_slot *slot = &crew->slots[member->slot];

    if (slot->serving == member) slot->serving = NULL;
    if (slot->next == member) slot->next = NULL;
    member->state = TORC_MEMBER_DRAINING;
    kill_within(crew, member, crew->drain_ms + KILL_AFTER_MS);
    pass_on(crew, member);
}

/* Others take over. */
static void yield(torc_crew *crew, torc_member *member) {
    begin_draining(crew, member);
    order(crew, member, TORC_CONTROL_YIELD, member->slot);
}

static void drain(torc_crew *crew, torc_member *member) {
    if (member->state == TORC_MEMBER_NONE) return;
    begin_draining(crew, member);
    order(crew, member, TORC_CONTROL_DRAIN, member->slot);
}

static void stop(torc_crew *crew, torc_member *member) {
    if (member->state == TORC_MEMBER_NONE) return;
    if (member->state != TORC_MEMBER_DRAINING) begin_draining(crew, member);
    order(crew, member, TORC_CONTROL_STOP, member->slot);
    kill_within(crew, member, KILL_AFTER_MS);
}

/* ---- starting ---- */

static torc_member *find_free(const torc_crew *crew) {
    for (size_t i = 0; i < crew->member_count; i++)
        if (crew->members[i].state == TORC_MEMBER_NONE) return &crew->members[i];
    return NULL;
}

static size_t count_free(const torc_crew *crew) {
    size_t count = 0;
    for (size_t i = 0; i < crew->member_count; i++)
        count += crew->members[i].state == TORC_MEMBER_NONE;
    return count;
}

/* In a worker: what is the parent's alone. A sibling that held the parent's end of a link would
 * keep its worker from seeing that the parent has died. */
static void close_parents(const torc_crew *crew) {
    for (size_t i = 0; i < crew->member_count; i++)
        if (crew->members[i].state != TORC_MEMBER_NONE && crew->members[i].control >= 0)
            close(crew->members[i].control);
    for (size_t i = 0; i < TORC_COUNT_OF(crew->inherited_fds); i++)
        if (crew->inherited_fds[i] >= 0) close(crew->inherited_fds[i]);
}

static torc_err fork_member(torc_crew *crew, torc_member *member, size_t slot) {
    int ends[2];
    const torc_err err = torc_control_open(ends);

    if (err) return err;
    fflush(NULL); /* what is still to be written is the parent's */
    const pid_t pid = fork();
    if (pid < 0) {
        const torc_err failure = torc_err_from_errno(errno);
        close(ends[0]);
        close(ends[1]);
        return failure;
    }
    if (pid == 0) {
        close(ends[0]);
        close_parents(crew);
        torc_worker_run(crew->app, slot, ends[1], member->place);
    }
    close(ends[1]);
    member->control = ends[0];
    member->pid = pid;
    return TORC_OK;
}

static void retry(torc_crew *crew, torc_slot *slot, uint64_t ran_ms) {
    const uint32_t delay_ms = torc_restart_next(&slot->restart, ran_ms);

    start_due(crew, slot, delay_ms);
    TORC_LOG_INFO(crew->app->log, "app", "a worker will be started",
                  TORC_LOG_UINT("worker", index_of(crew, slot)), TORC_LOG_UINT("in_ms", delay_ms));
}

/* Start the next worker of a slot. Without room for it, one that ends makes some. */
static torc_err start(torc_crew *crew, torc_slot *slot) {
    const size_t index = index_of(crew, slot);
    torc_member *member = find_free(crew);

    if (!member) return TORC_ERR_BUSY;
    torc_shared_enter(member->place, index, crew->generation, crew->now_ms);
    const torc_err err = fork_member(crew, member, index);
    if (err) return err;
    member->state = TORC_MEMBER_STARTING;
    member->slot = index;
    member->generation = crew->generation;
    member->started_ms = crew->now_ms;
    member->kill_at_ms = 0;
    member->is_killed = false;
    member->failure[0] = '\0';
    slot->next = member;
    slot->start_at_ms = 0;
    TORC_LOG_DEBUG(crew->app->log, "app", "a worker was started", TORC_LOG_UINT("worker", index),
                   TORC_LOG_INT("pid", member->pid), TORC_LOG_UINT("generation", crew->generation));
    return TORC_OK;
}

static void start_later(torc_crew *crew, torc_slot *slot, torc_err err) {
    TORC_LOG_ERROR(crew->app->log, "app", "a worker cannot be started",
                   TORC_LOG_UINT("worker", index_of(crew, slot)), TORC_LOG_ERR("error", err));
    retry(crew, slot, 0);
}

/* ---- taking over ---- */

/* The next worker of a slot serves, and the one before it drains. */
static void promote(torc_crew *crew, torc_slot *slot) {
    torc_member *old = slot->serving, *adopter = slot->adopter;
    const size_t index = index_of(crew, slot);

    slot->serving = slot->next;
    slot->next = NULL;
    slot->adopter = NULL;
    slot->serving->state = TORC_MEMBER_SERVING;
    order(crew, slot->serving, TORC_CONTROL_SERVE, index);
    if (old) yield(crew, old);
    if (adopter && adopter->state == TORC_MEMBER_SERVING)
        order(crew, adopter, TORC_CONTROL_RELEASE, index);
}

static bool all_next_are_ready(const torc_crew *crew) {
    for (size_t i = 0; i < crew->slot_count; i++)
        if (!crew->slots[i].next || crew->slots[i].next->state != TORC_MEMBER_READY) return false;
    return true;
}

static void finish_reload(torc_crew *crew) {
    if (!all_next_are_ready(crew)) return;
    for (size_t i = 0; i < crew->slot_count; i++) promote(crew, &crew->slots[i]);
    crew->is_reloading = false;
    TORC_LOG_INFO(crew->app->log, "app", "reloaded", TORC_LOG_UINT("generation", crew->generation));
    torc_app_tell(crew->app, TORC_APP_READY);
}

static void look_whether_complete(torc_crew *crew) {
    if (crew->is_complete) return;
    for (size_t i = 0; i < crew->slot_count; i++)
        if (!crew->slots[i].serving) return;
    crew->is_complete = true;
    torc_app_announce(crew->app);
    torc_app_tell(crew->app, TORC_APP_READY);
}

static void is_ready(torc_crew *crew, torc_member *member) {
    torc_slot *slot = &crew->slots[member->slot];

    if (member->state != TORC_MEMBER_STARTING) return;
    crew->has_served = true;
    member->state = TORC_MEMBER_READY;
    if (crew->is_reloading) {
        finish_reload(crew);
    } else {
        promote(crew, slot);
        look_whether_complete(crew);
    }
}

/* ---- reloading ---- */

static void give_up_next(torc_crew *crew, torc_slot *slot) {
    if (slot->next) stop(crew, slot->next);
    slot->next = NULL;
}

/* What serves goes on. */
static void fail_reload(torc_crew *crew, const char *why) {
    TORC_LOG_ERROR(crew->app->log, "app", "the reload failed; the former workers go on",
                   TORC_LOG_UINT("generation", crew->generation), TORC_LOG_TEXT("why", why));
    crew->is_reloading = false;
    for (size_t i = 0; i < crew->slot_count; i++) {
        give_up_next(crew, &crew->slots[i]);
        if (!crew->slots[i].serving) retry(crew, &crew->slots[i], 0);
    }
    torc_app_tell(crew->app, TORC_APP_READY);
}

static void begin_reload(torc_crew *crew) {
    crew->wants_reload = false;
    crew->is_reloading = true;
    crew->generation++;
    TORC_LOG_INFO(crew->app->log, "app", "reloading",
                  TORC_LOG_UINT("generation", crew->generation));
    torc_app_tell(crew->app, TORC_APP_RELOADING);
    for (size_t i = 0; i < crew->slot_count; i++) give_up_next(crew, &crew->slots[i]);
    for (size_t i = 0; i < crew->slot_count; i++) {
        const torc_err err = start(crew, &crew->slots[i]);
        if (err) {
            fail_reload(crew, torc_err_text(err));
            return;
        }
    }
}

/* When the one before is over, and those that drain have left room for another generation. */
static bool may_reload(const torc_crew *crew) {
    return crew->wants_reload && crew->is_complete && !crew->is_reloading && !crew->is_draining &&
           count_free(crew) >= crew->slot_count;
}

void torc_crew_reload(torc_crew *crew) {
    crew->wants_reload = !crew->is_draining;
}

/* ---- what workers say ---- */

static void is_leaving(torc_crew *crew, torc_member *member) {
    torc_slot *slot = &crew->slots[member->slot];

    if (member->state != TORC_MEMBER_SERVING && member->state != TORC_MEMBER_READY) return;
    TORC_LOG_INFO(crew->app->log, "app", "a worker was told to end",
                  TORC_LOG_UINT("worker", member->slot), TORC_LOG_INT("pid", member->pid));
    const bool was_next = slot->next == member;
    begin_draining(crew, member);
    if (crew->is_draining) return;
    if (was_next && crew->is_reloading) {
        fail_reload(crew, "a worker was told to end");
    } else {
        adopt(crew, slot);
        if (!slot->next) start_due(crew, slot, 0);
    }
}

void torc_crew_hear(torc_crew *crew, torc_member *member) {
    torc_control_message message;
    torc_err err = TORC_OK;

    while (member->control >= 0 && !(err = torc_control_receive(member->control, &message))) {
        if (message.kind == TORC_CONTROL_READY)
            is_ready(crew, member);
        else if (message.kind == TORC_CONTROL_DRAINING)
            is_leaving(crew, member);
        else if (message.kind == TORC_CONTROL_FAILED)
            memcpy(member->failure, message.text, sizeof(member->failure));
    }
    if (member->control < 0 || err == TORC_ERR_AGAIN) return;
    close(member->control); /* it is ending, as will be told */
    member->control = -1;
}

/* ---- deaths ---- */

/* Why a worker ended, in words. */
static void describe(const torc_member *member, int status, char text[320]) {
    if (member->failure[0])
        snprintf(text, 320, "%s", member->failure);
    else if (WIFSIGNALED(status))
        snprintf(text, 320, "signal %d: %s%s", WTERMSIG(status), strsignal(WTERMSIG(status)),
                 WCOREDUMP(status) ? ", with a core dump" : "");
    else
        snprintf(text, 320, "exit code %d", WEXITSTATUS(status));
}

static void fail_start(torc_crew *crew, const torc_member *member, const char *why) {
    char text[400];

    if (member->failure[0])
        snprintf(text, sizeof(text), "%s", why);
    else
        snprintf(text, sizeof(text), "worker %zu ended before it was ready: %s", member->slot, why);
    if (!crew->has_failed) (void)torc_app_fail(crew->app, text, NULL);
    crew->has_failed = true;
    torc_crew_stop(crew);
}

/* One that was to serve, or served, has ended unasked. */
static void died(torc_crew *crew, torc_member *member, torc_member_state state, int status) {
    torc_slot *slot = &crew->slots[member->slot];
    char why[320];

    describe(member, status, why);
    if (state == TORC_MEMBER_STARTING && !crew->has_served) {
        fail_start(crew, member, why);
        return;
    }
    TORC_LOG_ERROR(crew->app->log, "app", "a worker died", TORC_LOG_UINT("worker", member->slot),
                   TORC_LOG_INT("pid", member->pid), TORC_LOG_TEXT("why", why));
    if (state != TORC_MEMBER_SERVING && crew->is_reloading) {
        fail_reload(crew, why);
        return;
    }
    adopt(crew, slot);
    if (!slot->next) retry(crew, slot, crew->now_ms - member->started_ms);
}

/* It was to end, and did so in a way of its own. */
static void tell_disorder(const torc_crew *crew, const torc_member *member, int status) {
    char why[320];

    describe(member, status, why);
    TORC_LOG_WARN(
        crew->app->log, "app", "a worker did not end in order",
        TORC_LOG_UINT("worker", member->slot), TORC_LOG_INT("pid", member->pid),
        TORC_LOG_TEXT("why", member->is_killed ? "it took too long, and was killed" : why));
}

static void ended(torc_crew *crew, torc_member *member, int status) {
    torc_slot *slot = &crew->slots[member->slot];

    torc_crew_hear(crew, member); /* its last words: that it was told to end, say */
    const torc_member_state state = member->state;
    if (member->control >= 0) close(member->control);
    member->control = -1;
    if (slot->serving == member) slot->serving = NULL;
    if (slot->next == member) slot->next = NULL;
    member->state = TORC_MEMBER_NONE;
    pass_on(crew, member);
    torc_shared_leave(&crew->shared, member->place);
    if (state != TORC_MEMBER_DRAINING)
        died(crew, member, state, status);
    else if (status && !crew->has_failed)
        tell_disorder(crew, member, status);
}

/* Only our own: a program may have other children, whose ends are its business. */
static void reap_members(torc_crew *crew) {
    for (size_t i = 0; i < crew->member_count; i++) {
        torc_member *member = &crew->members[i];
        int status = 0;
        if (member->state != TORC_MEMBER_NONE && waitpid(member->pid, &status, WNOHANG) > 0)
            ended(crew, member, status);
    }
}

/* The first process of a container gets the orphans of all others. A worker may be among those that
 * end while it looks, so each is looked up. */
static void reap_all(torc_crew *crew) {
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < crew->member_count; i++) {
            torc_member *member = &crew->members[i];
            if (member->state == TORC_MEMBER_NONE || member->pid != pid) continue;
            ended(crew, member, status);
            break;
        }
}

void torc_crew_reap(torc_crew *crew) {
    if (getpid() == 1)
        reap_all(crew);
    else
        reap_members(crew);
}

/* ---- time ---- */

static void start_those_due(torc_crew *crew) {
    for (size_t i = 0; i < crew->slot_count; i++) {
        torc_slot *slot = &crew->slots[i];
        if (slot->start_at_ms == 0 || slot->start_at_ms > crew->now_ms) continue;
        slot->start_at_ms = 0;
        if (crew->is_draining || slot->next) continue;
        const torc_err err = start(crew, slot);
        if (err) start_later(crew, slot, err);
    }
}

static void kill_those_due(torc_crew *crew) {
    for (size_t i = 0; i < crew->member_count; i++) {
        torc_member *member = &crew->members[i];
        if (member->state == TORC_MEMBER_NONE || member->kill_at_ms == 0 || member->is_killed ||
            member->kill_at_ms > crew->now_ms)
            continue;
        member->is_killed = true;
        kill(member->pid, SIGKILL);
    }
}

void torc_crew_tick(torc_crew *crew, uint64_t now_ms) {
    crew->now_ms = now_ms;
    kill_those_due(crew);
    start_those_due(crew);
    if (may_reload(crew)) begin_reload(crew);
}

uint64_t torc_crew_due_ms(const torc_crew *crew) {
    uint64_t due_ms = UINT64_MAX;

    for (size_t i = 0; i < crew->slot_count; i++) {
        const uint64_t start_ms = crew->slots[i].start_at_ms;
        if (start_ms && start_ms < due_ms) due_ms = start_ms;
    }
    for (size_t i = 0; i < crew->member_count; i++) {
        const torc_member *member = &crew->members[i];
        if (member->state != TORC_MEMBER_NONE && member->kill_at_ms && !member->is_killed &&
            member->kill_at_ms < due_ms)
            due_ms = member->kill_at_ms;
    }
    return due_ms;
}

/* ---- all of them ---- */

static void order_all(torc_crew *crew, torc_control_kind kind) {
    for (size_t i = 0; i < crew->member_count; i++)
        if (crew->members[i].state != TORC_MEMBER_NONE)
            order(crew, &crew->members[i], kind, crew->members[i].slot);
}

void torc_crew_reopen_logs(torc_crew *crew) {
    order_all(crew, TORC_CONTROL_REOPEN);
}

void torc_crew_dump(torc_crew *crew) {
    order_all(crew, TORC_CONTROL_DUMP);
}

void torc_crew_renew_certificates(torc_crew *crew) {
    order_all(crew, TORC_CONTROL_RENEW);
}

void torc_crew_set_verbose(torc_crew *crew, bool is_verbose) {
    order_all(crew, is_verbose ? TORC_CONTROL_VERBOSE : TORC_CONTROL_USUAL);
}

static void start_no_more(torc_crew *crew) {
    crew->is_draining = true;
    crew->is_reloading = crew->wants_reload = false;
    for (size_t i = 0; i < crew->slot_count; i++) crew->slots[i].start_at_ms = 0;
}

void torc_crew_drain(torc_crew *crew) {
    start_no_more(crew);
    for (size_t i = 0; i < crew->member_count; i++) drain(crew, &crew->members[i]);
}

void torc_crew_stop(torc_crew *crew) {
    start_no_more(crew);
    crew->is_stopping = true;
    for (size_t i = 0; i < crew->member_count; i++) stop(crew, &crew->members[i]);
}

bool torc_crew_is_fresh(const torc_crew *crew, uint64_t within_ms) {
    size_t serving = 0;

    for (size_t i = 0; i < crew->slot_count; i++) {
        const torc_member *member = crew->slots[i].serving;
        if (!member) continue;
        serving++;
        if (atomic_load(&member->place->beat_ms) + within_ms < crew->now_ms) return false;
    }
    return serving > 0;
}

bool torc_crew_is_over(const torc_crew *crew) {
    return crew->is_draining && count_free(crew) == crew->member_count;
}

void torc_crew_start(torc_crew *crew) {
    crew->generation = 1;
    for (size_t i = 0; i < crew->slot_count; i++) start_due(crew, &crew->slots[i], 0);
}

bool torc_crew_init(torc_crew *crew, torc_app *app, size_t slot_count) {
    const torc_limits wide = torc_limits_default();

    *crew = (torc_crew){
        .app = app,
        .slot_count = slot_count,
        .member_count = MEMBERS_PER_SLOT * slot_count,
        .drain_ms = torc_limits_inherit(&app->settings.limits, &wide).drain_ms,
        .inherited_fds = {-1, -1},
    };
    crew->slots = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, slot_count, sizeof(*crew->slots));
    crew->members =
        torc_alloc_zero(NULL, TORC_MEMORY_OTHER, crew->member_count, sizeof(*crew->members));
    torc_err err = crew->slots && crew->members
                       ? torc_shared_open(&crew->shared, crew->member_count)
                       : TORC_ERR_NO_MEMORY;
    if (!err) err = torc_shared_take_rates(&crew->shared, &app->rates);
    if (err) return torc_app_fail(app, "workers", torc_err_text(err));
    for (size_t i = 0; i < crew->member_count; i++) {
        crew->members[i].control = -1;
        crew->members[i].place = &crew->shared.places[i];
    }
    return true;
}

void torc_crew_dispose(torc_crew *crew) {
    torc_dealloc(NULL, crew->slots);
    torc_dealloc(NULL, crew->members);
    crew->app->rates.table = NULL;
    torc_shared_close(&crew->shared);
}
