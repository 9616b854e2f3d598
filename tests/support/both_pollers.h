/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_BOTH_POLLERS_H
#define TORC_TESTS_BOTH_POLLERS_H

#include <torc/testing.h>

#include "check.h"

/*
 * The cases of a file over both pollers: epoll, and the double whose operations end late. The file
 * has a set_up(), which is told over which, and a tear_down(); BOTH(name) is two cases.
 */
static int set_up(bool is_late);
static int tear_down(void **state);

static inline torc_err new_reactor(bool is_late, const torc_reactor_options *options,
                                   torc_reactor **reactor) {
    return is_late ? torc_test_reactor_new_late(options, reactor)
                   : torc_test_reactor_new(options, reactor);
}

static int set_up_epoll(void **state) {
    (void)state;
    return set_up(false);
}

static int set_up_late(void **state) {
    (void)state;
    return set_up(true);
}

#define BOTH(name)                                                                                 \
    {"epoll: " #name, name, set_up_epoll, tear_down, NULL}, {                                      \
        "late: " #name, name, set_up_late, tear_down, NULL                                         \
    }

#endif
