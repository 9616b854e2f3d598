/* SPDX-License-Identifier: MIT */
#ifndef TORC_FAILURE_H
#define TORC_FAILURE_H

#include <torc/buf.h>

/**
 * Failures: what is known of an error beyond its code: what was being done, where in the program,
 * and what that came from.
 *
 *     torc_failure *failure = torc_failure_new(memory, TORC_ERR_NOT_FOUND, "no user %s", name);
 *     torc_failure_add_cause(failure, cause);
 *     torc_deferred_fail_with(deferred, TORC_ERR_NOT_FOUND, failure);
 *
 * A failure is made when something fails, never before, and it is an addition: the code goes its
 * way without it. So there is nothing to check: without memory a failure is NULL, which every
 * function here takes, and what it was given is freed. A failure has one owner; it belongs to the
 * thread of its memory.
 */
#define TORC_PLACE_TEXT_(line) #line
#define TORC_PLACE_TEXT(line) TORC_PLACE_TEXT_(line)
/** This place of the program: "src/shop/cart.c:12". */
#define TORC_PLACE __FILE__ ":" TORC_PLACE_TEXT(__LINE__)

enum {
    TORC_FAILURE_CAUSES_MAX = 32, /* one below the other; the innermost beyond are dropped */
    TORC_FAILURE_MESSAGE_MAX = 1024
};

TORC_BEGIN_DECLS

/** Make a failure of this place; the rest is a message as by printf, cut at 1,024 bytes. */
#define torc_failure_new(memory, err, ...)                                                         \
    torc_failure_new_at((memory), TORC_PLACE, (err), __VA_ARGS__)
/** The same, of another place, which lives as long as the program; NULL: it is not known. */
TORC_API torc_failure *torc_failure_new_at(torc_memory *memory, const char *place, torc_err err,
                                           const char *format, ...) TORC_PRINTF(4, 5);
/** Free it and its causes. */
TORC_API void torc_failure_free(torc_failure *failure);
/** `cause`, which this takes, is what the innermost of its causes came from. */
TORC_API void torc_failure_add_cause(torc_failure *failure, torc_failure *cause);
/** The failure came from several at once, this (taken) being the next of them. */
TORC_API void torc_failure_add_member(torc_failure *failure, torc_failure *member);

/** TORC_OK for NULL. */
TORC_API torc_err torc_failure_err(const torc_failure *failure);
/** "" when there is none. */
TORC_API const char *torc_failure_message(const torc_failure *failure);
/** File and line; "" when it is not known. */
TORC_API const char *torc_failure_place(const torc_failure *failure);
/** What it came from, or the first of that; NULL: nothing. */
TORC_API const torc_failure *torc_failure_cause(const torc_failure *failure);
/** The next of the several that a failure came from. */
TORC_API const torc_failure *torc_failure_next(const torc_failure *failure);
/** The first with this code, of the failure and what it came from; NULL: none has it. */
TORC_API const torc_failure *torc_failure_find(const torc_failure *failure, torc_err err);
/**
 * Write it for people, in one line: "no user 7: there is no such thing (cart.c:12), because …".
 * For logs and developers: it names places of the program.
 */
TORC_API void torc_failure_format(const torc_failure *failure, torc_buf *text);

TORC_END_DECLS

#endif
