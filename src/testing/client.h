/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_CLIENT_PARTS_H
#define TORC_TESTING_CLIENT_PARTS_H

#include <torc/arena.h>
#include <torc/json_value.h>
#include <torc/testing_client.h>

#include "base/list.h"
#include "base/page.h"

/*
 * A client of tests, for the files that it is made of.
 */

/* A request that the client has made; it lives as long as the client. */
typedef struct torc_test_asked torc_test_asked;
struct torc_test_asked {
    torc_test_asked *next;
    torc_test_request *request;
    const char *place; /* where it was asked */
    const char *line;  /* its method and target, in the client's arena */
    const char *host;  /* the same of its Host */
    bool is_secure;    /* over https */
    bool has_cookies_taken;
    const torc_json_value *json; /* the document that its body is, once asked for */
    size_t json_len;             /* of the body then */
};

struct torc_test_client {
    torc_reactor *reactor; /* NULL: it could not be made, which was told */
    torc_test_log *log;
    torc_site *site; /* the client's own; NULL: none */
    torc_app *app;   /* the same */
    torc_acceptor *acceptor;
    torc_limits limits;
    torc_page_pool pages;
    torc_arena arena;
    const char *place; /* where it was made */
    torc_test_asked *first, **end, *looked_at;
    torc_fields fields, next_fields; /* of all requests, and of the next one */
    torc_addr peer;
    size_t piece_bytes, slow_bytes;
    uint64_t piece_ms, slow_ms;
    uint32_t redirects_max, redirects;
    struct torc_test_descriptors
        *descriptors; /* those that were open before; NULL: not looked at */
    size_t memory_before;
    torc_list cookies;
    bool keeps_cookies;
    bool is_secure;             /* it asks over https */
    bool has_started;           /* the app has */
    struct torc_shared *shared; /* in which it counts rates; NULL: none */
};

/* Make a client over a reactor of its own, with nobody to ask. */
torc_test_client *torc_test_client_make(const char *place, const torc_reactor_options *options,
                                        const torc_limits *limits);
/* Let an app stop, and free it. */
void torc_test_client_stop_app(torc_test_client *client);
/* The request that is looked at; NULL: none, which is told. */
const torc_test_asked *torc_test_client_looked_at(const char *place, torc_test_client *client);
/* Say which function of the program has a request that is not answered. */
void torc_test_client_add_code(const torc_test_client *client, const torc_test_asked *asked,
                               torc_buf *text);
/* Begin to tell of a failure of what is looked at; and end, with what came: always false. */
void torc_test_begin_failure(torc_buf *text, const torc_test_asked *asked);
bool torc_test_end_failure(const char *place, torc_buf *text, const torc_test_client *client,
                           const torc_test_asked *asked);
/* Whether `part` is somewhere in `bytes`. */
bool torc_test_contains(torc_str bytes, torc_str part);
/* Keep the cookies of all answers that have come. */
void torc_test_client_take_cookies(torc_test_client *client);
/* Append a Cookie line of those that go with a request, if there are any. */
void torc_test_client_add_cookies(torc_test_client *client, torc_str target, torc_buf *head);

/*
 * The descriptors that a process has open. The look before and the look after are compared: those
 * that are new are told, with what they lead to.
 */
typedef struct torc_test_descriptors torc_test_descriptors;
/* NULL: they cannot be told. */
torc_test_descriptors *torc_test_descriptors_look(void);
/* Add a line for each that is open now and was not then; how many there are. */
size_t torc_test_descriptors_add_new(const torc_test_descriptors *before, torc_buf *text);
void torc_test_descriptors_free(torc_test_descriptors *descriptors);

#endif
