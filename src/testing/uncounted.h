/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_UNCOUNTED_H
#define TORC_TESTING_UNCOUNTED_H

#include <torc/types.h>

/* Let the n-th uncounted allocation from now on fail (1: the next), once; 0: none. */
void torc_test_fail_uncounted(uint64_t n);
/* Whether the one that was to fail has been reached. */
bool torc_test_uncounted_failed(void);

#endif
