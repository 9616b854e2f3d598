/* SPDX-License-Identifier: MIT */
/*
 * Requests of a resource or a function alone: each has a site of its own, which ends with it.
 */
#include "testing/request.h"

static void free_site(void *context) {
    torc_site_free(context);
}

torc_test_request *torc_test_request_resource(torc_reactor *reactor, torc_resource *resource,
                                              const char *head) {
    torc_site *site = torc_site_new(resource, NULL);
    torc_test_request *test =
        site ? torc_test_request_new(reactor, torc_site_acceptor(site), head) : NULL;

    if (test)
        torc_test_request_on_free(test, free_site, site);
    else
        torc_site_free(site);
    return test;
}

torc_test_request *torc_test_request_route(torc_reactor *reactor, torc_render_fn *render,
                                           const char *head) {
    return torc_test_request_resource(reactor, torc_render_new(render, 0, true), head);
}
