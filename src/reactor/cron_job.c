/* SPDX-License-Identifier: MIT */
/*
 * Jobs by cron expressions.
 *
 *  - The timer is armed as long as the job is not freed, also while a run goes on: what is due then
 *    is missed, or queued.
 *  - `next` is the time that the timer is for; jitter is added to it.
 *  - What was done is not done again: `next` is after every time that was. But for a clock that is
 *    set back by hours.
 *  - It is freed when it was told to be, and no run is in progress.
 */
#include <stdio.h>
#include <torc/log.h>
#include <torc/schedule.h>

#include "base/alloc.h"
#include "base/options.h"
#include "base/siphash.h"
#include "base/spread.h"
#include "reactor/errand.h"
#include "reactor/wall_timer.h"

enum {
    NAME_SIZE = 64,
    MISSED_COUNTED = 1000 /* at a jump of the clock; beyond, they are not counted one by one */
};

static const int64_t SECOND_US = 1000000;
static const int64_t SET_BACK_US = INT64_C(3) * 3600 * 1000000; /* as cron(8) has it */

struct torc_cron_job {
    torc_errand errand;
    torc_wall_timer timer;
    torc_cron cron;
    torc_zone *zone;
    torc_cron_fn *on_due;
    torc_cron_fiber_fn *on_due_on_fiber;
    void *context;
    torc_dispose_fn *dispose;
    torc_overlap overlap;
    torc_cron_run run, queued; /* in progress; and what is due when that is over */
    int64_t next, looked_us;
    uint64_t jitter_ms, seed, runs, missed, missed_since; /* the last: since the last run */
    bool is_queued, is_freed;
    char name[NAME_SIZE];
};

static torc_cron_job *of_errand(torc_errand *errand) {
    return torc_container_of(errand, torc_cron_job, errand);
}

static torc_cron_job *of_timer(torc_wall_timer *timer) {
    return torc_container_of(timer, torc_cron_job, timer);
}

static int64_t seconds_of(int64_t us) {
    return us / SECOND_US - (us % SECOND_US < 0);
}

/* ---- when ---- */

static int64_t jitter_us(torc_cron_job *self) {
    if (self->jitter_ms == 0) return 0;
    return (int64_t)(torc_spread_next(&self->seed) % self->jitter_ms) * 1000;
}

/* Wait for the first time after `seconds`. */
static void plan(torc_cron_job *self, int64_t seconds) {
    self->next = torc_cron_next(&self->cron, self->zone, seconds);
    if (self->next == INT64_MAX) {
        torc_wall_timer_cancel(&self->timer);
        TORC_LOG_WARN(torc_reactor_log(self->errand.reactor), "cron",
                      "a job never runs: its zone's clocks leave out all of its hours",
                      TORC_LOG_TEXT("job", self->name));
        return;
    }
    torc_wall_timer_arm(&self->timer, self->next * SECOND_US + jitter_us(self));
}

static void miss(torc_cron_job *self, uint64_t count) {
    self->missed += count;
    self->missed_since += count;
}

/* ---- runs ---- */

static void begin(torc_cron_job *self, int64_t due) {
    const uint64_t missed = self->missed_since;

    self->run = (torc_cron_run){.due = due, .missed = missed};
    self->missed_since = 0;
    self->runs++;
    const torc_err err = torc_errand_begin(&self->errand); /* may free it */
    if (!err) return;
    self->runs--;
    self->missed_since = missed;
    miss(self, 1);
    TORC_LOG_WARN(torc_reactor_log(self->errand.reactor), "cron", "a job could not begin",
                  TORC_LOG_TEXT("job", self->name), TORC_LOG_ERR("error", err));
}

static void free_now(torc_cron_job *self) {
    torc_memory *memory = torc_reactor_memory(self->errand.reactor);

    torc_deferred_dispose_of(self->context, self->dispose);
    torc_zone_free(self->zone);
    torc_dealloc(memory, self);
}

static void over(torc_errand *errand, torc_err err) {
    torc_cron_job *self = of_errand(errand);

    if (self->is_freed) {
        free_now(self);
        return;
    }
    if (err)
        TORC_LOG_ERROR(torc_reactor_log(errand->reactor), "cron", "a job has failed",
                       TORC_LOG_TEXT("job", self->name), TORC_LOG_ERR("error", err));
    if (!self->is_queued) return;
    self->is_queued = false;
    begin(self, self->queued.due);
}

static torc_deferred *run(torc_errand *errand) {
    torc_cron_job *self = of_errand(errand);
    return self->on_due(self->context, &self->run);
}

static torc_err run_on_fiber(torc_errand *errand) {
    torc_cron_job *self = of_errand(errand);
    return self->on_due_on_fiber(self->context, &self->run);
}

static const torc_errand_ops errand_ops = {.run = run, .run_on_fiber = run_on_fiber, .over = over};

/* A time has come while a run is in progress. */
static void overlap(torc_cron_job *self, int64_t due) {
    if (self->overlap == TORC_OVERLAP_SKIP) {
        miss(self, 1);
        return;
    }
    if (self->is_queued) miss(self, 1);
    self->is_queued = true;
    self->queued.due = due;
}

