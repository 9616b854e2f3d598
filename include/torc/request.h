/* SPDX-License-Identifier: MIT */
#ifndef TORC_REQUEST_H
#define TORC_REQUEST_H

#include <torc/arena.h>
#include <torc/cookie.h>
#include <torc/fields.h>
#include <torc/limits.h>
#include <torc/link_info.h>
#include <torc/method.h>

/**
 * Requests: what a peer asked, and the handle by which it is answered.
 *
 * A request is valid until the end of the reactor's round in which the application has let go of
 * it: by finishing the response, or by being told of the loss. Before that, every operation on a
 * request that is finished or lost is a no-op that returns TORC_ERR_GONE. Whoever may be late (a
 * timer that outlives the request, another thread) holds a ticket, never the pointer: see
 * <torc/ticket.h>.
 *
 * Slices that these functions return live as long as the request, unless said otherwise. All of
 * them are called in the thread of the request's reactor.
 */

/** What a render or a route answers. */
typedef enum torc_render {
    TORC_RENDER_DONE = 0,     /* the response is finished (none: a 500 and a line in the log) */
    TORC_RENDER_NOT_DONE_YET, /* it will be finished later, by who has the request or its ticket */
    TORC_RENDER_DECLINED,     /* no answer for this method: 405 with Allow, or 501 */
    TORC_RENDER_NEXT          /* of a middleware alone: go on to what is inside */
} torc_render;

/** A route's function, on a fiber; or a resource's, on the reactor's stack. */
typedef torc_render torc_render_fn(torc_request *request);

TORC_BEGIN_DECLS

TORC_API torc_method torc_request_method(const torc_request *request);
/** The method as sent, also when it is TORC_METHOD_OTHER. */
TORC_API torc_str torc_request_method_text(const torc_request *request);
/** The target as sent: "/a%20b?c=d", "http://host/…", "*". */
TORC_API torc_str torc_request_target(const torc_request *request);
/** The path as sent, without the query; "*" for the asterisk form. */
TORC_API torc_str torc_request_path(const torc_request *request);
/** What stands behind the `?`; `.bytes` is NULL when there is none. */
TORC_API torc_str torc_request_query(const torc_request *request);
/** "http" or "https". */
TORC_API torc_str torc_request_scheme(const torc_request *request);
/** The host and port that the peer addressed: the target's authority, or else the Host field. */
TORC_API torc_str torc_request_authority(const torc_request *request);
/** The authority's host alone; an IPv6 address keeps its brackets. */
TORC_API torc_str torc_request_hostname(const torc_request *request);
/** 10 for HTTP/1.0, 11 for HTTP/1.1, 20 for HTTP/2. */
TORC_API int torc_request_version(const torc_request *request);
TORC_API bool torc_request_is_secure(const torc_request *request);

/**
 * The path's segments: what stands between the slashes, percent-decoded. "/" has one, the empty
 * one;
 * "/a/" has "a" and "". The first `torc_request_depth()` ones led to the resource that renders
 * (prepath); the rest (postpath) is what a leaf is left with.
 */
TORC_API size_t torc_request_segment_count(const torc_request *request);
TORC_API size_t torc_request_depth(const torc_request *request);
/** The segment decoded; empty beyond the last. */
TORC_API torc_str torc_request_segment(const torc_request *request, size_t place);
/** The same as sent. */
TORC_API torc_str torc_request_segment_raw(const torc_request *request, size_t place);

/** The value of a route's parameter, decoded; empty if the route has none of that name. */
TORC_API torc_str torc_request_param(const torc_request *request, const char *name);
/** The same as sent. */
TORC_API torc_str torc_request_param_raw(const torc_request *request, const char *name);
/** The number that a parameter `{name:int}` or `{name:uint}` is; 0 where there is none. */
TORC_API int64_t torc_request_param_int(const torc_request *request, const char *name);
TORC_API uint64_t torc_request_param_uint(const torc_request *request, const char *name);
/** The same of `{name:float}`, rounded to the nearest. */
TORC_API double torc_request_param_double(const torc_request *request, const char *name);
/**
 * The first query argument of that name, decoded (`+` is a space). False when there is none, or no
 * memory. Of "flag", without an `=`, the value's bytes are NULL. Items without a byte ("&&") are
 * left out.
 */
