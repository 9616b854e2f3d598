/* SPDX-License-Identifier: MIT */
#ifndef TORC_BODY_STAGE_H
#define TORC_BODY_STAGE_H

#include <torc/request.h>

/**
 * Stages of a response's body: what is written passes through them on its way out. A coding is one.
 *
 * A stage is added to one response when that starts (see <torc/middleware.h>) and changes its
 * bytes. It is embedded in a struct of its own kind, in the request's arena mostly. The stage that
 * was added first is nearest to who writes. A body that nobody gets (of HEAD, of a 304) does not
 * pass. All functions are called in the thread of the request's reactor, and an error that one
 * answers makes the response fail. So does a stage that writes, replies or finishes by itself; it
 * may abort.
 */
typedef struct torc_body_stage torc_body_stage;

typedef struct torc_body_stage_ops {
    /** The next bytes of the body, lent: pass on by torc_body_stage_pass() what is ready. */
    torc_err (*write)(torc_body_stage *stage, torc_str bytes);
    /** Pass on all that was written so far, so that the peer can read it now. May be NULL. */
    torc_err (*flush)(torc_body_stage *stage);
    /** The body is complete: pass on the last of it. May be NULL. */
    torc_err (*end)(torc_body_stage *stage);
    /** Told once, at the end of the request at the latest, also if the peer is lost. May be NULL.
     */
    void (*dispose)(torc_body_stage *stage);
} torc_body_stage_ops;

struct torc_body_stage {
    const torc_body_stage_ops *ops;
    torc_request *request; /* private, as is what follows */
    torc_body_stage *next;
};

TORC_BEGIN_DECLS

/**
 * Add a stage to a response that is starting. Its length is unknown from then on, unless all of the
 * body is there: then it passes before the head goes, which tells the new length. Without memory
 * the response fails and the stage is disposed of.
 */
TORC_API void torc_response_add_stage(torc_request *request, torc_body_stage *stage);
/** From a stage's functions: hand on bytes, which are copied. */
TORC_API torc_err torc_body_stage_pass(torc_body_stage *stage, torc_str bytes) TORC_MUST_CHECK;

/**
 * While a response is starting: its body, if all of it is there (as by torc_reply_text()) and not
 * longer than `max`. Lives until the head has gone. False otherwise, or without memory.
 */
TORC_API bool torc_response_whole(torc_request *request, size_t max, torc_str *body);
/** How long the body will be, as was announced or as all of it is there; -1: not known. */
TORC_API int64_t torc_response_length(const torc_request *request);

TORC_END_DECLS

#endif
