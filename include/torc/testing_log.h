/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_LOG_H
#define TORC_TESTING_LOG_H

#include <torc/log.h>

/**
 * Logs for tests: events are kept, to be looked at. In the library torc-testing.
 *
 *     torc_test_log *captured;
 *     torc_err err = torc_test_log_new(&captured);
 *     … torc_test_log_log(captured) is given to what is tested …
 *     assert(torc_test_log_find(captured, "shop", "a slow request"));
 *     torc_test_log_free(captured);
 *
 * All levels are enabled, and the clock stands still at 1994-11-06 08:49:37 UTC. For one thread.
 */
typedef struct torc_test_log torc_test_log;

TORC_BEGIN_DECLS

TORC_API torc_err torc_test_log_new(torc_test_log **captured) TORC_MUST_CHECK;
/** Free it with its log and events. NULL is fine. */
TORC_API void torc_test_log_free(torc_test_log *captured);
/** The log: lives as long as this. */
TORC_API torc_log *torc_test_log_log(const torc_test_log *captured);
TORC_API size_t torc_test_log_count(const torc_test_log *captured);
/** The n-th event, from 0; it and all in it live until torc_test_log_clear() or _free(). */
TORC_API const torc_log_record *torc_test_log_at(const torc_test_log *captured, size_t n);
/** The first event of a namespace with this text; NULL: there is none. */
TORC_API const torc_log_record *torc_test_log_find(const torc_test_log *captured, const char *space,
                                                   const char *text);
/** Forget the events of a namespace with this text; how many they were. */
TORC_API size_t torc_test_log_forget(torc_test_log *captured, const char *space, const char *text);
/** Forget all events. */
TORC_API void torc_test_log_clear(torc_test_log *captured);

TORC_END_DECLS

#endif
