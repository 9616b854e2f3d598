/* SPDX-License-Identifier: MIT */
#ifndef TORC_BUCKET_H
#define TORC_BUCKET_H

#include <torc/types.h>

/**
 * Token buckets: how much of something may be had by when. A bucket fills at a rate up to its
 * size, and what is had is taken out of it. Buckets stand in a tree: what is taken of one is taken
 * of all above it, and no more is given than each of these has: a connection's of its address's,
 * that of its listener's.
 *
 * A value; its parent must outlive it. Belongs to one thread.
 */
typedef struct torc_bucket torc_bucket;
struct torc_bucket {
    torc_bucket *parent;
    uint64_t rate;       /* tokens a second; 0: without end */
    uint64_t size;       /* tokens that it holds */
    uint64_t tokens;     /* private, as what follows */
    uint64_t millionths; /* of the next token */
    uint64_t at_us;      /* when it was filled */
};

TORC_BEGIN_DECLS

/**
 * Make a full bucket. `rate` 0 limits nothing; otherwise it is at most 10^12, and `size` too (0: a
 * second's worth). `parent` may be NULL.
 */
TORC_API void torc_bucket_init(torc_bucket *bucket, uint64_t rate, uint64_t size,
                               torc_bucket *parent, uint64_t now_us);
/** Take at most `want` tokens; answers how many it were. */
TORC_API uint64_t torc_bucket_take(torc_bucket *bucket, uint64_t want, uint64_t now_us);
/** Put back tokens that were taken and not needed. */
TORC_API void torc_bucket_give_back(torc_bucket *bucket, uint64_t tokens);
/** Microseconds until `want` tokens (of those that fit) can be had, if nobody else takes any. */
TORC_API uint64_t torc_bucket_wait_us(torc_bucket *bucket, uint64_t want, uint64_t now_us);
/** Whether it is full, so that forgetting it and making it anew is the same; without its parents.
 */
TORC_API bool torc_bucket_is_full(torc_bucket *bucket, uint64_t now_us);

TORC_END_DECLS

#endif
