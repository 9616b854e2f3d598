/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_REACTOR_H
#define TORC_TESTING_REACTOR_H

#include <stdatomic.h>
#include <torc/testing.h>

#include "reactor/syscalls.h"

/*
 * What a reactor for tests has besides.
 */

/* Which calls of one kind fail. */
typedef struct torc_test_fault {
    atomic_uint_fast64_t asked;
    uint64_t first, times; /* 0: none */
    int number;
    size_t bytes_max; /* 0: no limit */
} torc_test_fault;

typedef struct torc_test_parts {
    torc_reactor_guest guest;
    torc_clock clock;
    uint64_t now_us;
    int64_t wall_shift_us;      /* by which the wall's clock was set */
    torc_sys_faults sys_faults; /* in use once something was asked for */
    torc_test_fault faults[TORC_SYS_KINDS];
    uint64_t allocation; /* the one to fail, counted down; 0: none */
    bool allocation_failed;
} torc_test_parts;

/* The parts of a reactor that was made for tests. */
torc_test_parts *torc_test_parts_of(const torc_reactor *reactor);

#endif
