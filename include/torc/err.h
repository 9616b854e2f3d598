/* SPDX-License-Identifier: MIT */
#ifndef TORC_ERR_H
#define TORC_ERR_H

#include <torc/types.h>

/**
 * Errors: one type for all that may go wrong in the world outside the program.
 *
 * A function that can fail returns torc_err and writes its results through out-parameters, on
 * success only. TORC_OK is 0, failures are negative, so `if (err)` reads well. What a programmer
 * does wrong is an assertion instead. Any thread may use these functions.
 */

/* X(name, number, text): the one table from which codes, names and texts are made. A number
 * that was released never changes. */
#define TORC_ERR_TABLE(X)                                                                          \
    X(NO_MEMORY, -1, "out of memory, or the memory limit is reached")                              \
    X(LIMIT, -2, "a configured limit is reached")                                                  \
    X(INVALID, -3, "an argument has no meaning here")                                              \
    X(SYNTAX, -4, "the input is malformed")                                                        \
    X(UTF8, -5, "the text is not valid UTF-8")                                                     \
    X(NOT_FOUND, -6, "there is no such thing")                                                     \
    X(EXISTS, -7, "it exists already")                                                             \
    X(PERMISSION, -8, "permission denied")                                                         \
    X(CLOSED, -9, "the connection was closed in an orderly way")                                   \
    X(LOST, -10, "the peer is gone")                                                               \
    X(GONE, -11, "the request is finished or lost")                                                \
    X(RESET, -12, "the peer reset the connection")                                                 \
    X(ABORTED, -13, "the connection was aborted by this side")                                     \
    X(REFUSED, -14, "the connection was refused")                                                  \
    X(TIMEOUT, -15, "it took too long")                                                            \
    X(CANCELLED, -16, "it was cancelled")                                                          \
    X(STOPPING, -17, "the server is stopping")                                                     \
    X(BUSY, -18, "it is in use, or a queue is full")                                               \
    X(STATE, -19, "not allowed in this state")                                                     \
    X(UNSUPPORTED, -20, "not supported here")                                                      \
    X(ADDRESS_IN_USE, -21, "the address is in use")                                                \
    X(ADDRESS_NOT_AVAILABLE, -22, "the address is not available on this machine")                  \
    X(FILE_TABLE_FULL, -23, "too many open files")                                                 \
    X(UNREACHABLE, -24, "the network or host cannot be reached")                                   \
    X(IS_DIRECTORY, -25, "it is a directory")                                                      \
    X(NOT_DIRECTORY, -26, "it is not a directory")                                                 \
    X(NO_SPACE, -27, "no space is left on the device")                                             \
    X(TRUNCATED, -28, "the data ended too soon")                                                   \
    X(TOO_LARGE, -29, "the data are larger than allowed")                                          \
    X(PEER, -30, "the peer broke the protocol")                                                    \
    X(UNPROCESSED, -31, "the peer did not process it: safe to try again")                          \
    X(UPGRADE, -32, "the protocol upgrade was not possible")                                       \
    X(STALLED, -33, "the peer was too slow")                                                       \
    X(SYSTEM, -34, "the operating system reported an error")                                       \
    X(AGAIN, -35, "nothing to be had now; try later")                                              \
    X(TLS, -36, "TLS could not be agreed on, or was broken")                                       \
    X(CERTIFICATE, -37, "the certificate of the peer is not trusted, or not for its name")         \
    X(MEDIA_TYPE, -38, "the content is of a type that is not taken here")

typedef enum torc_err {
    TORC_OK = 0,
#define TORC_ERR_ENUMERATOR(name, number, text) TORC_ERR_##name = (number),
    TORC_ERR_TABLE(TORC_ERR_ENUMERATOR)
#undef TORC_ERR_ENUMERATOR
} torc_err;

TORC_BEGIN_DECLS

/** What went wrong as a short sentence part, for people. Static; never NULL. */
TORC_API const char *torc_err_text(torc_err err);
/** The enumerator's name without its prefix ("NO_MEMORY"), for logs. Static; never NULL. */
TORC_API const char *torc_err_name(torc_err err);
/** The error that stands for a value of errno; TORC_ERR_SYSTEM if none fits better, TORC_OK for 0.
 */
TORC_API torc_err torc_err_from_errno(int number);

TORC_END_DECLS

#endif
