/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_HTTP_FIXTURE_H
#define TORC_TESTS_HTTP_FIXTURE_H

#include <torc/body.h>
#include <torc/reply.h>
#include <torc/testing_request.h>
#include <torc/ticket.h>

#include "check.h"
#include "http/request.h"
#include "reactor/reactor.h"

/*
 * A reactor, and a handler that runs one function of the test for each request, on a fiber or not.
 */
typedef struct http_fixture {
    torc_reactor *reactor;
    torc_handler handler;
    torc_request_step_fn *step;
    void *context; /* of the step */
    bool on_fiber;
    int received, ended, declined;
    torc_err reason;       /* of the last end */
    torc_request *request; /* the newest */
} http_fixture;

static inline http_fixture *http_fixture_of(torc_handler *handler) {
    return torc_container_of(handler, http_fixture, handler);
}

static inline void fixture_received(torc_handler *handler, torc_request *request) {
    http_fixture *self = http_fixture_of(handler);

    self->received++;
    self->request = request;
    torc_request_run(request, self->step, self->context, self->on_fiber);
}

static inline void fixture_declined(torc_handler *handler, torc_request *request) {
    http_fixture_of(handler)->declined++;
    torc_response_set(request, "Allow", TORC_STR("GET"));
    torc_reply_status(request, 405, NULL);
}

static inline void fixture_error_page(torc_handler *handler, torc_request *request,
                                      const torc_error_reply *error, bool is_plain) {
    (void)handler;
    (void)is_plain;
    torc_response_set(request, "Content-Type", TORC_STR("text/x-error"));
    torc_request_write(request, TORC_STR("error"));
    if (error->detail.len) torc_request_write(request, error->detail);
}

static inline void fixture_ended(torc_handler *handler, torc_request *request, torc_err reason) {
    http_fixture *self = http_fixture_of(handler);

    (void)request;
    self->ended++;
    self->reason = reason;
}

static const torc_handler_ops fixture_ops = {
    .request_received = fixture_received,
    .request_declined = fixture_declined,
    .write_error_page = fixture_error_page,
    .request_ended = fixture_ended,
};

static inline int http_set_up(void **state) {
    static http_fixture self;

    memset(&self, 0, sizeof(self));
    if (torc_reactor_new(NULL, &self.reactor)) return -1;
    torc_handler_init(&self.handler, &fixture_ops);
    self.handler.server = TORC_STR("Torc");
    self.handler.default_content_type = TORC_STR("text/html");
    *state = &self;
    return 0;
}

static inline int http_tear_down(void **state) {
    http_fixture *self = *state;

    /* A test that failed leaves its requests: then the reactor cannot be freed, and what went wrong
     * is told. */
    if (self->reactor->pages.used_count > 0) return -1;
    torc_reactor_free(self->reactor);
    return self->received == self->ended ? 0 : -1;
}

/* Ask, and do not turn yet. */
static inline torc_test_request *http_begin(http_fixture *self, torc_request_step_fn *step,
                                            const char *head) {
    torc_test_request *test = torc_test_request_new(self->reactor, &self->handler.acceptor, head);

    assert_non_null(test);
    self->step = step;
    return test;
}

/* Ask, and turn until nothing more happens. */
static inline torc_test_request *http_ask(http_fixture *self, torc_request_step_fn *step,
                                          const char *head) {
    torc_test_request *test = http_begin(self, step, head);
    torc_test_request_run(test);
    return test;
}

#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, http_set_up, http_tear_down)

#endif
