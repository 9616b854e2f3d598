/* SPDX-License-Identifier: MIT */
#ifndef TORC_URL_H
#define TORC_URL_H

#include <torc/buf.h>
#include <torc/target.h>

/**
 * URLs and references to them (RFC 3986), as values: taken apart, put together, resolved; and the
 * queries of the web. Functions on values: any thread may call them. For the URLs of a request see
 * <torc/link.h>.
 */

/** A URL or a relative reference, taken apart; slices of the text. What is absent has `.bytes`
 * NULL; a path is empty at least. */
typedef struct torc_url {
    torc_str scheme;    /* "https" */
    torc_str authority; /* "user@a.example:81": user, host and port as they stand there */
    torc_str user;      /* what stands before the `@` */
    torc_str host;      /* an IPv6 address with its brackets; may be empty ("file:///x") */
    int port;           /* -1: none was given, or an empty one */
    torc_str path;      /* as it stands there: escaped */
    torc_str query;     /* behind the `?` */
    torc_str fragment;  /* behind the `#` */
} torc_url;

TORC_BEGIN_DECLS

/**
 * Take a URL or reference apart: all that RFC 3986 allows, and in path, query and fragment the
 * visible ASCII that browsers send, too. TORC_ERR_SYNTAX: spaces, controls, bytes above 0x7e, bad
 * escapes, a bad authority or scheme, a first segment with a colon that no scheme is.
 */
TORC_API torc_err torc_url_parse(torc_str text, torc_url *url) TORC_MUST_CHECK;
/** Append a URL that is made of its parts: `user`, `host` and `port` are not looked at, `authority`
 * is. */
TORC_API void torc_url_format(const torc_url *url, torc_buf *buf);
/**
 * Append what `reference` stands for in a document at `base`, which has a scheme (RFC 3986 §5.2,
 * strict): "../b?c" at "http://host/a/x" is "http://host/b?c". TORC_ERR_SYNTAX: either is no URL;
 * TORC_ERR_INVALID: `base` is relative, or no URL can say the result ("a:/.//b"); else what
 * torc_buf_err() says.
 */
TORC_API torc_err torc_url_resolve(torc_str base, torc_str reference,
                                   torc_buf *buf) TORC_MUST_CHECK;
/** The port of a URL: its own, or else that of http or https; -1: neither is known. */
TORC_API int torc_url_port(const torc_url *url);
/** The port that is meant if none is given: 80 of http and ws, 443 of https and wss; -1: unknown.
 */
TORC_API int torc_scheme_port(torc_str scheme);

/** Append a slash and a segment of a path, escaped (torc_percent_encode()). */
TORC_API void torc_url_add_segment(torc_buf *buf, torc_str segment);
/** Append text as a part of a segment, a name or a value, escaped. */
TORC_API void torc_url_add_escaped(torc_buf *buf, torc_str text);
/** Append an argument of a query, both parts escaped: behind a `?` if `*count` is 0, or else `&`;
 * counts it. */
TORC_API void torc_url_add_argument(torc_buf *buf, size_t *count, torc_str name, torc_str value);

/**
 * The next argument of a query or an urlencoded form: takes it, and the `&`, from `*rest`. Name and
 * value are as they stand there: see torc_percent_decode() with `plus`. Without an `=` the value's
 * bytes are NULL; items without a byte are left out. False when nothing is left.
 */
TORC_API bool torc_query_next(torc_str *rest, torc_str *name, torc_str *value);

TORC_END_DECLS

#endif
