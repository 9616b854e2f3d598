/* SPDX-License-Identifier: MIT */
#ifndef TORC_FIELDS_H
#define TORC_FIELDS_H

#include <torc/arena.h>
#include <torc/str.h>

/**
 * Fields: the names and values of a head or of trailers, in order (RFC 9110 §5).
 *
 * Names are compared without regard to case. The names that the library knows have an id, by which
 * they are found fastest. A torc_fields is a value: it points to fields and text that somebody else
 * owns, an arena mostly.
 */

/* X(id, name), sorted; the order has no meaning. After a change run tools/field_hash.py. */
#define TORC_FIELD_TABLE(X)                                                                        \
    X(ACCEPT, "Accept")                                                                            \
    X(ACCEPT_CHARSET, "Accept-Charset")                                                            \
    X(ACCEPT_ENCODING, "Accept-Encoding")                                                          \
    X(ACCEPT_LANGUAGE, "Accept-Language")                                                          \
    X(ACCEPT_PATCH, "Accept-Patch")                                                                \
    X(ACCEPT_POST, "Accept-Post")                                                                  \
    X(ACCEPT_RANGES, "Accept-Ranges")                                                              \
    X(ACCESS_CONTROL_ALLOW_CREDENTIALS, "Access-Control-Allow-Credentials")                        \
    X(ACCESS_CONTROL_ALLOW_HEADERS, "Access-Control-Allow-Headers")                                \
    X(ACCESS_CONTROL_ALLOW_METHODS, "Access-Control-Allow-Methods")                                \
    X(ACCESS_CONTROL_ALLOW_ORIGIN, "Access-Control-Allow-Origin")                                  \
    X(ACCESS_CONTROL_EXPOSE_HEADERS, "Access-Control-Expose-Headers")                              \
    X(ACCESS_CONTROL_MAX_AGE, "Access-Control-Max-Age")                                            \
    X(ACCESS_CONTROL_REQUEST_HEADERS, "Access-Control-Request-Headers")                            \
    X(ACCESS_CONTROL_REQUEST_METHOD, "Access-Control-Request-Method")                              \
    X(AGE, "Age")                                                                                  \
    X(ALLOW, "Allow")                                                                              \
    X(ALT_SVC, "Alt-Svc")                                                                          \
    X(AUTHENTICATION_INFO, "Authentication-Info")                                                  \
    X(AUTHORIZATION, "Authorization")                                                              \
    X(CACHE_CONTROL, "Cache-Control")                                                              \
    X(CACHE_STATUS, "Cache-Status")                                                                \
    X(CLEAR_SITE_DATA, "Clear-Site-Data")                                                          \
    X(CONNECTION, "Connection")                                                                    \
    X(CONTENT_DIGEST, "Content-Digest")                                                            \
    X(CONTENT_DISPOSITION, "Content-Disposition")                                                  \
    X(CONTENT_ENCODING, "Content-Encoding")                                                        \
    X(CONTENT_LANGUAGE, "Content-Language")                                                        \
    X(CONTENT_LENGTH, "Content-Length")                                                            \
    X(CONTENT_LOCATION, "Content-Location")                                                        \
    X(CONTENT_MD5, "Content-MD5")                                                                  \
    X(CONTENT_RANGE, "Content-Range")                                                              \
    X(CONTENT_SECURITY_POLICY, "Content-Security-Policy")                                          \
    X(CONTENT_SECURITY_POLICY_REPORT_ONLY, "Content-Security-Policy-Report-Only")                  \
    X(CONTENT_TYPE, "Content-Type")                                                                \
    X(COOKIE, "Cookie")                                                                            \
    X(CROSS_ORIGIN_EMBEDDER_POLICY, "Cross-Origin-Embedder-Policy")                                \
    X(CROSS_ORIGIN_OPENER_POLICY, "Cross-Origin-Opener-Policy")                                    \
    X(CROSS_ORIGIN_RESOURCE_POLICY, "Cross-Origin-Resource-Policy")                                \
    X(DATE, "Date")                                                                                \
    X(DNT, "DNT")                                                                                  \
    X(EARLY_DATA, "Early-Data")                                                                    \
    X(ETAG, "ETag")                                                                                \
    X(EXPECT, "Expect")                                                                            \
    X(EXPIRES, "Expires")                                                                          \
    X(FORWARDED, "Forwarded")                                                                      \
    X(FROM, "From")                                                                                \
    X(HOST, "Host")                                                                                \
    X(HTTP2_SETTINGS, "HTTP2-Settings")                                                            \
    X(IF_MATCH, "If-Match")                                                                        \
    X(IF_MODIFIED_SINCE, "If-Modified-Since")                                                      \
    X(IF_NONE_MATCH, "If-None-Match")                                                              \
    X(IF_RANGE, "If-Range")                                                                        \
    X(IF_UNMODIFIED_SINCE, "If-Unmodified-Since")                                                  \
    X(KEEP_ALIVE, "Keep-Alive")                                                                    \
    X(LAST_EVENT_ID, "Last-Event-ID")                                                              \
    X(LAST_MODIFIED, "Last-Modified")                                                              \
    X(LINK, "Link")                                                                                \
    X(LOCATION, "Location")                                                                        \
    X(MAX_FORWARDS, "Max-Forwards")                                                                \
    X(ORIGIN, "Origin")                                                                            \
    X(P3P, "P3P")                                                                                  \
    X(PERMISSIONS_POLICY, "Permissions-Policy")                                                    \
    X(PRAGMA, "Pragma")                                                                            \
    X(PRIORITY, "Priority")                                                                        \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate")                                                    \
    X(PROXY_AUTHENTICATION_INFO, "Proxy-Authentication-Info")                                      \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization")                                                  \
    X(PROXY_CONNECTION, "Proxy-Connection")                                                        \
    X(PROXY_STATUS, "Proxy-Status")                                                                \
    X(RANGE, "Range")                                                                              \
    X(REFERER, "Referer")                                                                          \
    X(REFERRER_POLICY, "Referrer-Policy")                                                          \
    X(REFRESH, "Refresh")                                                                          \
    X(REPR_DIGEST, "Repr-Digest")                                                                  \
    X(RETRY_AFTER, "Retry-After")                                                                  \
    X(SEC_CH_UA, "Sec-CH-UA")                                                                      \
    X(SEC_CH_UA_MOBILE, "Sec-CH-UA-Mobile")                                                        \
    X(SEC_CH_UA_PLATFORM, "Sec-CH-UA-Platform")                                                    \
    X(SEC_FETCH_DEST, "Sec-Fetch-Dest")                                                            \
    X(SEC_FETCH_MODE, "Sec-Fetch-Mode")                                                            \
    X(SEC_FETCH_SITE, "Sec-Fetch-Site")                                                            \
    X(SEC_FETCH_USER, "Sec-Fetch-User")                                                            \
    X(SEC_WEBSOCKET_ACCEPT, "Sec-WebSocket-Accept")                                                \
    X(SEC_WEBSOCKET_EXTENSIONS, "Sec-WebSocket-Extensions")                                        \
    X(SEC_WEBSOCKET_KEY, "Sec-WebSocket-Key")                                                      \
    X(SEC_WEBSOCKET_PROTOCOL, "Sec-WebSocket-Protocol")                                            \
    X(SEC_WEBSOCKET_VERSION, "Sec-WebSocket-Version")                                              \
    X(SERVER, "Server")                                                                            \
    X(SERVER_TIMING, "Server-Timing")                                                              \
    X(SET_COOKIE, "Set-Cookie")                                                                    \
    X(STRICT_TRANSPORT_SECURITY, "Strict-Transport-Security")                                      \
    X(TE, "TE")                                                                                    \
    X(TIMING_ALLOW_ORIGIN, "Timing-Allow-Origin")                                                  \
    X(TRACEPARENT, "Traceparent")                                                                  \
    X(TRACESTATE, "Tracestate")                                                                    \
    X(TRAILER, "Trailer")                                                                          \
    X(TRANSFER_ENCODING, "Transfer-Encoding")                                                      \
    X(UPGRADE, "Upgrade")                                                                          \
    X(UPGRADE_INSECURE_REQUESTS, "Upgrade-Insecure-Requests")                                      \
    X(USER_AGENT, "User-Agent")                                                                    \
    X(VARY, "Vary")                                                                                \
    X(VIA, "Via")                                                                                  \
    X(WWW_AUTHENTICATE, "WWW-Authenticate")                                                        \
    X(X_ACCEL_BUFFERING, "X-Accel-Buffering")                                                      \
    X(X_CONTENT_TYPE_OPTIONS, "X-Content-Type-Options")                                            \
    X(X_FORWARDED_FOR, "X-Forwarded-For")                                                          \
    X(X_FORWARDED_HOST, "X-Forwarded-Host")                                                        \
    X(X_FORWARDED_PORT, "X-Forwarded-Port")                                                        \
    X(X_FORWARDED_PROTO, "X-Forwarded-Proto")                                                      \
    X(X_FRAME_OPTIONS, "X-Frame-Options")                                                          \
    X(X_REAL_IP, "X-Real-IP")                                                                      \
    X(X_REQUESTED_WITH, "X-Requested-With")                                                        \
    X(X_REQUEST_ID, "X-Request-ID")                                                                \
    X(X_XSS_PROTECTION, "X-XSS-Protection")

