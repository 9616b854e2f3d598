/* SPDX-License-Identifier: MIT */
#ifndef TORC_ENDPOINT_PREFIX_H
#define TORC_ENDPOINT_PREFIX_H

#include <torc/endpoint.h>

/**
 * Prefixes of endpoint strings that a program adds: `onion:…` beside `tcp:…`.
 *
 * A program has a table of them, constant mostly, and gives it to torc_endpoint_parse_with() and
 * torc_client_endpoint_parse_with(): nothing is registered anywhere. The string is cut into
 * arguments as Torc's own are, each is given to the parameter of its name or of its place, and
 * then the prefix's function makes an endpoint of them: by its own hand, or by reading another
 * string that stands for it. A prefix of Torc's own cannot be taken.
 *
 *     static torc_err read_dev(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *args,
 *                              torc_endpoint *endpoint) {
 *         (void)prefix;
 *         return torc_endpoint_read_nested(args, "where", endpoint);
 *     }
 */

/** The arguments of one string; lent to a prefix's function. */
typedef struct torc_endpoint_arguments torc_endpoint_arguments;
typedef struct torc_client_endpoint torc_client_endpoint;

enum {
    TORC_ENDPOINT_PARAMETERS_MAX = 24
};

/** A prefix and its parameters. */
struct torc_endpoint_prefix {
    const char *prefix;
    /* Those that may go without a name come first, in their order; NULL ends them. */
    const char *parameters[TORC_ENDPOINT_PARAMETERS_MAX];
    uint8_t positional; /* how many may go without a name */
    const char
        *missing; /* what to say when the first is not there or empty; NULL: it need not be */
    /* Make an endpoint, which is set to the defaults. NULL: there are no such servers. */
    torc_err (*read_server)(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                            torc_endpoint *endpoint);
    /* The same of a client's. */
    torc_err (*read_client)(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                            torc_client_endpoint *endpoint);
};

TORC_BEGIN_DECLS

/** The value of a parameter, NUL-ended; `.bytes` NULL: not given. Lent until the function returns.
 */
TORC_API torc_str torc_endpoint_argument(const torc_endpoint_arguments *arguments,
                                         const char *parameter);
/**
 * Say what is wrong with a parameter (NULL: with the whole): answers TORC_ERR_SYNTAX, with the
 * place of the argument in the whole string.
 */
TORC_API torc_err torc_endpoint_wrong(const torc_endpoint_arguments *arguments,
                                      const char *parameter, const char *format, ...)
    TORC_PRINTF(3, 4) TORC_MUST_CHECK;
/** Read a parameter as a number; `number` stays as it is when it is not given. */
TORC_API torc_err torc_endpoint_number(const torc_endpoint_arguments *arguments,
                                       const char *parameter, uint64_t max,
                                       uint64_t *number) TORC_MUST_CHECK;
/** Read one of seconds, as "30" or "0.25", into milliseconds. */
TORC_API torc_err torc_endpoint_seconds(const torc_endpoint_arguments *arguments,
                                        const char *parameter, uint64_t *ms) TORC_MUST_CHECK;
/**
 * Read the value of a parameter as a server's endpoint string of its own; what is wrong with it is
 * told at its place in the whole. Strings nest four deep at most.
 */
TORC_API torc_err torc_endpoint_read_nested(torc_endpoint_arguments *arguments,
                                            const char *parameter,
                                            torc_endpoint *endpoint) TORC_MUST_CHECK;
/** The same of a client's. */
TORC_API torc_err torc_client_endpoint_read_nested(torc_endpoint_arguments *arguments,
                                                   const char *parameter,
                                                   torc_client_endpoint *endpoint) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
