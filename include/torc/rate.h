/* SPDX-License-Identifier: MIT */
#ifndef TORC_RATE_H
#define TORC_RATE_H

#include <torc/str.h>

/**
 * Rates, and where it is counted how much of them was used.
 *
 * A rate is a bucket that holds `burst` tokens and is filled evenly, `count` of them in `per_s`
 * seconds. Each request takes what it costs out of the bucket of its key, and is refused when that
 * is not there.
 *
 * A store keeps the buckets. There is one in memory here, and one that all workers of an app share
 * (torc_app_rate_store()); a program may bring its own, over a database say.
 */
typedef struct torc_rate {
    uint32_t count; /* so many, 1 to 1,000,000 … */
    uint32_t per_s; /* … in so many seconds, 1 to 2,678,400 (31 days): at most 100,000 a second */
    uint32_t burst; /* at once, up to 1,000,000; 0: `count` */
} torc_rate;

/** Enough for any rate as text, with the NUL. */
#define TORC_RATE_TEXT_MAX 48

/** What came of asking. */
typedef struct torc_rate_answer {
    bool is_allowed;
    uint32_t left;     /* tokens that are left */
    uint64_t retry_ms; /* until as many can be had as were asked for, if nobody else takes any */
    uint64_t full_ms;  /* until the bucket is full */
} torc_rate_answer;

typedef struct torc_rate_store torc_rate_store;
typedef struct torc_rate_store_ops {
    /**
     * Take `cost` tokens (at most what a bucket holds) out of the bucket of `key`, or none; 0 only
     * looks. A key's bucket is full before it is first seen. `now_us` is the reactor's time. An
     * error: nothing can be said of it.
     */
    torc_err (*take)(torc_rate_store *store, torc_str key, const torc_rate *rate, uint32_t cost,
                     uint64_t now_us, torc_rate_answer *answer);
    /** Its owner lets go of it. May be NULL. */
    void (*dispose)(torc_rate_store *store);
} torc_rate_store_ops;

/** Embedded in what a store is. */
struct torc_rate_store {
    const torc_rate_store_ops *ops;
    bool may_wait; /* `take` is called on a fiber, and may wait */
};

TORC_BEGIN_DECLS

/**
 * Read a rate as operators write it: "100/s", "30/min", "5000/h", "10/day", "100/10s"; and with a
 * burst: "10/s,burst=50". TORC_ERR_SYNTAX: it is none; TORC_ERR_LIMIT: beyond what a rate may be.
 */
TORC_API torc_err torc_rate_parse(torc_str text, torc_rate *rate) TORC_MUST_CHECK;
/** Whether a rate is within what is said at its members, and full within a year. */
TORC_API bool torc_rate_is_valid(const torc_rate *rate);
/** How many tokens its bucket holds. */
TORC_API uint32_t torc_rate_burst(const torc_rate *rate);
/** Write a rate as torc_rate_parse() reads it; NUL-ended, returns its slice. */
TORC_API torc_str torc_rate_text(const torc_rate *rate, char text[TORC_RATE_TEXT_MAX]);

/**
 * A store in the memory of this process, for at least `keys` keys at once, 16 bytes each. Beyond
 * them the bucket that is nearest to full is forgotten first. NULL when out of memory. It may be
 * used by several threads.
 */
TORC_API torc_rate_store *torc_rate_store_new(size_t keys);
TORC_API void torc_rate_store_free(torc_rate_store *store);

TORC_END_DECLS

#endif