typedef enum torc_field_id {
    TORC_FIELD_OTHER = 0, /* a name that is not in the table */
#define TORC_FIELD_ENUMERATOR(id, name) TORC_FIELD_##id,
    TORC_FIELD_TABLE(TORC_FIELD_ENUMERATOR)
#undef TORC_FIELD_ENUMERATOR
    TORC_FIELDS
} torc_field_id;

typedef struct torc_field {
    torc_str name;  /* as sent */
    torc_str value; /* without the white space around it */
    torc_field_id id;
} torc_field;

typedef struct torc_fields {
    torc_field *items;
    uint32_t count;
    uint32_t capacity; /* private */
} torc_fields;

TORC_BEGIN_DECLS

/** The id of a name, whatever its case. */
TORC_API torc_field_id torc_field_find(torc_str name);
/** The name as it is usually written; empty for TORC_FIELD_OTHER. */
TORC_API torc_str torc_field_name(torc_field_id id);
/** Whether it is a token (RFC 9110 §5.6.2): not empty, no separators. */
TORC_API bool torc_is_token(torc_str text);
/** Whether it can be a field's name: a token. */
TORC_API bool torc_field_name_is_valid(torc_str name);
/** Whether it can be a field's value: no control bytes but HTAB, no white space at the ends. */
TORC_API bool torc_field_value_is_valid(torc_str value);
/** Whether a field may stand in trailers: not one of framing, routing, requests' conditions, or
 * access. */
