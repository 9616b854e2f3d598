/* SPDX-License-Identifier: MIT */
/*
 * Token buckets.
 *
 *  - A bucket is filled when it is looked at. What has come of the next token is kept, so looking
 *    often gains and loses nothing. A full bucket keeps nothing of it.
 *  - Rates and sizes of at most 10^12 keep all products within 64 bits.
 */
#include <torc/bucket.h>

enum {
    SECOND_US = 1000000
};

void torc_bucket_init(torc_bucket *bucket, uint64_t rate, uint64_t size, torc_bucket *parent,
                      uint64_t now_us) {
    if (!size) size = rate;
    *bucket = (torc_bucket){
        .parent = parent, .rate = rate, .size = size, .tokens = size, .at_us = now_us};
}

/* Microseconds until `tokens` more have come. */
static uint64_t time_of(const torc_bucket *bucket, uint64_t tokens) {
    return (tokens * SECOND_US - bucket->millionths + bucket->rate - 1) / bucket->rate;
}

static void fill(torc_bucket *bucket, uint64_t now_us) {
    if (now_us <= bucket->at_us) return;
    const uint64_t lacking = bucket->size - bucket->tokens, passed = now_us - bucket->at_us;
    bucket->at_us = now_us;
    if (lacking == 0 || passed >= time_of(bucket, lacking)) {
        bucket->tokens = bucket->size;
        bucket->millionths = 0;
        return;
    }
    const uint64_t come = passed % SECOND_US * bucket->rate + bucket->millionths;
    bucket->tokens += passed / SECOND_US * bucket->rate + come / SECOND_US;
    bucket->millionths = come % SECOND_US;
}

uint64_t torc_bucket_take(torc_bucket *bucket, uint64_t want, uint64_t now_us) {
    for (torc_bucket *each = bucket; each; each = each->parent) {
        if (!each->rate) continue;
        fill(each, now_us);
        if (each->tokens < want) want = each->tokens;
    }
    for (torc_bucket *each = bucket; each; each = each->parent)
        if (each->rate) each->tokens -= want;
    return want;
}

void torc_bucket_give_back(torc_bucket *bucket, uint64_t tokens) {
    for (torc_bucket *each = bucket; each; each = each->parent) {
        if (!each->rate) continue;
        const uint64_t room = each->size - each->tokens;
        each->tokens += tokens < room ? tokens : room;
    }
}

uint64_t torc_bucket_wait_us(torc_bucket *bucket, uint64_t want, uint64_t now_us) {
    uint64_t longest = 0;

    for (torc_bucket *each = bucket; each; each = each->parent) {
        if (!each->rate) continue;
        fill(each, now_us);
        const uint64_t needed = want < each->size ? want : each->size;
        if (needed <= each->tokens) continue;
        const uint64_t wait = time_of(each, needed - each->tokens);
        if (wait > longest) longest = wait;
    }
    return longest;
}

bool torc_bucket_is_full(torc_bucket *bucket, uint64_t now_us) {
    if (!bucket->rate) return true;
    fill(bucket, now_us);
    return bucket->tokens == bucket->size;
}