/* The last of the times that have come, the others of which are missed. */
static int64_t last_due(torc_cron_job *self, int64_t now) {
    int64_t due = self->next;

    for (int i = 0; i < MISSED_COUNTED; i++) {
        const int64_t next = torc_cron_next(&self->cron, self->zone, due);
        if (next > now) break;
        miss(self, 1);
        due = next;
    }
    return due;
}

static void expired(torc_wall_timer *timer, int64_t now_us) {
    torc_cron_job *self = of_timer(timer);
    const int64_t now = seconds_of(now_us), due = last_due(self, now);

    self->looked_us = now_us;
    plan(self, now);
    if (self->errand.is_busy)
        overlap(self, due);
    else
        begin(self, due);
}

static void looked(torc_wall_timer *timer, int64_t now_us) {
    torc_cron_job *self = of_timer(timer);
    const bool was_set_back = now_us < self->looked_us - SET_BACK_US;

    /* What is due stays so, if the clock was set back a little: until it comes to where it was. */
    if (was_set_back) plan(self, seconds_of(now_us));
    if (was_set_back || now_us > self->looked_us) self->looked_us = now_us;
}

/* ---- life ---- */

static void explain_zone(const char *name, torc_err err, torc_cron_error *error) {
    if (!error) return;
    error->place = 0;
    if (err == TORC_ERR_NOT_FOUND || err == TORC_ERR_INVALID)
        snprintf(error->text, sizeof(error->text),
                 "there is no time zone \"%.40s\" here: is it spelt as in the tz database, and is "
                 "tzdata installed?",
                 name);
    else
        snprintf(error->text, sizeof(error->text), "time zone \"%.40s\": %s", name,
                 torc_err_text(err));
}

static torc_cron_options read_options(const torc_cron_options *given) {
    torc_cron_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    if (!options.zone) options.zone = "local";
    return options;
}

/* All but what is run; `cron` was read. */
static torc_err make(torc_reactor *reactor, const torc_cron *cron, const char *expression,
                     const torc_cron_options *options, torc_cron_error *error,
                     torc_cron_job **job) {
    torc_memory *memory = torc_reactor_memory(reactor);
    torc_zone *zone;
    torc_err err = torc_zone_load(memory, options->zone, &zone);

    if (err) {
        explain_zone(options->zone, err, error);
        return err == TORC_ERR_INVALID ? TORC_ERR_NOT_FOUND : err;
    }
    torc_cron_job *self = torc_alloc_zero(memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    if (!self) {
        torc_zone_free(zone);
        if (error)
            snprintf(error->text, sizeof(error->text), "%s", torc_err_text(TORC_ERR_NO_MEMORY));
        return TORC_ERR_NO_MEMORY;
    }
    self->cron = *cron;
    self->zone = zone;
    self->jitter_ms = options->jitter_ms;
    self->overlap = options->overlap;
    self->dispose = options->dispose;
    self->seed = torc_siphash_key_random().words[0] | 1;
    snprintf(self->name, sizeof(self->name), "%s", options->name ? options->name : expression);
    *job = self;
    return TORC_OK;
}

static torc_err start(torc_reactor *reactor, const char *expression, const torc_cron_options *given,
                      bool on_fiber, torc_cron_error *error, torc_cron_job **job) {
    const torc_cron_options options = read_options(given);
    torc_cron cron;
    torc_err err = torc_cron_parse(torc_str_of(expression), &cron, error);

    if (!err) err = make(reactor, &cron, expression, &options, error, job);
    if (err) return err;
    torc_cron_job *self = *job;
    torc_errand_init(&self->errand, reactor, &errand_ops, on_fiber);
    torc_wall_timer_init(&self->timer, reactor, expired);
    self->timer.looked = looked;
    self->looked_us = torc_reactor_wall_us(reactor);
    plan(self, seconds_of(self->looked_us));
    return TORC_OK;
}

torc_err torc_cron_job_new(torc_reactor *reactor, const char *expression,
                           const torc_cron_options *options, torc_cron_fn *on_due, void *context,
                           torc_cron_error *error, torc_cron_job **job) {
    const torc_err err = start(reactor, expression, options, false, error, job);

    if (err) return err;
    (*job)->on_due = on_due;
    (*job)->context = context;
    return TORC_OK;
}

torc_err torc_cron_job_new_on_fiber(torc_reactor *reactor, const char *expression,
                                    const torc_cron_options *options, torc_cron_fiber_fn *on_due,
                                    void *context, torc_cron_error *error, torc_cron_job **job) {
    const torc_err err = start(reactor, expression, options, true, error, job);

    if (err) return err;
    (*job)->on_due_on_fiber = on_due;
    (*job)->context = context;
    return TORC_OK;
}

int64_t torc_cron_job_next(const torc_cron_job *job) {
    return job->next;
}

bool torc_cron_job_is_busy(const torc_cron_job *job) {
    return job->errand.is_busy;
}

uint64_t torc_cron_job_runs(const torc_cron_job *job) {
    return job->runs;
}

uint64_t torc_cron_job_missed(const torc_cron_job *job) {
    return job->missed;
}

void torc_cron_job_free(torc_cron_job *job) {
    if (!job || job->is_freed) return;
    job->is_freed = true;
    torc_wall_timer_cancel(&job->timer);
    if (job->errand.is_busy)
        torc_errand_cancel(&job->errand);
    else
        free_now(job);
}
