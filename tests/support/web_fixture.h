/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_WEB_FIXTURE_H
#define TORC_TESTS_WEB_FIXTURE_H

#include <torc/body.h>
#include <torc/reply.h>
#include <torc/site.h>
#include <torc/testing.h>
#include <torc/testing_request.h>
#include <torc/ticket.h>

#include "check.h"
#include "reactor/reactor.h"

/*
 * A reactor whose time the test moves, and requests of sites and resources upon it.
 */
static inline int web_set_up(void **state) {
    torc_reactor *reactor;

    if (torc_test_reactor_new(NULL, &reactor)) return -1;
    *state = reactor;
    return 0;
}

static inline int web_tear_down(void **state) {
    torc_reactor *reactor = *state;

    /* A test that failed leaves its requests: then the reactor cannot be freed, and what went wrong
     * is told. */
    if (reactor->pages.used_count > 0) return -1;
    torc_reactor_free(reactor);
    return 0;
}

#define WEB_TEST(name) cmocka_unit_test_setup_teardown(name, web_set_up, web_tear_down)

/* Turn until the exchange has an end, threads included. */
static inline void web_finish(torc_reactor *reactor, torc_test_request *test) {
    torc_test_request_run(test);
    torc_test_finish_jobs(reactor);
    torc_test_request_run(test);
}

/* Ask a site, and turn until nothing more happens. */
static inline torc_test_request *web_ask(torc_reactor *reactor, torc_site *site, const char *head) {
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);

    assert_non_null(test);
    web_finish(reactor, test);
    return test;
}

/* Ask one resource, which is taken. */
static inline torc_test_request *web_ask_resource(torc_reactor *reactor, torc_resource *resource,
                                                  const char *head) {
    torc_test_request *test = torc_test_request_resource(reactor, resource, head);

    assert_non_null(test);
    web_finish(reactor, test);
    return test;
}

/* Ask a site; the answer's status. */
static inline int web_status(torc_reactor *reactor, torc_site *site, const char *head) {
    torc_test_request *test = web_ask(reactor, site, head);
    const int status = torc_test_request_status(test);

    torc_test_request_free(test);
    return status;
}

/* Ask a site, and check the answer's status and body. */
#define web_check(reactor, site, head, status, literal)                                            \
    web_check_at((reactor), (site), (head), (status), TORC_STR(literal), __FILE__, __LINE__)

static inline void web_check_at(torc_reactor *reactor, torc_site *site, const char *head,
                                int status, torc_str body, const char *file, int line) {
    torc_test_request *test = web_ask(reactor, site, head);

    if (torc_test_request_status(test) != status) print_error("%s\n", head);
    _assert_int_equal((uintmax_t)torc_test_request_status(test), (uintmax_t)status, file, line);
    check_str_at(torc_test_request_body(test), body, file, line);
    torc_test_request_free(test);
}

#endif
