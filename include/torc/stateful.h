/* SPDX-License-Identifier: MIT */
#ifndef TORC_STATEFUL_H
#define TORC_STATEFUL_H

#include <torc/buf.h>
#include <torc/transport.h>

/**
 * Protocols that are machines with states: each state is a function that is given exactly as many
 * bytes as it asked for, and says which comes next and how many bytes that needs.
 *
 *     static void got_head(torc_stateful *self, torc_str bytes) {
 *         torc_stateful_next(self, got_body, body_len_of(bytes));
 *     }
 *
 * A torc_stateful is embedded in a struct of the program's kind, as torc_protocol is. A state that
 * does not say what is next gets as many bytes again.
 */
typedef struct torc_stateful torc_stateful;
/** A state. The bytes are lent until it returns. */
typedef void torc_state_fn(torc_stateful *self, torc_str bytes);

typedef struct torc_stateful_ops {
    /** Say here what is first; `self->base.transport` may be used from now on. */
    void (*connection_made)(torc_stateful *self);
    /** As of torc_protocol_ops; what a state had not got all of is dropped. May be NULL. */
    void (*peer_ended)(torc_stateful *self);
    /** The connection is no more; free here. */
    void (*connection_lost)(torc_stateful *self, torc_err reason);
} torc_stateful_ops;

struct torc_stateful {
    torc_protocol base; /* what a factory's build_protocol gives */
    const torc_stateful_ops *ops;
    torc_state_fn *state; /* private, as what follows */
    size_t need;
    torc_buf kept; /* what has come of what the state needs */
};

TORC_BEGIN_DECLS

/** Make it ready for a connection; for build_protocol. It needs no counterpart. */
TORC_API void torc_stateful_init(torc_stateful *self, const torc_stateful_ops *ops);
/**
 * What is next: `state`, with `need` bytes, at least 1. In a callback. With 0 bytes it is whatever
 * comes, as it comes.
 */
TORC_API void torc_stateful_next(torc_stateful *self, torc_state_fn *state, size_t need);

TORC_END_DECLS

#endif
