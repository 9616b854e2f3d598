/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_ENDPOINT_ARGUMENTS_H
#define TORC_TRANSPORT_ENDPOINT_ARGUMENTS_H

#include <torc/endpoint_prefix.h>

/*
 * The arguments of an endpoint string, as both sides read them. See endpoint_prefix.h for what may
 * be asked of them.
 */
enum {
    TORC_ENDPOINT_NESTED_MAX = 4
};

/* A string, or a part of one that is a string itself. */
typedef struct torc_endpoint_source {
    torc_str string;
    const uint16_t *places; /* of each byte, and of the end, in the whole; NULL: it is its end */
    size_t offset;          /* then, where it begins in the whole */
    unsigned depth;
    const torc_endpoint_prefixes *others; /* prefixes that the program adds; may be NULL */
    torc_endpoint_error *error;           /* may be NULL */
} torc_endpoint_source;

typedef struct torc_endpoint_item {
    torc_str name; /* `.bytes` NULL: by its place */
    torc_str value;
    size_t start; /* of the whole argument, in the source */
} torc_endpoint_item;

struct torc_endpoint_arguments {
    const torc_endpoint_prefix *prefix;
    torc_endpoint_source source;
    torc_endpoint_item items[TORC_ENDPOINT_PARAMETERS_MAX + 1]; /* the first is the prefix */
    size_t count;
    const torc_endpoint_item *bound[TORC_ENDPOINT_PARAMETERS_MAX]; /* NULL: not given */
    char text[TORC_ENDPOINT_TEXT_MAX + 1];       /* without escapes, each part NUL-ended */
    uint16_t places[TORC_ENDPOINT_TEXT_MAX + 1]; /* of each byte of `text`, in the whole */
};

/* Say what is wrong at a place of the source. Answers TORC_ERR_SYNTAX. */
torc_err torc_endpoint_wrong_at(const torc_endpoint_source *source, size_t start,
                                const char *format, ...) TORC_PRINTF(3, 4) TORC_MUST_CHECK;
/* See that a string can be one at all. */
torc_err torc_endpoint_check(const torc_endpoint_source *source) TORC_MUST_CHECK;
/* Of the prefixes in `own` and those that were added, the one that a source begins with; NULL. */
const torc_endpoint_prefix *torc_endpoint_find_prefix(const torc_endpoint_source *source,
                                                      const torc_endpoint_prefix *own,
                                                      size_t count);
/* Cut the source into arguments, and give each to its parameter. */
torc_err torc_endpoint_cut(torc_endpoint_arguments *arguments, const torc_endpoint_source *source,
                           const torc_endpoint_prefix *prefix) TORC_MUST_CHECK;
/* Whether the first argument of the source has the name of a parameter. */
bool torc_endpoint_is_named(const torc_endpoint_source *source, const torc_endpoint_prefix *prefix);
/* The value of a parameter as a source. */
torc_err torc_endpoint_nested(torc_endpoint_arguments *arguments, const char *parameter,
                              torc_endpoint_source *source) TORC_MUST_CHECK;
/* What comes after the prefix as a source. */
torc_err torc_endpoint_rest(const torc_endpoint_source *source, const torc_endpoint_prefix *prefix,
                            torc_endpoint_source *rest) TORC_MUST_CHECK;
/* Keep the value of a parameter among an endpoint's texts, if it is given. */
torc_err torc_endpoint_keep(torc_endpoint_arguments *arguments, const char *parameter,
                            torc_endpoint_texts *texts, torc_endpoint_text *text) TORC_MUST_CHECK;
/* Keep any text. */
torc_err torc_endpoint_texts_add(torc_endpoint_texts *texts, torc_str value,
                                 torc_endpoint_text *text) TORC_MUST_CHECK;
/* Read one that is yes or no: 0 or 1. */
torc_err torc_endpoint_flag(const torc_endpoint_arguments *arguments, const char *parameter,
                            bool *flag) TORC_MUST_CHECK;
/* What ssl: and tls: of both sides have in common: privateKey, alpn, minTLS, profile, sslmethod and
 * dhParameters. */
torc_err torc_endpoint_read_tls(torc_endpoint_arguments *arguments, torc_endpoint_texts *texts,
                                torc_endpoint_tls *tls) TORC_MUST_CHECK;
/* `host` without the brackets of an IPv6 address, if it has them. */
torc_str torc_endpoint_unbracketed(torc_str host);
/* An address of a UNIX socket by its path, or by its abstract name behind an `@`. */
torc_err torc_endpoint_read_path(torc_endpoint_arguments *arguments, const char *parameter,
                                 torc_addr *addr) TORC_MUST_CHECK;
/* Whether a character may be in a number, and `host:port` be cut at the last colon of `string`;
 * `host` is empty when there is none. */
torc_err torc_endpoint_read_host_port(const torc_endpoint_source *source, torc_str *host,
                                      uint16_t *port, const char *advice) TORC_MUST_CHECK;

#endif
