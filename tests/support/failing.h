/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_FAILING_H
#define TORC_TESTS_FAILING_H

/*
 * Tests of expectations: those that fail are kept, to be looked at. Each failure must be asked for
 * by failed_with() before failing_end().
 */
#include <torc/testing_expect.h>

#include "check.h"

static char failed_text[65536], failed_place[256];
static unsigned failed_count;

static void note_failure(void *context, const char *place, const char *text) {
    (void)context;
    failed_count++;
    snprintf(failed_place, sizeof(failed_place), "%s", place);
    snprintf(failed_text, sizeof(failed_text), "%s", text);
}

static int failing_begin(void **state) {
    (void)state;
    torc_test_on_failure(note_failure, NULL);
    failed_count = 0;
    return 0;
}

static int failing_end(void **state) {
    (void)state;
    torc_test_on_failure(NULL, NULL);
    if (failed_count) fprintf(stderr, "nobody asked for: %s: %s\n", failed_place, failed_text);
    return failed_count ? -1 : 0;
}

/* One expectation has failed since the last call, and said this. */
static inline void failed_with_at(const char *part, const char *file, int line) {
    if (failed_count != 1 || !strstr(failed_text, part))
        fprintf(stderr, "%u failures, the last: %s: %s\n", failed_count, failed_place, failed_text);
    _assert_int_equal(failed_count, 1, file, line);
    _assert_true(strstr(failed_text, part) != NULL, part, file, line);
    failed_count = 0;
}
#define failed_with(part) failed_with_at((part), __FILE__, __LINE__)
/* The same failure has said this, too. */
#define and_with(part) _assert_true(strstr(failed_text, (part)) != NULL, (part), __FILE__, __LINE__)

#endif