TORC_API bool torc_field_is_allowed_in_trailers(torc_field_id id);

/** The value of the first field of a name; `.bytes` NULL: there is none. */
TORC_API torc_str torc_fields_value(const torc_fields *fields, torc_str name);
TORC_API torc_str torc_fields_value_id(const torc_fields *fields, torc_field_id id);
TORC_API bool torc_fields_has(const torc_fields *fields, torc_str name);
/** The first field with an id at or behind `*place`, which moves behind it; NULL: none. Start with
 * 0. */
TORC_API const torc_field *torc_fields_next_id(const torc_fields *fields, torc_field_id id,
                                               uint32_t *place);
/** The same by name. */
TORC_API const torc_field *torc_fields_next(const torc_fields *fields, torc_str name,
                                            uint32_t *place);
/**
 * Whether the list that all fields with an id make together has a member, whatever its case:
 * "close" of Connection, say.
 */
TORC_API bool torc_fields_have_member(const torc_fields *fields, torc_field_id id, torc_str member);
/**
 * Add a field behind the others; name and value are lent for as long as the fields are used.
 * TORC_ERR_INVALID for a name or value that no field can have: so nothing is ever injected into a
 * head. TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_fields_add(torc_fields *fields, torc_arena *arena, torc_str name,
                                  torc_str value) TORC_MUST_CHECK;
/** The same with copies of name and value in the arena. */
TORC_API torc_err torc_fields_add_copy(torc_fields *fields, torc_arena *arena, torc_str name,
                                       torc_str value) TORC_MUST_CHECK;
/** Add a field with a known name (not TORC_FIELD_OTHER). The value is lent. */
TORC_API torc_err torc_fields_add_id(torc_fields *fields, torc_arena *arena, torc_field_id id,
                                     torc_str value) TORC_MUST_CHECK;
/**
 * As torc_fields_add(), in place of all fields of that name: it stands where the first of them
 * stood. On an error nothing has changed.
 */
TORC_API torc_err torc_fields_set(torc_fields *fields, torc_arena *arena, torc_str name,
                                  torc_str value) TORC_MUST_CHECK;
/** Remove all fields of a name; how many they were. */
TORC_API uint32_t torc_fields_remove(torc_fields *fields, torc_str name);
/**
 * Copy all fields, names and values, into an arena; `*copy` is new. On an error nothing is set.
 */
TORC_API torc_err torc_fields_copy(const torc_fields *fields, torc_arena *arena,
                                   torc_fields *copy) TORC_MUST_CHECK;
/** Whether both have the same values in the same order for each name; how names are written and how
 * different names are mixed does not count. */
TORC_API bool torc_fields_equal(const torc_fields *a, const torc_fields *b);
/**
 * Write a name as it is usually written ("etag": "ETag", "x-my-field": "X-My-Field") to `to`, which
 * has room for name.len bytes.
 */
TORC_API torc_str torc_field_name_usual(torc_str name, char *to);
/**
 * The next member of a list (RFC 9110 §5.6.1): takes it, and the comma, from `*rest`; quoted
 * strings may have commas; empty members are left out. False when nothing is left.
 */
TORC_API bool torc_list_member_next(torc_str *rest, torc_str *member);
/** Whether a list has a member, whatever its case. */
TORC_API bool torc_list_has_member(torc_str list, torc_str member);

TORC_END_DECLS

#endif
