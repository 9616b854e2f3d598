/* SPDX-License-Identifier: MIT */
#ifndef TORC_CONDITIONAL_H
#define TORC_CONDITIONAL_H

#include <torc/fields.h>
#include <torc/method.h>

/**
 * Conditional requests (RFC 9110 §13): what validators a representation has, and what the fields of
 * a request make of them. Functions on values, for any resource; torc_static_files_new() uses them.
 * Any thread may call them.
 */

/** No date is known. */
#define TORC_NO_DATE INT64_MIN

/** What identifies the present version of a representation; `{.last_modified = TORC_NO_DATE}`:
 * nothing does. */
typedef struct torc_validators {
    torc_str etag;         /* with its quotes, `W/` in front of a weak one; empty: none */
    int64_t last_modified; /* seconds since 1970, or TORC_NO_DATE */
    bool is_missing;       /* there is no representation now: `*` does not match */
} torc_validators;

typedef enum torc_condition {
    TORC_CONDITION_PROCEED,      /* answer as if there were no conditions */
    TORC_CONDITION_NOT_MODIFIED, /* 304: the peer has this version */
    TORC_CONDITION_FAILED        /* 412: the peer wanted another version */
} torc_condition;

TORC_BEGIN_DECLS

/** Whether it is an entity tag (RFC 9110 §8.8.3): quoted, perhaps weak. */
TORC_API bool torc_etag_is_valid(torc_str etag);
/** Equal, and both strong. */
TORC_API bool torc_etag_equals_strongly(torc_str a, torc_str b);
/** Equal but for weakness. */
TORC_API bool torc_etag_equals_weakly(torc_str a, torc_str b);
/**
 * Look at If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, in the order of
 * precedence of RFC 9110 §13.2.2. What is malformed among the dates is ignored; `now` helps to read
 * dates with two digits for the year.
 */
TORC_API torc_condition torc_conditional_check(const torc_fields *fields, torc_method method,
                                               const torc_validators *validators, int64_t now);
/**
 * Whether a Range field may be heeded: there is no If-Range, or it names the present version by a
 * strong tag or an exact date (RFC 9110 §13.1.5) that is old enough to be strong.
 */
TORC_API bool torc_conditional_allows_range(const torc_fields *fields,
                                            const torc_validators *validators, int64_t now);

TORC_END_DECLS

#endif
