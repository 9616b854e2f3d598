/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_EXPECT_H
#define TORC_TESTING_EXPECT_H

#include <torc/deferred.h>
#include <torc/testing.h>
#include <torc/testing_log.h>

/**
 * Expectations, and what becomes of those that fail. In the library torc-testing.
 *
 *     torc_test_expect(count == 3);
 *     char *name = torc_test_expect_value(ask_for_name(reactor));
 *     return torc_test_end();
 *
 * An expectation that fails is told with its place to a function, and answers false; the test goes
 * on. That function writes `place: text` to the standard error and counts, unless another one is
 * set: of a framework that has its own way of failing, for example of cmocka:
 *
 *     static void fail_in_cmocka(void *context, const char *place, const char *text) {
 *         fail_msg("%s: %s", place, text);
 *     }
 *
 * It need not return. Nothing is left in the air when it does not, but what the test itself holds.
 *
 * These functions are for one thread. The macros say where they stand.
 */

/** Told of an expectation that failed: `place` is "file.c:12", `text` has one line or several. */
typedef void torc_test_failure_fn(void *context, const char *place, const char *text);

TORC_BEGIN_DECLS

/** Who is told from now on; NULL: the function of the beginning. */
TORC_API void torc_test_on_failure(torc_test_failure_fn *failed, void *context);
/** An expectation has failed; the text is made as by printf. */
TORC_API void torc_test_fail_at(const char *place, const char *format, ...) TORC_PRINTF(2, 3);
#define torc_test_fail(...) torc_test_fail_at(TORC_PLACE, __VA_ARGS__)
/** How many have failed so far, whoever was told. */
TORC_API uint64_t torc_test_failure_count(void);
/**
 * The end of a program of tests: its exit code, 0 if nothing has failed. A test client that was not
 * freed is a failure.
 */
TORC_API int torc_test_end(void);

/** Expect a condition. */
TORC_API bool torc_test_expect_at(const char *place, bool is_fulfilled, const char *condition);
#define torc_test_expect(condition) torc_test_expect_at(TORC_PLACE, (condition), #condition)
/** Expect a number, a string, bytes. */
TORC_API bool torc_test_expect_int_at(const char *place, int64_t is, int64_t should);
#define torc_test_expect_int(is, should) torc_test_expect_int_at(TORC_PLACE, (is), (should))
TORC_API bool torc_test_expect_text_at(const char *place, const char *is, const char *should);
#define torc_test_expect_text(is, should) torc_test_expect_text_at(TORC_PLACE, (is), (should))
TORC_API bool torc_test_expect_str_at(const char *place, torc_str is, torc_str should);
#define torc_test_expect_str(is, should) torc_test_expect_str_at(TORC_PLACE, (is), (should))

/** Expect that a text is a document of JSON that means the same: the order of members and how
 * numbers are written do not count. What differs is told by JSON pointers. */
TORC_API bool torc_test_expect_same_json_at(const char *place, torc_str is, torc_str should);
#define torc_test_expect_same_json(is, should)                                                     \
    torc_test_expect_same_json_at(TORC_PLACE, (is), (should))

/**
 * Expect that a deferred has its value: it, which is the caller's. Takes the deferred, and turns
 * the reactor as torc_test_settle() does. NULL when it has none or has failed, which is a failure.
 */
TORC_API void *torc_test_expect_value_at(const char *place, torc_deferred *deferred);
#define torc_test_expect_value(deferred) torc_test_expect_value_at(TORC_PLACE, (deferred))
/** The same, moving the clock by `ms` at most until it has its value. */
TORC_API void *torc_test_await_value_at(const char *place, torc_deferred *deferred, uint64_t ms);
#define torc_test_await_value(deferred, ms) torc_test_await_value_at(TORC_PLACE, (deferred), (ms))
/** Expect that it has failed with this error; TORC_OK: with any. Takes it. */
TORC_API bool torc_test_expect_error_at(const char *place, torc_deferred *deferred, torc_err err);
#define torc_test_expect_error(deferred, err)                                                      \
    torc_test_expect_error_at(TORC_PLACE, (deferred), (err))
/** Expect that it has neither. It stays the caller's. */
TORC_API bool torc_test_expect_no_result_at(const char *place, torc_deferred *deferred);
#define torc_test_expect_no_result(deferred) torc_test_expect_no_result_at(TORC_PLACE, (deferred))

/** Expect an event in the log, and forget it and those like it: what is left at the end, and is an
 * error, was not expected. */
TORC_API bool torc_test_expect_event_at(const char *place, torc_test_log *captured,
                                        const char *space, const char *text);
#define torc_test_expect_event(captured, space, text)                                              \
    torc_test_expect_event_at(TORC_PLACE, (captured), (space), (text))
/** Expect that there is no event of the level ERROR or above in the log; those that there are are
 * named. */
TORC_API bool torc_test_expect_no_errors_at(const char *place, const torc_test_log *captured);
#define torc_test_expect_no_errors(captured) torc_test_expect_no_errors_at(TORC_PLACE, (captured))

/**
 * Expect that nothing is open on a reactor: connections, listeners, watches, timers, fibers,
 * deferreds that have not fired or that nobody has taken, posted calls, jobs of threads. What is
 * left is named, with the place at which it was made or the stack on which it waits.
 */
TORC_API bool torc_test_expect_nothing_open_at(const char *place, torc_reactor *reactor);
#define torc_test_expect_nothing_open(reactor)                                                     \
    torc_test_expect_nothing_open_at(TORC_PLACE, (reactor))

TORC_END_DECLS

#endif
