/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_EXPECT_PARTS_H
#define TORC_TESTING_EXPECT_PARTS_H

#include <torc/buf.h>
#include <torc/testing_expect.h>

/*
 * How failures are put into words.
 */
enum {
    TORC_TEST_TEXT_MAX = 256 * 1024 /* bytes of what is said of one failure */
};

/* Tell of a failure; takes what the buffer holds. */
void torc_test_fail_buf(const char *place, torc_buf *text);
/* Add bytes for people, in lines of their own, at most so many. */
void torc_test_add_shown(torc_buf *text, torc_str bytes, size_t max);
/* Say where two texts differ, and show both. */
void torc_test_add_difference(torc_buf *text, torc_str is, torc_str should);
/* Add a line for each event of the level ERROR or above. */
void torc_test_add_errors(torc_buf *text, const torc_test_log *captured);
/* Add a line for each thing that is open on a reactor; how many there are. */
size_t torc_test_add_open(torc_buf *text, torc_reactor *reactor);
/* Turn until nothing more happens without time or peers; jobs of threads are waited for. */
void torc_test_settle_all(torc_reactor *reactor);
/* Let time pass until the next timer is due, at most `ms`, and settle: how much has passed. */
uint64_t torc_test_advance_some(torc_reactor *reactor, uint64_t ms);
/* Count the clients that are not freed. */
void torc_test_count_clients(int more);

#endif
