/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_PAIR_H
#define TORC_TESTS_PAIR_H

#include <torc/testing.h>
#include <torc/testing_transport.h>

#include "check.h"
#include "faults.h"
#include "protocol/exchange.h"

/*
 * Both ends of a wire, for cases that hold over every wire: who asks, and who answers. What an end
 * was told is recorded, and what must hold for each event and each call is checked where it
 * happens:
 *
 *  - no event comes from inside a call, after `closed`, or after a reset by the same end but
 *    `closed`;
 *  - the final head comes once, no body before it or after its end, never more than was wanted;
 *  - after `closed` every call answers TORC_ERR_GONE;
 *  - when the pair ends, each exchange was closed once, and all memory was given back.
 *
 * An allocation may be made to fail: then what a case expects is not looked at any more, and only
 * these hold.
 */
typedef enum wire_kind {
    WIRE_MEMORY, /* torc_test_request, which plays the client */
    WIRE_MUX,
    WIRE_HTTP1,
    WIRE_HTTP1_SCRAMBLED,
    WIRE_HTTP1_BYTEWISE,
    WIRE_HTTP1_EPOLL,
    WIRE_HTTP1_LATE,
    WIRES
} wire_kind;

enum {
    PAIR_MAX = 8,
    END_TEXT_MAX = 64
};

typedef struct pair pair;
typedef struct end end;
typedef void end_fn(end *self);

struct end {
    pair *pair;
    torc_exchange *exchange;           /* NULL: not there, or let go */
    struct torc_test_request *request; /* who asks, over WIRE_MEMORY */
    char asked[256];                   /* its head */
    bool is_client, is_kept;           /* is_kept: it does not let go when it is closed */
    bool was_let_go, was_reset, was_stopped;

    int interims, interim_status, heads, status, ends, drains, drainings, closes;
    torc_method method;
    char path[16];
    int64_t length;
    torc_err reason;
    uint64_t wanted, got;
    size_t long_len;             /* of the field X-Long */
    char text[END_TEXT_MAX + 1]; /* the first bytes of the body */
    char trailer[END_TEXT_MAX];  /* the value of X-Sum */
    bool is_pattern_broken;      /* some byte was not pattern_at() its place */

    uint64_t to_send; /* of the pattern, by end_pump() */
    bool is_pumping;
    char *sum; /* the trailer that ends it */
};

/* What a case does from inside events; any may be NULL. */
typedef struct pair_hooks {
    end_fn *head, *body, *ended, *closed;
} pair_hooks;

struct pair {
    wire_kind kind;
    torc_reactor *reactor;
    torc_acceptor acceptor;
    torc_limits limits;
    struct torc_test_mux *mux;
    struct torc_http1_server *server;
    struct torc_http1_client *client;
    torc_test_connection *near, *far;
    torc_transport *near_transport; /* of a pair of sockets */
    end clients[PAIR_MAX], servers[PAIR_MAX], none;
    unsigned client_count, server_count;
    pair_hooks at_client, at_server;
    faults faults;
    torc_test_call failing; /* a kind of which one is to fail … */
    uint64_t fails_at;      /* … this one; 0: none */
    bool refuses;           /* the acceptor does */
    unsigned in_call;
    uint64_t events;
    bool may_be_closed; /* when something is asked */
    bool is_idle;       /* another exchange may be opened on a connection of HTTP/1 */
    uint64_t large;     /* bytes of a body that does not fit anywhere */
};

/* `fail_at`: the allocation that is to fail from now on, 0: none; with all that come after it, or
 * not. */
void pair_open(pair *self, wire_kind kind, uint64_t fail_at, bool all_from);
/* Let the n-th system call of a kind fail from now on. */
void pair_fail_call(pair *self, torc_test_call call, uint64_t n, int number);
/* End it, and check what must hold then. True: the allocation that was to fail was reached. */
bool pair_close(pair *self);
/* One turn, and no more. */
void pair_turn(pair *self);
/* Turn until nothing happens any more. */
void pair_run(pair *self);
bool pair_is_http1(const pair *self);
/* The peer of both ends is lost. */
void pair_break(pair *self);
void pair_drain(pair *self);
/* What is expected only while no allocation has failed. */
bool pair_is_whole(const pair *self);

/* Ask: the next of `clients`. `line` is "METHOD TARGET"; `fields` are lines, or NULL. */
end *pair_ask(pair *self, const char *line, const char *fields, int64_t body_len);
/* The n-th that was asked; an end at which nothing happens when it never came. */
end *pair_server(pair *self, unsigned n);

torc_err end_answer(end *self, int status, const char *fields, int64_t body_len);
torc_err end_send(end *self, torc_str bytes);
/* Send a range of a file. */
torc_err end_send_file(end *self, torc_shared_file *file, uint64_t offset, uint64_t len);
/* `sum`: the value of the trailer X-Sum, or NULL. */
torc_err end_finish(end *self, const char *sum);
void end_want(end *self, size_t bytes);
void end_stop(end *self);
void end_reset(end *self, torc_err reason);
torc_err end_tunnel(end *self);
torc_err end_hand_over(end *self, torc_factory *factory);
torc_err end_send_whole(end *self, int status, torc_str body);
void end_let_go(end *self);
size_t end_room(end *self);
/* Send so many bytes of the pattern, as room allows, and the end. */
void end_pump(end *self, uint64_t bytes, char *sum);
char pattern_at(uint64_t place);

#define expect(pair_, condition)                                                                   \
    do {                                                                                           \
        const bool holds_ = (condition);                                                           \
        if (pair_is_whole(pair_)) assert_true(holds_);                                             \
    } while (0)
#define expect_int(pair_, value, expected)                                                         \
    do {                                                                                           \
        const int64_t value_ = (int64_t)(value), expected_ = (int64_t)(expected);                  \
        if (pair_is_whole(pair_)) assert_int_equal(value_, expected_);                             \
    } while (0)
#define expect_text(pair_, value, expected)                                                        \
    do {                                                                                           \
        if (pair_is_whole(pair_)) assert_string_equal((value), (expected));                        \
    } while (0)

#endif