TORC_API bool torc_request_arg(torc_request *request, const char *name, torc_str *value);
/** The query arguments in order: start with `*place` 0. False after the last. */
TORC_API bool torc_request_arg_next(torc_request *request, size_t *place, torc_str *name,
                                    torc_str *value);

/** All fields, in the order in which they came. */
TORC_API const torc_fields *torc_request_fields(const torc_request *request);
/** The value of the first field of that name; `.bytes` is NULL when there is none. */
TORC_API torc_str torc_request_field(const torc_request *request, const char *name);
/** The same, by its known id: the fast way. */
TORC_API torc_str torc_request_field_id(const torc_request *request, torc_field_id id);
/** The first cookie of that name, as it was sent; false: there is none. See <torc/cookie.h>. */
TORC_API bool torc_request_cookie(const torc_request *request, const char *name, torc_str *value);
/** The cookies in order: start with `*place` {0}. False after the last. */
TORC_API bool torc_request_cookie_next(const torc_request *request, torc_cookie_place *place,
                                       torc_str *name, torc_str *value);
/**
 * User and password as the Basic scheme has them (RFC 7617), in UTF-8 mostly; false: there are
 * none, or malformed ones (with control characters, say). Nobody has checked them: compare in
 * constant time.
 */
TORC_API bool torc_request_basic_credentials(torc_request *request, torc_str *user,
                                             torc_str *password);
/** What Content-Length said, or -1 for a body of unknown length; 0 when there is no body. */
TORC_API int64_t torc_request_content_length(const torc_request *request);

TORC_API torc_addr torc_request_peer(const torc_request *request);
/**
 * The client's address: the peer's, unless that is a proxy which the site trusts
 * (torc_site_trust_proxies()); then whom it names, and so on as long as those are trusted, too.
 */
TORC_API torc_addr torc_request_client(const torc_request *request);
TORC_API torc_addr torc_request_host(const torc_request *request);
/**
 * What is known of the connection: the server name and protocol that TLS has agreed, the verified
 * certificate of the client, what a proxy in front has told. Once the connection is lost the
 * addresses alone are left.
 */
TORC_API const torc_link_info *torc_request_link_info(const torc_request *request);

TORC_API torc_reactor *torc_request_reactor(const torc_request *request);
/** Memory that lives as long as the request. */
TORC_API torc_arena *torc_request_arena(torc_request *request);
/** What torc_app_set_context() or torc_site_set_context() was given. */
TORC_API void *torc_request_context(const torc_request *request);
/** A pointer of the application's own, NULL at first. */
TORC_API void torc_request_set_data(torc_request *request, void *data);
TORC_API void *torc_request_data(const torc_request *request);
/**
 * Keep a pointer with the request, for others who have its key: the address of something static of
 * the one who keeps it, `static const char key;`. Replaces what was kept. TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_request_set_value(torc_request *request, const void *key,
                                         void *value) TORC_MUST_CHECK;
/** What was kept; NULL when nothing was. */
TORC_API void *torc_request_value(const torc_request *request, const void *key);
/** The limits that hold for this request; those of scope route may be changed before the body is
 * read. */
TORC_API torc_limits *torc_request_limits(torc_request *request);
/** Microseconds since its head came. */
TORC_API uint64_t torc_request_duration_us(const torc_request *request);
/** Whether the response is finished or the peer lost: nothing that is done now reaches anybody. */
TORC_API bool torc_request_is_gone(const torc_request *request);

/** Told once when a request ends: TORC_OK when it was finished, else why it was lost. */
typedef struct torc_request_watch torc_request_watch;
typedef void torc_request_ended_fn(torc_request_watch *watch, torc_request *request,
                                   torc_err reason);
struct torc_request_watch {
    torc_request_ended_fn *ended;
    torc_list_node node; /* private */
};
/**
 * Ask to be told; any number may. The watch is the caller's and must live until it is told or
 * removed. It is told from the reactor, not from inside the call that finishes; a request that has
 * ended already tells nobody.
 */
TORC_API void torc_request_watch_end(torc_request *request, torc_request_watch *watch,
                                     torc_request_ended_fn *ended);
TORC_API void torc_request_unwatch(torc_request_watch *watch);

TORC_END_DECLS

#endif
