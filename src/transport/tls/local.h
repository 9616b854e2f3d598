/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_TLS_LOCAL_H
#define TORC_TRANSPORT_TLS_LOCAL_H

#include <torc/tls.h>

#include "base/log_gate.h"
#include "reactor/reactor.h"
#include "transport/transport.h"

/*
 * What all TLS connections of a reactor share: room to decrypt into and to gather in, counters, and
 * what has failed so far. Made with the first of them.
 */
enum {
    TORC_TLS_PLAIN_BYTES = TORC_RECEIVE_SIZE,
    TORC_TLS_RECORD_BYTES = 16384, /* RFC 8446 §5.1 */
    TORC_TLS_WHY_MAX = 256,
    TORC_TLS_CAUSES_MAX = 32
};

/* A reason for which handshakes fail. */
typedef struct torc_tls_cause {
    uint32_t number;
    uint64_t count;
    torc_log_gate gate;
} torc_tls_cause;

typedef struct torc_tls_local {
    torc_reactor_guest guest;
    torc_reactor *reactor;
    char *plain;
    bool is_plain_lent;
    char *gather;               /* a record in the making */
    char why[TORC_TLS_WHY_MAX]; /* what the last verification has found */
    torc_counter handshakes, resumed, failed;
    torc_tls_cause causes[TORC_TLS_CAUSES_MAX];
    size_t cause_count;
} torc_tls_local;

/* The reactor's; NULL without memory. Once it is there it stays. */
torc_tls_local *torc_tls_local_of(torc_reactor *reactor);
/* Room for TORC_TLS_PLAIN_BYTES, until it is given back; NULL without memory. */
char *torc_tls_plain_take(torc_tls_local *local) TORC_MUST_CHECK;
void torc_tls_plain_give(torc_tls_local *local, char *plain);

/* What failed: who it was with, and why. */
typedef struct torc_tls_failure {
    uint32_t cause; /* those with the same number are told together */
    const char *text;
    bool is_client;
    bool is_handshake; /* or later */
    const char *name;  /* of the server; NULL: not known */
} torc_tls_failure;
/* Count it, and log it if it is the first of its kind, or the first for a minute. */
void torc_tls_note(torc_tls_local *local, torc_transport *below, const torc_tls_failure *failure);

#endif
