/* SPDX-License-Identifier: MIT */
/*
 * Failing of allocations that belong to no torc_memory: those of trees and sites.
 *
 *  - The state is the process's: for tests of one thread.
 */
#include "testing/uncounted.h"

#include "base/uncounted.h"

static uint64_t left; /* allocations until the one that fails; 0: none will */
static bool failed;

bool torc_uncounted_fault(size_t size) {
    (void)size;
    if (left == 0 || --left > 0) return false;
    failed = true;
    return true;
}

void torc_test_fail_uncounted(uint64_t n) {
    left = n;
    failed = false;
}

bool torc_test_uncounted_failed(void) {
    return failed;
}
