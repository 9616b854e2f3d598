/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_RUN_H
#define TORC_TESTING_RUN_H

#include <torc/testing_expect.h>

/**
 * Running tests, for who has no other runner. In the library torc-testing.
 *
 *     TORC_TEST(greets_by_name) {
 *         torc_test_client *client = torc_test_client_new_app(shop());
 *         torc_test_get(client, "/greet/you");
 *         torc_test_expect_status(client, 200);
 *         torc_test_client_free(client);
 *     }
 *
 *     int main(int argc, char **argv) {
 *         return torc_test_main(argc, argv);
 *     }
 *
 * Each case runs in a process of its own, which it may not outlive: one that crashes, hangs or
 * leaks harms no other, and several run side by side. What it prints is shown as comments. The
 * program prints TAP.
 *
 * A case fails by an expectation, by its end (a signal, an exit code of its own), by taking too
 * long, and by what it leaves: its reactor must have nothing open and its log no error that was not
 * expected, clients must have been freed, descriptors closed, children waited for.
 */
typedef struct torc_test_case torc_test_case;
typedef void torc_test_fn(torc_test_case *test);
/** A case, made by TORC_TEST(). */
struct torc_test_case {
    const char *name;
    const char *place;
    torc_test_fn *run;
    torc_test_case *next;              /* private, as is what follows */
    struct torc_test_running *running; /* while it runs */
};

/** Define a case; it is found by torc_test_main() in whichever source it stands. What follows is
 * the body of a function that has `torc_test_case *test`. */
#define TORC_TEST(name)                                                                            \
    static void name(torc_test_case *test);                                                        \
    static torc_test_case torc_test_case_##name = {#name, TORC_PLACE, name, NULL, NULL};           \
    __attribute__((constructor)) static void torc_test_add_##name(void) {                          \
        torc_test_case_add(&torc_test_case_##name);                                                \
    }                                                                                              \
    static void name(__attribute__((unused)) torc_test_case *test)

TORC_BEGIN_DECLS

/**
 * Run the cases, all or those that the arguments name (with `*` and `?`), in the order of the
 * source or another; --help lists the options. Its exit code: 0 if none has failed, 1 if one has, 2
 * for a mistake in the arguments.
 */
TORC_API int torc_test_main(int argc, char **argv);
/** Add a case, which is lent for the program's life: what TORC_TEST() does. */
TORC_API void torc_test_case_add(torc_test_case *test);

/** A reactor of the case's own, whose clock stands still (see testing.h); made when first asked
 * for. */
TORC_API torc_reactor *torc_test_case_reactor(torc_test_case *test);
/** The log of that reactor. */
TORC_API torc_test_log *torc_test_case_log(torc_test_case *test);
/** The path of a folder of the case's own, empty at first, removed at its end with all that is in
 * it. Made when first asked for; NULL, and a failure, when that cannot be. */
TORC_API const char *torc_test_case_folder(torc_test_case *test);
/** The case cannot be made here, for this reason: it counts as passed, unless an expectation fails.
 * Return after it. */
TORC_API void torc_test_skip(torc_test_case *test, const char *reason);
/** The case is known to fail, for this reason: if it does, that counts as passed; if it does not,
 * that is told. */
TORC_API void torc_test_todo(torc_test_case *test, const char *reason);

TORC_END_DECLS

#endif
