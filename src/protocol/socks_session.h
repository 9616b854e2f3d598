/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_SOCKS_SESSION_H
#define TORC_PROTOCOL_SOCKS_SESSION_H

#include <torc/names.h>
#include <torc/socks.h>
#include <torc/stateful.h>

#include "base/log_gate.h"
#include "protocol/relay.h"

/*
 * A connection of a SOCKS server: what it wants is read by socks_read.c, and done by socks.c.
 */
enum {
    TORC_SOCKS_TEXT_MAX = 255
};

enum {
    TORC_SOCKS_CONNECT = 1,
    TORC_SOCKS_BIND = 2
};

/* What is answered, as version 5 numbers it (RFC 1928 §6). */
enum {
    TORC_SOCKS_GRANTED = 0,
    TORC_SOCKS_FAILED = 1,
    TORC_SOCKS_NOT_ALLOWED = 2,
    TORC_SOCKS_UNREACHABLE = 4,
    TORC_SOCKS_REFUSED = 5,
    TORC_SOCKS_TOOK_TOO_LONG = 6,
    TORC_SOCKS_NO_SUCH_COMMAND = 7,
    TORC_SOCKS_NO_SUCH_KIND = 8
};

struct torc_socks {
    torc_factory factory;
    torc_reactor *reactor;
    torc_socks_options options;
    torc_socks_rule *rules;
    uint32_t connections;
    uint64_t spliced;
    bool is_free; /* its owner has let go */
    torc_log_gate refused;
};

typedef struct torc_socks_session {
    torc_socks *socks;
    torc_stateful machine;
    torc_relay relay;
    torc_timer timer; /* of the request, then of a TORC_SOCKS_BIND */
    torc_call go;     /* the request is whole */
    uint8_t version, command, kind;
    uint16_t port;
    uint32_t text_len;
    char text[TORC_SOCKS_TEXT_MAX + 1]; /* a user, then the host; NUL-ended */
    torc_addr addr;                     /* none: `text` is the host's name */
    torc_callback resolving;
    torc_addr_list *list; /* where to try, and what is next of it */
    size_t next;
    uint8_t answer;          /* why the last of them did not do */
    torc_listener *listener; /* of a TORC_SOCKS_BIND */
    torc_factory bound;      /* its factory */
} torc_socks_session;

/* The first state. */
void torc_socks_read(torc_socks_session *session);
/* For what reads: the request is whole. */
void torc_socks_request_received(torc_socks_session *session);
/* For what reads: it is refused, with this answer, and this line in the log. */
void torc_socks_refuse(torc_socks_session *session, uint8_t with, const char *why);

#endif
