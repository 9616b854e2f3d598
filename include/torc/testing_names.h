/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_NAMES_H
#define TORC_TESTING_NAMES_H

#include <torc/names.h>

/**
 * Names for tests: a resolver in memory, which knows what it was told and asks nobody. In the
 * library torc-testing.
 *
 *     torc_test_names *names;
 *     torc_err err = torc_test_names_new(reactor, &names);
 *     err = torc_test_names_set(names, "example.test", "2001:db8::1 192.0.2.1");
 */
typedef struct torc_test_names torc_test_names;

TORC_BEGIN_DECLS

/** Let this reactor ask for names here. It goes with the reactor. */
TORC_API torc_err torc_test_names_new(torc_reactor *reactor,
                                      torc_test_names **names) TORC_MUST_CHECK;
/**
 * From now on `host` (in lower case) has these addresses, in this order: numeric ones, at most 8,
 * with spaces between them. TORC_ERR_SYNTAX, TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_test_names_set(torc_test_names *names, const char *host,
                                      const char *addresses) TORC_MUST_CHECK;
/** From now on `host` fails so. What was never told of fails with TORC_ERR_NOT_FOUND. */
TORC_API torc_err torc_test_names_fail(torc_test_names *names, const char *host,
                                       torc_err err) TORC_MUST_CHECK;
/** Whether answers wait until this is called with false: they are of that time then. */
TORC_API void torc_test_names_hold(torc_test_names *names, bool is_held);
/** How long answers may be kept, in milliseconds; 0 at first: not at all. */
TORC_API void torc_test_names_keep(torc_test_names *names, uint32_t keep_ms);
/** How many times it was asked. */
TORC_API uint64_t torc_test_names_asked(const torc_test_names *names);
/** How many of them wait for an answer. */
TORC_API uint64_t torc_test_names_held(const torc_test_names *names);

TORC_END_DECLS

#endif
