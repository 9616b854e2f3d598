/* SPDX-License-Identifier: MIT */
#ifndef TORC_ACCESS_LOG_H
#define TORC_ACCESS_LOG_H

#include <torc/log_writer.h>
#include <torc/observer.h>

/**
 * Access logs: a line for each request when it is over, those that were lost or refused included.
 *
 * A format is one of the names `common`, `combined`, `json` and `logfmt`, or a text with variables
 * as Apache has them:
 *
 *     %h %a      the client's address, as trusted proxies tell it; %{c}a: the peer's
 *     %l %u      "-": who asks is not known
 *     %t         the time of the line, [24/Nov/2026:19:33:51 +0000]; %{iso}t: RFC 3339 in UTC with
 *                microseconds; %{sec}t, %{msec}t, %{usec}t: since 1970
 *     %r         the first line of the request, as it came
 *     %m %U %q   method, path without query, query with its `?` or nothing
 *     %H %v %p   protocol, host as asked, port that was connected to
 *     %s %>s     status
 *     %b %B      bytes of content sent: "-" for none, or 0
 *     %O         bytes sent, head included
 *     %D %T      duration in µs and in s; %{ms}T, %{us}T, %{s}T
 *     %X         X if the response did not leave whole, else +
 *     %{NAME}i   a field of the request; %{NAME}o one of the response
 *     %W         why it did not, as a word
 *     %{target}r the target, as it came
 *     %L         the request's id (<torc/request_id.h>)
 *     %P         process
 *     %%         a percent sign
 *
 * What is not there is "-". What comes from outside can neither end a line nor a quoted text:
 * quotes and backslashes get a backslash, controls and all beyond ASCII become \xHH. In `json` and
 * `logfmt` texts are JSON strings: valid UTF-8 stays, what is none becomes U+FFFD, controls \u00HH;
 * what is not there is null, or left empty. A value that is too long is cut, and ends in "...".
 */
typedef struct torc_access_log torc_access_log;

/** What is wrong with a format, and where. */
typedef struct torc_access_format_error {
    size_t place;   /* in bytes */
    char text[120]; /* a line for people */
} torc_access_format_error;

TORC_BEGIN_DECLS

/** Whether a format is well-formed: TORC_ERR_SYNTAX, and what is wrong, which may be NULL. */
TORC_API torc_err torc_access_format_check(torc_str format,
                                           torc_access_format_error *error) TORC_MUST_CHECK;
/**
 * Make an access log of this format over a writer, which is lent. TORC_ERR_SYNTAX, as above;
 * TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_access_log_new(torc_log_writer *writer, torc_str format,
                                      torc_access_format_error *error,
                                      torc_access_log **log) TORC_MUST_CHECK;
/** After all sites that it observes, and before the writer. NULL is fine. */
TORC_API void torc_access_log_free(torc_access_log *log);
/** What torc_site_add_observer() wants. */
TORC_API torc_observer *torc_access_log_observer(torc_access_log *log);

TORC_END_DECLS

#endif
