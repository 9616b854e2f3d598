/* SPDX-License-Identifier: MIT */
#ifndef TORC_HTTP_STAGING_H
#define TORC_HTTP_STAGING_H

#include <torc/body_stage.h>

#include "http/request_state.h"

/*
 * The stages of one response, between who writes its body and the wire. In the request's arena.
 */
typedef struct torc_staging {
    torc_body_stage *first; /* nearest to who writes */
    torc_chain out;         /* what has passed all of them */
    uint64_t written;       /* bytes that were given to the first */
    uint64_t length;        /* that were announced, when `has_length` */
    bool has_length;
    bool is_passing; /* a stage is called */
} torc_staging;

/* Whether a stage is called, which may neither write nor finish: that fails the response. */
static inline bool torc_staging_refuses(torc_request *request) {
    if (!request->staging || !request->staging->is_passing) return false;
    torc_response_fail(request, TORC_ERR_STATE);
    return true;
}

/* Let bytes pass: what comes of it is in `out`. */
torc_err torc_staging_write(torc_staging *staging, torc_str bytes) TORC_MUST_CHECK;
/* Let a range of a file pass, read on a thread when this is a fiber; at most `max` bytes of it,
 * `*done` tells how many. */
torc_err torc_staging_write_file(torc_request *request, torc_shared_file *file, uint64_t offset,
                                 size_t max, size_t *done) TORC_MUST_CHECK;
torc_err torc_staging_flush(torc_staging *staging) TORC_MUST_CHECK;
torc_err torc_staging_end(torc_staging *staging) TORC_MUST_CHECK;
/* The request is over, or its response begins anew: drop the stages. */
void torc_staging_drop(torc_request *request);

#endif
