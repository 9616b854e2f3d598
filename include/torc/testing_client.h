/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_CLIENT_H
#define TORC_TESTING_CLIENT_H

#include <torc/app.h>
#include <torc/json_value.h>
#include <torc/testing_expect.h>
#include <torc/testing_request.h>

/**
 * A client of an app, a site or a resource, in memory: it asks, and the test says what it expects.
 * In the library torc-testing.
 *
 *     torc_test_client *client = torc_test_client_new_app(app);
 *     torc_test_get(client, "/greet/you");
 *     torc_test_expect_status(client, 200);
 *     torc_test_expect_field(client, "Content-Type", "application/json");
 *     torc_test_expect_body(client, "{\"hello\":\"you\"}");
 *     torc_test_client_free(client);
 *
 * The client has a reactor whose clock stands still but for torc_test_client_advance(), and a log
 * that is kept. What it asks goes the way of a request from the network: the same tree, fibers,
 * limits and response code. Asking turns the reactor until there is an answer, or nothing more
 * happens without time or the test; jobs of threads are waited for. A route that sleeps has not
 * answered then, and does once the clock was moved.
 *
 * Expectations are about what was asked last, or chosen by torc_test_client_look_at(). One that
 * fails says what was asked, what was expected and what came, with the fields and the beginning of
 * the body (see testing_expect.h).
 *
 * torc_test_client_free() is the last expectation: that nothing is left open. Requests that were
 * not answered, connections, timers, fibers, deferreds, jobs, descriptors that were not closed,
 * memory of requests, and errors in the log that the test did not expect: each fails the test, by
 * name. Clients are for one thread.
 */
typedef struct torc_test_client torc_test_client;

TORC_BEGIN_DECLS

/**
 * A client of an app, which this takes, as the program has set it up for torc_app_run(): `on_start`
 * and the services' starts run on the test's reactor, and at the end their stops and `on_stop`.
 * Nothing is listened on. An app that cannot start is a failure, and so is then every expectation.
 * NULL only without memory.
 */
TORC_API torc_test_client *torc_test_client_new_app_at(const char *place, torc_app *app);
#define torc_test_client_new_app(app) torc_test_client_new_app_at(TORC_PLACE, (app))
/** The same of an app with arguments, NULL-ended, as they would stand behind the program's name:
 * options of its own, limits, fields. */
TORC_API torc_test_client *torc_test_client_new_app_with_at(const char *place, torc_app *app,
                                                            const char *const *arguments);
#define torc_test_client_new_app_with(app, arguments)                                              \
    torc_test_client_new_app_with_at(TORC_PLACE, (app), (arguments))
/** A client of a resource, which this takes, as the root of a site. */
TORC_API torc_test_client *torc_test_client_new_resource_at(const char *place,
                                                            torc_resource *resource);
#define torc_test_client_new_resource(resource)                                                    \
    torc_test_client_new_resource_at(TORC_PLACE, (resource))
/** A client of a function, as a route for every method and path. */
TORC_API torc_test_client *torc_test_client_new_route_at(const char *place, torc_render_fn *render);
#define torc_test_client_new_route(render) torc_test_client_new_route_at(TORC_PLACE, (render))
/**
 * A client that has nobody to ask yet: what is to be tested is made on its reactor, with its log,
 * and given by torc_test_client_set_acceptor(); who made it frees it, before the client.
 */
TORC_API torc_test_client *torc_test_client_new_at(const char *place,
                                                   const torc_reactor_options *options);
#define torc_test_client_new(options) torc_test_client_new_at(TORC_PLACE, (options))
TORC_API void torc_test_client_set_acceptor(torc_test_client *client, torc_acceptor *acceptor);
/** Expect that nothing is left open, as said above, and free it. True: nothing was. NULL is fine.
 */
TORC_API bool torc_test_client_free(torc_test_client *client);
/** Do not look for descriptors that were not closed: for a test that opens some meanwhile. */
TORC_API void torc_test_client_ignore_descriptors(torc_test_client *client);

TORC_API torc_reactor *torc_test_client_reactor(const torc_test_client *client);
TORC_API torc_test_log *torc_test_client_log(const torc_test_client *client);
/** The site that is asked; NULL: there is none of the client's own. */
TORC_API torc_site *torc_test_client_site(const torc_test_client *client);
/** Let `ms` milliseconds pass, and what is due in them happen. */
TORC_API void torc_test_client_advance(torc_test_client *client, uint64_t ms);

/* ---- asking ---- */

/** A field of all requests from now on, in place of those before; NULL: none. `Host` is `localhost`
 * unless set. */
TORC_API void torc_test_client_set_field(torc_test_client *client, const char *name,
                                         const char *value);
/** A field of the next request alone. */
TORC_API void torc_test_client_add_field(torc_test_client *client, const char *name,
                                         const char *value);
