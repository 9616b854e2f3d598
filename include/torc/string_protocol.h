/* SPDX-License-Identifier: MIT */
#ifndef TORC_STRING_PROTOCOL_H
#define TORC_STRING_PROTOCOL_H

#include <torc/buf.h>
#include <torc/transport.h>

/**
 * Protocols that speak in strings of a length that is told before them: netstrings ("5:hello,"), or
 * behind a length of one, two or four bytes, the highest first.
 *
 * A torc_string_protocol is embedded in a struct of the program's kind, as torc_protocol is. A
 * string that came whole is not copied; of one that did not, no more is kept than has come. Pausing
 * the transport in a callback pauses the strings behind this one, too.
 */
typedef struct torc_string_protocol torc_string_protocol;

typedef enum torc_string_framing {
    TORC_STRING_NETSTRING,
    TORC_STRING_INT8,
    TORC_STRING_INT16,
    TORC_STRING_INT32
} torc_string_framing;

typedef struct torc_string_ops {
    /** `self->base.transport` may be used from now on. May be NULL. */
    void (*connection_made)(torc_string_protocol *self);
    /** A string; lent until this returns. */
    void (*string_received)(torc_string_protocol *self, torc_str string);
    /** As of torc_protocol_ops; what came of an unfinished string is dropped. May be NULL. */
    void (*peer_ended)(torc_string_protocol *self);
    /**
     * The connection is no more; free here. It was aborted with TORC_ERR_TOO_LARGE, since a string
     * was longer than `string_max`, or with TORC_ERR_PEER, since what came was no netstring.
     */
    void (*connection_lost)(torc_string_protocol *self, torc_err reason);
} torc_string_ops;

enum {
    TORC_STRING_MAX = 99999
};

struct torc_string_protocol {
    torc_protocol base; /* what a factory's build_protocol gives */
    const torc_string_ops *ops;
    uint32_t string_max; /* bytes of a string: TORC_STRING_MAX at first */
    uint8_t framing;     /* private, as what follows */
    torc_buf kept;       /* the beginning of a string, with its length */
};

TORC_BEGIN_DECLS

/** Make it ready for a connection; for build_protocol. It needs no counterpart. */
TORC_API void torc_string_init(torc_string_protocol *self, torc_string_framing framing,
                               const torc_string_ops *ops);
/**
 * Send a string. TORC_ERR_TOO_LARGE, with nothing sent, when its length does not fit into what is
 * told before it.
 */
TORC_API torc_err torc_string_send(torc_string_protocol *self, torc_str string) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
