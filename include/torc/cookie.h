/* SPDX-License-Identifier: MIT */
#ifndef TORC_COOKIE_H
#define TORC_COOKIE_H

#include <torc/buf.h>
#include <torc/fields.h>
#include <torc/signer.h>

/**
 * Cookies, as values (RFC 6265 with the rules of its successor, draft-ietf-httpbis-rfc6265bis):
 * what stands in Cookie and Set-Cookie, for servers and for clients. Functions on values: any
 * thread may call them.
 *
 * A server reads with torc_request_cookie() and sets with torc_response_add_cookie(), which are
 * made of these. A client (the test kit, an agent) reads Set-Cookie with torc_set_cookie_parse(),
 * asks torc_cookie_is_acceptable() whether to keep it, and torc_cookie_domain_matches(),
 * torc_cookie_path_matches() and `is_secure` whether to send it.
 */
enum {
    TORC_COOKIES_MAX = 256,           /* of a request that are looked at */
    TORC_COOKIE_BYTES_MAX = 4096,     /* of name and value together */
    TORC_COOKIE_ATTRIBUTE_MAX = 1024, /* of an attribute's value */
    TORC_COOKIE_AGE_MAX = 400 * 86400 /* seconds that a client keeps one at most */
};

/** Which requests from other sites carry the cookie. */
typedef enum torc_same_site {
    TORC_SAME_SITE_UNSAID = 0, /* no attribute: browsers take it for Lax, more or less strictly */
    TORC_SAME_SITE_LAX,        /* only when the user follows a link there */
    TORC_SAME_SITE_STRICT,     /* none of them */
    TORC_SAME_SITE_NONE        /* all of them; needs is_secure */
} torc_same_site;

/** A cookie to be set. Zero is what the browser does if nothing is said. */
typedef struct torc_cookie {
    torc_str name, value;
    torc_str domain; /* empty: this host alone; else it, and all below */
    torc_str path;   /* empty: the folder of the request's path */
    int64_t expires; /* seconds since 1970 UTC; if has_expires */
    int64_t max_age; /* seconds from now on, 0 and less: none, remove it; if has_max_age */
    torc_same_site same_site;
    bool has_expires, has_max_age; /* neither: until the browser is closed */
    bool is_secure;                /* over https only */
    bool is_http_only;             /* scripts do not see it */
    bool is_partitioned;           /* kept apart for each site that embeds this one (CHIPS) */
} torc_cookie;

/** A place in the cookies of a request. Start with {0}. */
typedef struct torc_cookie_place {
    torc_str rest; /* private, as all of it */
    uint32_t field, seen;
} torc_cookie_place;

TORC_BEGIN_DECLS

/* ---- what a request brings ---- */

/**
 * The next cookie of all Cookie fields, in order. Values are as they were sent, with their quotes
 * if they have any. What has no name ("x", "=x") is left out, and so is what follows the first
 * TORC_COOKIES_MAX. False when there is none left.
 */
TORC_API bool torc_cookies_next(const torc_fields *fields, torc_cookie_place *place, torc_str *name,
                                torc_str *value);
/** The first cookie of that name, whose case counts; clients send the closest path's first. */
TORC_API bool torc_cookies_find(const torc_fields *fields, torc_str name, torc_str *value);

/* ---- what a response sets ---- */

/**
 * Whether a cookie can be set: TORC_OK, or TORC_ERR_INVALID:
 *  - a name is a token; a value has neither white space nor controls, nor `"` (but around all of
 *    it), `,`, `;`, `\`, nor bytes above 0x7e: encode what is to have them;
 *  - a domain is a name with or without a dot before it, a path begins with "/" and has no `;`;
 *  - SameSite=None and Partitioned need Secure;
 *  - a name that begins with "__Secure-" needs Secure; "__Host-" Secure, the path "/" and no
 *    domain; "__Http-" Secure and HttpOnly, "__Host-Http-" all of it: whatever the case is.
 * TORC_ERR_TOO_LARGE: beyond the lengths that every client takes.
 */
TORC_API torc_err torc_cookie_check(const torc_cookie *cookie) TORC_MUST_CHECK;
/** Append the value of a Set-Cookie field, if torc_cookie_check() lets it; else nothing. */
TORC_API torc_err torc_set_cookie_format(const torc_cookie *cookie, torc_buf *buf) TORC_MUST_CHECK;
/** Room that this needs at most. */
TORC_API size_t torc_set_cookie_bytes_max(const torc_cookie *cookie);

/**
 * Append a value that shows whether anybody has changed it: the value, a dot, and the signature of
 * name and value in base64url. Everybody can still read it, and send it again at any later time.
 */
TORC_API torc_err torc_cookie_sign(torc_signer *signer, torc_str name, torc_str value,
                                   torc_buf *buf) TORC_MUST_CHECK;
/** The value of a cookie that was signed so, for this name; false: it was not. */
TORC_API bool torc_cookie_verify(torc_signer *signer, torc_str name, torc_str text,
                                 torc_str *value);

/* ---- what a client does with it ---- */

/**
 * Read the value of a Set-Cookie field as browsers do (§5.6 of the draft): nearly everything is
 * taken, unknown and malformed attributes are left out, and of several the last one counts. A
 * domain is without its first dot; a path that does not begin with "/" is left out.
 * TORC_ERR_SYNTAX: it is to be ignored (controls, neither name nor value, longer than
 * TORC_COOKIE_BYTES_MAX). Slices are the text's.
 */
TORC_API torc_err torc_set_cookie_parse(torc_str text, torc_cookie *cookie) TORC_MUST_CHECK;
/**
 * Whether a cookie that a response of `host`, over https or not, has set is to be kept: its domain
 * is the host or one above it, Secure ones come over https, and prefixes of names keep what they
 * promise. (Which domains are public suffixes this does not know.)
 */
TORC_API bool torc_cookie_is_acceptable(const torc_cookie *cookie, torc_str host, bool is_secure);
/** When it expires, in seconds since 1970: at most TORC_COOKIE_AGE_MAX from now on; what is not
 * later than `now` is to be removed. INT64_MAX: with the session. */
TORC_API int64_t torc_cookie_expiry(const torc_cookie *cookie, int64_t now);
/** Whether `host` is the domain or below it; an address is below nothing. Case does not count. */
TORC_API bool torc_cookie_domain_matches(torc_str domain, torc_str host);
/** Whether a request for `path` is in a cookie's path: the same, or beneath it by whole segments.
 */
TORC_API bool torc_cookie_path_matches(torc_str cookie_path, torc_str path);
/** The path of a cookie without one, set by a response to a request for `path`. */
TORC_API torc_str torc_cookie_default_path(torc_str path);

TORC_END_DECLS

#endif
