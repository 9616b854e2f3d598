/* SPDX-License-Identifier: MIT */
#ifndef TORC_SCHEDULE_H
#define TORC_SCHEDULE_H

#include <torc/cron.h>
#include <torc/deferred.h>

/**
 * What is done by the clock on the wall: jobs by cron expressions, and waiting until a time.
 *
 * Clocks are set. Whatever waits here looks at the clock at least once a minute, so that a time
 * that was jumped over is noticed within one (so it is when the machine was asleep). What was due
 * meanwhile is done once, and the others are counted as missed. A clock that is set back by less
 * than three hours lets nothing be done twice; one that is set back further was wrong before, and
 * everything goes by it anew.
 */

/** A job that is done at the times of a cron expression. */
typedef struct torc_cron_job torc_cron_job;

/** What a run is for. */
typedef struct torc_cron_run {
    int64_t due;     /* the time that it was planned for, in seconds since 1970 UTC */
    uint64_t missed; /* times between the last run and this for which there was none */
} torc_cron_run;

/** A run. NULL: it is over; or a deferred: it is over when that has fired. Its value is disposed
 * of; its failure is logged, and the job goes on. */
typedef torc_deferred *torc_cron_fn(void *context, const torc_cron_run *run);
/** The same on a fiber of its own, where it may wait; `run` stays as long as that. */
typedef torc_err torc_cron_fiber_fn(void *context, const torc_cron_run *run);

/** What is done at a time at which the last run is not over. */
typedef enum torc_overlap {
    TORC_OVERLAP_SKIP, /* nothing: it is missed */
    TORC_OVERLAP_QUEUE /* run once when that is over; what is due besides is missed */
} torc_overlap;

/** How a job is done; `size` first. Zero: default. */
typedef struct torc_cron_options {
    size_t size;        /* sizeof(torc_cron_options) */
    const char *name;   /* in logs; copied, 63 bytes at most. NULL: the expression */
    const char *zone;   /* as torc_zone_load() reads it; NULL: "local" */
    uint64_t jitter_ms; /* each run is later by a random time below this */
    torc_overlap overlap;
    torc_dispose_fn *dispose; /* is given the context when the job is gone, and its last run over;
                                 not when it could not be made */
} torc_cron_options;

TORC_BEGIN_DECLS

/**
 * Do a job at the times of an expression, from now on. `options` may be NULL. On failure `error`,
 * which may be NULL, says what is wrong with the expression (TORC_ERR_SYNTAX, TORC_ERR_INVALID) or
 * with the zone (TORC_ERR_NOT_FOUND); TORC_ERR_NO_MEMORY. Free it before the reactor.
 */
TORC_API torc_err torc_cron_job_new(torc_reactor *reactor, const char *expression,
                                    const torc_cron_options *options, torc_cron_fn *run,
                                    void *context, torc_cron_error *error,
                                    torc_cron_job **job) TORC_MUST_CHECK;
/** The same, each run on a fiber. One for which there is no fiber to be had is missed. */
TORC_API torc_err torc_cron_job_new_on_fiber(torc_reactor *reactor, const char *expression,
                                             const torc_cron_options *options,
                                             torc_cron_fiber_fn *run, void *context,
                                             torc_cron_error *error,
                                             torc_cron_job **job) TORC_MUST_CHECK;
/** When it is due next, in seconds since 1970 UTC. */
TORC_API int64_t torc_cron_job_next(const torc_cron_job *job);
/** Whether a run is not over. */
TORC_API bool torc_cron_job_is_busy(const torc_cron_job *job);
/** How many runs have begun, and how many times were missed. */
TORC_API uint64_t torc_cron_job_runs(const torc_cron_job *job);
TORC_API uint64_t torc_cron_job_missed(const torc_cron_job *job);
/** Do it no more: the run in progress is cancelled, and the job freed when that has let go, which
 * may be now. From anywhere, the run itself too. NULL is fine. */
TORC_API void torc_cron_job_free(torc_cron_job *job);

/** The next moment after `after` at which clocks in `zone` (NULL: UTC) show this time of day, by
 * the rules of torc_cron for fixed times. For one-shot jobs. */
TORC_API int64_t torc_time_of_day_next(const torc_zone *zone, int hour, int minute, int64_t after);
/** Fires, with no value, at a time of the wall's clock (seconds since 1970 UTC) or soon after. */
TORC_API torc_deferred *torc_defer_until(torc_reactor *reactor, int64_t seconds);
/** The same on a fiber: TORC_OK, or the reason of a cancel. */
TORC_API torc_err torc_sleep_until(torc_reactor *reactor, int64_t seconds) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
