/* SPDX-License-Identifier: MIT */
#ifndef TORC_TARGET_H
#define TORC_TARGET_H

#include <torc/method.h>

/**
 * Request targets (RFC 9112 §3.2) and authorities (RFC 3986 §3.2), read strictly.
 */
typedef enum torc_target_form {
    TORC_TARGET_ORIGIN,    /* "/path?query" */
    TORC_TARGET_ABSOLUTE,  /* "http://host/path?query" */
    TORC_TARGET_AUTHORITY, /* "host:port", of CONNECT */
    TORC_TARGET_ASTERISK   /* "*", of OPTIONS */
} torc_target_form;

/** A target, taken apart; slices of the text. */
typedef struct torc_target {
    torc_target_form form;
    torc_str text;      /* all of it */
    torc_str scheme;    /* of the absolute form */
    torc_str authority; /* of the absolute and authority forms; `.bytes` NULL otherwise */
    torc_str path;      /* begins with "/"; "/" if the absolute form has none; "*"; "" of CONNECT */
    torc_str query;     /* behind the "?"; `.bytes` NULL: there is none */
} torc_target;

/** An authority, taken apart. */
typedef struct torc_authority {
    torc_str host; /* an IPv6 address with its brackets */
    int port;      /* -1: none was given, or an empty one */
} torc_authority;

TORC_BEGIN_DECLS

/**
 * Read a target: the form must be the method's. Refused with TORC_ERR_SYNTAX: fragments, spaces,
 * controls, bytes above 0x7e, bad percent-escapes, an escaped NUL, userinfo, a bad authority. What
 * else is visible ASCII is taken as it is.
 */
TORC_API torc_err torc_target_parse(torc_str text, torc_method method,
                                    torc_target *target) TORC_MUST_CHECK;
/** Read an authority without userinfo, as the Host field has it (RFC 9110 §7.2); empty is refused.
 */
TORC_API torc_err torc_authority_parse(torc_str text, torc_authority *authority) TORC_MUST_CHECK;
/** Whether torc_authority_parse() would read this; faster, for nearly all that are. */
TORC_API bool torc_authority_is_valid(torc_str text);
/**
 * Decode percent-escapes into `to`, which has room for text.len bytes and may be text.bytes; the
 * length of the result. What is no escape stays as it is. With `plus`, a `+` becomes a space
 * (queries and forms).
 */
TORC_API size_t torc_percent_decode(torc_str text, bool plus, char *to);

/** Room that torc_percent_encode() may need for `len` bytes. */
#define TORC_PERCENT_ENCODED_MAX(len) (3 * (len))
/**
 * Write `text` so that it can stand in one segment of a path or in one name or value of a query:
 * everything but the unreserved characters (RFC 3986 §2.3) is escaped, the space as %20. The length
 * of the result.
 */
TORC_API size_t torc_percent_encode(torc_str text, char *to);

TORC_END_DECLS

#endif