/**
 * Cookies that answers set are kept, and sent with the requests that they are for, by host, path,
 * time and Secure, as browsers do. Whether they are, from now on; so it is at first.
 */
TORC_API void torc_test_client_keep_cookies(torc_test_client *client, bool keeps);
/** The value of the first cookie of that name that the next request to this path would have;
 * `.bytes` NULL: none. */
TORC_API torc_str torc_test_client_cookie(torc_test_client *client, const char *path,
                                          const char *name);
/** Keep a cookie as an answer of the host would have set it, for all its paths; NULL: none of that
 * name any more. */
TORC_API void torc_test_client_set_cookie(torc_test_client *client, const char *name,
                                          const char *value);
/** Forget all. */
TORC_API void torc_test_client_clear_cookies(torc_test_client *client);
/** Whether requests come over https from now on, as if from a connection with TLS; at first they do
 * not. */
TORC_API void torc_test_client_set_secure(torc_test_client *client, bool is_secure);
/** The address that requests come from from now on; 127.0.0.1 unless set. */
TORC_API torc_err torc_test_client_set_peer(torc_test_client *client, const char *host,
                                            uint16_t port) TORC_MUST_CHECK;
/** From now on bodies go out in pieces of `bytes` bytes, with `pause_ms` between them; 0: whole. */
TORC_API void torc_test_client_set_pieces(torc_test_client *client, size_t bytes,
                                          uint64_t pause_ms);
/** From now on the client takes `bytes` bytes of a response every `pause_ms`; 0: all, at once. */
TORC_API void torc_test_client_set_slow(torc_test_client *client, size_t bytes, uint64_t pause_ms);
/**
 * From now on follow as many redirects, as browsers do; 0, as at first: look at them. The last
 * request is what expectations are about. One that leads to another host, or to https, leads the
 * client there for good; a Location that is no URL is a failure.
 */
TORC_API void torc_test_client_follow_redirects(torc_test_client *client, uint32_t most);
/** How many were followed for what was asked last. */
TORC_API uint32_t torc_test_client_redirect_count(const torc_test_client *client);

/**
 * Ask, and wait for the answer as far as it comes without time. The returned request is the
 * client's, and lives as long; NULL when it could not be asked, which is a failure.
 */
TORC_API torc_test_request *torc_test_ask_at(const char *place, torc_test_client *client,
                                             const char *method, const char *target,
                                             const char *type, torc_str body);
/** With a method and no body. */
#define torc_test_ask(client, method, target)                                                      \
    torc_test_ask_at(TORC_PLACE, (client), (method), (target), NULL, torc_str_make(NULL, 0))
#define torc_test_get(client, target) torc_test_ask((client), "GET", (target))
#define torc_test_head(client, target) torc_test_ask((client), "HEAD", (target))
#define torc_test_delete(client, target) torc_test_ask((client), "DELETE", (target))
/** With a body, a text, of a type. */
#define torc_test_send(client, method, target, type, text)                                         \
    torc_test_ask_at(TORC_PLACE, (client), (method), (target), (type), torc_str_of(text))
#define torc_test_post(client, target, type, text)                                                 \
    torc_test_send((client), "POST", (target), (type), (text))
#define torc_test_post_json(client, target, text)                                                  \
    torc_test_send((client), "POST", (target), "application/json", (text))
#define torc_test_put_json(client, target, text)                                                   \
    torc_test_send((client), "PUT", (target), "application/json", (text))
#define torc_test_patch_json(client, target, text)                                                 \
    torc_test_send((client), "PATCH", (target), "application/json", (text))
/** With a form: names and values, NULL-ended, written as application/x-www-form-urlencoded. */
TORC_API torc_test_request *torc_test_post_form_at(const char *place, torc_test_client *client,
                                                   const char *target, ...)
    __attribute__((sentinel));
#define torc_test_post_form(client, target, ...)                                                   \
    torc_test_post_form_at(TORC_PLACE, (client), (target), __VA_ARGS__, (const char *)NULL)
/** A part of a form as multipart/form-data: a field, or a file if it has a file name. */
typedef struct torc_test_part {
    const char *name;
    const char *file_name; /* NULL: it is a field */
    const char *type;      /* NULL: none is said */
    torc_str body;
} torc_test_part;
/** With such a form, by POST. */
TORC_API torc_test_request *torc_test_post_parts_at(const char *place, torc_test_client *client,
                                                    const char *target, const torc_test_part *parts,
                                                    size_t count);
#define torc_test_post_parts(client, target, parts, count)                                         \
    torc_test_post_parts_at(TORC_PLACE, (client), (target), (parts), (count))
/**
 * Begin to ask: `head` as for torc_test_request_new(), with the client's fields besides. Nothing
 * happens yet: the test sends the body, goes away or reads slowly by the functions of
 * testing_request.h, and turns the reactor by torc_test_client_run(). So several can be on their
 * way at once.
 */
TORC_API torc_test_request *torc_test_begin_at(const char *place, torc_test_client *client,
                                               const char *head);
