/* SPDX-License-Identifier: MIT */
#ifndef TORC_METHOD_H
#define TORC_METHOD_H

#include <torc/str.h>

/**
 * Methods (RFC 9110 §9): those that are registered widely, by number; any other as its text.
 *
 * Sets of methods are bits in a uint32_t. Any thread may use these functions.
 */

/* X(name): names are case-sensitive and written as the enumerator. */
#define TORC_METHOD_TABLE(X)                                                                       \
    X(GET)                                                                                         \
    X(HEAD)                                                                                        \
    X(POST)                                                                                        \
    X(PUT)                                                                                         \
    X(DELETE)                                                                                      \
    X(CONNECT)                                                                                     \
    X(OPTIONS)                                                                                     \
    X(TRACE)                                                                                       \
    X(PATCH)                                                                                       \
    X(PROPFIND)                                                                                    \
    X(PROPPATCH)                                                                                   \
    X(MKCOL)                                                                                       \
    X(COPY)                                                                                        \
    X(MOVE)                                                                                        \
    X(LOCK)                                                                                        \
    X(UNLOCK)                                                                                      \
    X(REPORT)                                                                                      \
    X(SEARCH)                                                                                      \
    X(QUERY)

typedef enum torc_method {
    TORC_METHOD_OTHER = 0, /* not in the table */
#define TORC_METHOD_ENUMERATOR(name) TORC_METHOD_##name,
    TORC_METHOD_TABLE(TORC_METHOD_ENUMERATOR)
#undef TORC_METHOD_ENUMERATOR
    TORC_METHODS
} torc_method;

/** Enough for torc_methods_text() of all methods. */
#define TORC_METHODS_TEXT_MAX 256

TORC_BEGIN_DECLS

/** The method of that name, or TORC_METHOD_OTHER. */
TORC_API torc_method torc_method_find(torc_str name);
/** Its name; "" for TORC_METHOD_OTHER. */
TORC_API torc_str torc_method_text(torc_method method);
/** The value of an Allow field: the names of a set, in the order of the table, with commas. */
TORC_API torc_str torc_methods_text(uint32_t methods, char text[TORC_METHODS_TEXT_MAX]);

TORC_END_DECLS

/** The bit of a method in a set. */
static inline uint32_t torc_method_bit(torc_method method) {
    return (uint32_t)1 << method;
}

#endif
