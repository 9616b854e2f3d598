/* SPDX-License-Identifier: MIT */
#ifndef TORC_LINE_H
#define TORC_LINE_H

#include <torc/buf.h>
#include <torc/transport.h>

/**
 * Protocols that speak in lines.
 *
 * A torc_line_protocol is embedded in a struct of the program's kind, as torc_protocol is, and told
 * of lines in place of bytes. It may take over the bytes between them (raw mode). A line that came
 * whole is not copied. Pausing the transport in a callback pauses the lines behind this one, too.
 */
typedef struct torc_line_protocol torc_line_protocol;

typedef struct torc_line_ops {
    /** `self->base.transport` may be used from now on. May be NULL. */
    void (*connection_made)(torc_line_protocol *self);
    /** A line, without its end; lent until this returns. */
    void (*line_received)(torc_line_protocol *self, torc_str line);
    /**
     * Bytes in raw mode, lent. Answers how many were consumed; if not all and the mode is still
     * raw, receiving pauses, and the rest is given again after torc_transport_resume(). What
     * follows a change to line mode is lines. NULL where raw mode is not used.
     */
    size_t (*raw_received)(torc_line_protocol *self, torc_str bytes);
    /**
     * The peer will send no more; what it sent behind its last line end is dropped. May be NULL:
     * the connection is closed once what was written has left.
     */
    void (*peer_ended)(torc_line_protocol *self);
    /**
     * The connection is no more; free here. TORC_ERR_TOO_LARGE: it was aborted, since a line was
     * longer than `line_max`. Otherwise as of torc_protocol_ops.
     */
    void (*connection_lost)(torc_line_protocol *self, torc_err reason);
} torc_line_ops;

enum {
    TORC_LINE_MAX = 16384
};

struct torc_line_protocol {
    torc_protocol base; /* what a factory's build_protocol gives */
    const torc_line_ops *ops;
    /* What ends a line: "\r\n" at first; not empty. "\n" takes "\r\n", too. May be changed in a
     * callback. */
    const char *delimiter;
    uint32_t line_max; /* bytes, without the end: TORC_LINE_MAX at first */
    bool is_raw;       /* read it; torc_line_set_raw() changes it */
    torc_buf kept;     /* private: the beginning of a line */
};

TORC_BEGIN_DECLS

/** Make it ready for a connection; for build_protocol. It needs no counterpart. */
TORC_API void torc_line_init(torc_line_protocol *self, const torc_line_ops *ops);
/** Send a line, and its end. Must have no delimiter in it. */
TORC_API void torc_line_send(torc_line_protocol *self, torc_str line);
/** From the next byte on, take bytes as they come, or lines. In one of its callbacks. */
TORC_API void torc_line_set_raw(torc_line_protocol *self, bool is_raw);

TORC_END_DECLS

#endif