#define torc_test_begin(client, head) torc_test_begin_at(TORC_PLACE, (client), (head))
/** Turn until nothing more happens without time or the test; jobs of threads are waited for. */
TORC_API void torc_test_client_run(torc_test_client *client);
/** Let time pass, `ms` at most, until what is looked at is answered: whether it is. */
TORC_API bool torc_test_client_wait(torc_test_client *client, uint64_t ms);
/** Expectations are about this request of the client's from now on. */
TORC_API void torc_test_client_look_at(torc_test_client *client, torc_test_request *request);
/** What is looked at, NULL: nothing was asked. See testing_request.h for all that can be asked of
 * it. */
TORC_API torc_test_request *torc_test_client_answer(const torc_test_client *client);
/** The value of the first field of that name; `.bytes` NULL: there is none. */
TORC_API torc_str torc_test_field(const torc_test_client *client, const char *name);
/** The body as far as it has come. */
TORC_API torc_str torc_test_body(const torc_test_client *client);
/** A value of the body's JSON by its JSON pointer; NULL: there is none. It lives as long as the
 * client. */
TORC_API const torc_json_value *torc_test_json(torc_test_client *client, const char *pointer);

/* ---- expecting; each answers whether it is so ---- */

TORC_API bool torc_test_expect_status_at(const char *place, torc_test_client *client, int status);
#define torc_test_expect_status(client, status)                                                    \
    torc_test_expect_status_at(TORC_PLACE, (client), (status))
/** There is no answer yet. */
TORC_API bool torc_test_expect_no_answer_at(const char *place, torc_test_client *client);
#define torc_test_expect_no_answer(client) torc_test_expect_no_answer_at(TORC_PLACE, (client))
/** A field of that name has this value. */
TORC_API bool torc_test_expect_field_at(const char *place, torc_test_client *client,
                                        const char *name, const char *value);
#define torc_test_expect_field(client, name, value)                                                \
    torc_test_expect_field_at(TORC_PLACE, (client), (name), (value))
/** A field of that name has a value with this part in it. */
TORC_API bool torc_test_expect_field_contains_at(const char *place, torc_test_client *client,
                                                 const char *name, const char *part);
#define torc_test_expect_field_contains(client, name, part)                                        \
    torc_test_expect_field_contains_at(TORC_PLACE, (client), (name), (part))
TORC_API bool torc_test_expect_no_field_at(const char *place, torc_test_client *client,
                                           const char *name);
#define torc_test_expect_no_field(client, name)                                                    \
    torc_test_expect_no_field_at(TORC_PLACE, (client), (name))
/** The body is this text, these bytes, or has this in it. */
TORC_API bool torc_test_expect_body_bytes_at(const char *place, torc_test_client *client,
                                             torc_str bytes);
#define torc_test_expect_body(client, text)                                                        \
    torc_test_expect_body_bytes_at(TORC_PLACE, (client), torc_str_of(text))
#define torc_test_expect_body_bytes(client, bytes)                                                 \
    torc_test_expect_body_bytes_at(TORC_PLACE, (client), (bytes))
TORC_API bool torc_test_expect_body_contains_at(const char *place, torc_test_client *client,
                                                const char *part);
#define torc_test_expect_body_contains(client, part)                                               \
    torc_test_expect_body_contains_at(TORC_PLACE, (client), (part))
/**
 * The body is JSON, and what a JSON pointer (RFC 6901) leads to, "/items/3/price" ("" is all of
 * it), means the same as a text: the order of members and how numbers are written do not count.
 * What differs is told, value by value.
 */
TORC_API bool torc_test_expect_json_at(const char *place, torc_test_client *client,
                                       const char *pointer, const char *text);
#define torc_test_expect_json(client, pointer, text)                                               \
    torc_test_expect_json_at(TORC_PLACE, (client), (pointer), (text))
/** The body is JSON, and there is nothing where the pointer leads. */
TORC_API bool torc_test_expect_no_json_at(const char *place, torc_test_client *client,
                                          const char *pointer);
#define torc_test_expect_no_json(client, pointer)                                                  \
    torc_test_expect_no_json_at(TORC_PLACE, (client), (pointer))
/** The response came whole; or it was broken off, so that the peer can tell. */
TORC_API bool torc_test_expect_whole_at(const char *place, torc_test_client *client);
#define torc_test_expect_whole(client) torc_test_expect_whole_at(TORC_PLACE, (client))
TORC_API bool torc_test_expect_aborted_at(const char *place, torc_test_client *client);
#define torc_test_expect_aborted(client) torc_test_expect_aborted_at(TORC_PLACE, (client))
/** The log has an event of a namespace with this text, which is forgotten with those like it. */
#define torc_test_expect_logged(client, space, text)                                               \
    torc_test_expect_event_at(TORC_PLACE, torc_test_client_log(client), (space), (text))

TORC_END_DECLS

#endif
