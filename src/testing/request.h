/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_REQUEST_PARTS_H
#define TORC_TESTING_REQUEST_PARTS_H

#include <torc/testing_request.h>

/* Call a function when the request is freed, for what was made for it. */
void torc_test_request_on_free(torc_test_request *test, void (*freed)(void *context),
                               void *context);

/* Let these hold for it, in place of the defaults. Before the first turn. */
void torc_test_request_set_limits(torc_test_request *test, const torc_limits *limits);
/* Let it come from this address. Before the first turn. */
void torc_test_request_set_addr(torc_test_request *test, const torc_addr *peer);
/* Let it come over https. Before the first turn. */
void torc_test_request_set_secure(torc_test_request *test);
/* The request that a site has made of it, while that lives; NULL: it does not. */
const torc_request *torc_test_request_above(const torc_test_request *test);
/* A field of the request itself. */
torc_str torc_test_request_asked(const torc_test_request *test, const char *name);

#endif
