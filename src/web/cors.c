/* SPDX-License-Identifier: MIT */
/*
 * CORS: answering preflights, and telling browsers whose pages may read what is answered.
 *
 *  - Everything that does not depend on the request is text made at set-up.
 *  - `*` is sent only where everybody is allowed and credentials are not; wherever an origin is
 *    compared, `Vary: Origin` is there, whether it was allowed or not, or there was none: a cache
 *    must not give the one for the other (Fetch standard §3.3.5).
 *  - A route that sets Access-Control-Allow-Origin itself is left alone.
 */
#include <torc/cors.h>

#include <stdio.h>
#include <torc/reply.h>

#include "base/alloc.h"
#include "base/options.h"
#include "web/middleware_new.h"
#include "web/origin.h"

enum {
    ORIGINS_MAX = 1000,
    LIST_MAX = 4096, /* bytes of methods, or fields */
    ASKED_MAX = 2048 /* bytes of fields that are allowed because they were asked for */
};

#define VARY_PREFLIGHT "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

typedef struct cors {
    torc_middleware base;
    torc_str *origins;
    size_t origin_count;
    bool allows_all, credentials, private_network;
    bool (*allows_origin)(void *context, torc_request *request, torc_str origin);
    void *context;
    torc_str methods, request_fields, exposed_fields; /* lists; fields empty: those asked for */
    torc_str max_age;                                 /* empty: not said */
} cors;

static cors *self_of(torc_middleware *middleware) {
    return torc_container_of(middleware, cors, base);
}

/* ---- requests ---- */

static bool is_preflight(const torc_request *request) {
    return torc_request_method(request) == TORC_METHOD_OPTIONS &&
           torc_request_field_id(request, TORC_FIELD_ORIGIN).bytes &&
           torc_request_field_id(request, TORC_FIELD_ACCESS_CONTROL_REQUEST_METHOD).bytes;
}

static bool allows(const cors *self, torc_request *request, torc_str origin) {
    if (!origin.len) return false;
    if (self->allows_all) return true;
    for (size_t i = 0; i < self->origin_count; i++)
        if (torc_origin_matches(self->origins[i], origin)) return true;
    return self->allows_origin && self->allows_origin(self->context, request, origin);
}

/* Preflights go no further; what is said to them is said when the response starts. */
static torc_render request_received(torc_middleware *middleware, torc_request *request) {
    (void)middleware;
    if (!is_preflight(request)) return TORC_RENDER_NEXT;
    torc_response_set_status(request, 204, NULL);
    (void)!torc_request_finish(request);
    return TORC_RENDER_DONE;
}

/* ---- responses ---- */

/* A list of fields that was asked for, if it is one: it is what is allowed then. */
static torc_str asked_fields(const torc_request *request) {
    const torc_str asked =
        torc_request_field_id(request, TORC_FIELD_ACCESS_CONTROL_REQUEST_HEADERS);
    torc_str rest = asked, name;

    if (asked.len > ASKED_MAX) return torc_str_make(NULL, 0);
    while (torc_list_member_next(&rest, &name))
        if (!torc_field_name_is_valid(name)) return torc_str_make(NULL, 0);
    return asked;
}

static void set_if(torc_request *request, const char *name, torc_str value) {
    if (value.len) torc_response_set(request, name, value);
}

static void answer_preflight(const cors *self, torc_request *request) {
    set_if(request, "Access-Control-Allow-Methods", self->methods);
    set_if(request, "Access-Control-Allow-Headers",
           self->request_fields.len ? self->request_fields : asked_fields(request));
    set_if(request, "Access-Control-Max-Age", self->max_age);
    if (self->private_network &&
        torc_str_equals(torc_request_field(request, "Access-Control-Request-Private-Network"),
                        TORC_STR("true")))
        torc_response_set(request, "Access-Control-Allow-Private-Network", TORC_STR("true"));
}

static void response_starting(torc_middleware *middleware, torc_request *request) {
    const cors *self = self_of(middleware);
    const torc_str origin = torc_request_field_id(request, TORC_FIELD_ORIGIN);
    const bool is_asked_before = is_preflight(request);
    const bool says_all = self->allows_all && !self->credentials;

    if (torc_response_field(request, "Access-Control-Allow-Origin").bytes) return;
    if (is_asked_before)
        torc_response_add_vary(request, VARY_PREFLIGHT);
    else if (!says_all)
        torc_response_add_vary(request, "Origin");
    if (!allows(self, request, origin)) return;
    torc_response_set(request, "Access-Control-Allow-Origin", says_all ? TORC_STR("*") : origin);
    if (self->credentials)
        torc_response_set(request, "Access-Control-Allow-Credentials", TORC_STR("true"));
    if (is_asked_before)
        answer_preflight(self, request);
    else
        set_if(request, "Access-Control-Expose-Headers", self->exposed_fields);
}

/* ---- options ---- */

static const char *const default_methods[] = {"GET",   "HEAD",   "POST", "PUT",
                                              "PATCH", "DELETE", NULL};

static size_t count_of(const char *const *list) {
    size_t count = 0;

    while (list && list[count]) count++;
    return count;
}

static bool has(const char *const *list, const char *word) {
    for (size_t i = 0; list && list[i]; i++)
        if (strcmp(list[i], word) == 0) return true;
    return false;
}

static size_t joined_len(const char *const *list) {
    size_t len = 0;

    for (size_t i = 0; list && list[i]; i++) len += strlen(list[i]) + (i ? 2 : 0);
    return len;
}

static const char *check_list(const char *const *list, const char *what, char text[200]) {
    for (size_t i = 0; list && list[i]; i++)
        if (!torc_is_token(torc_str_of(list[i]))) {
            snprintf(text, 200, "%s: '%.80s' is no token", what, list[i]);
            return text;
        }
    if (joined_len(list) <= LIST_MAX) return NULL;
    snprintf(text, 200, "%s: there are too many", what);
    return text;
}

/* With credentials `*` means nothing to browsers, which take it for a name. */
static const char *check_credentials(const torc_cors_options *options) {
    if (has(options->origins, "*"))
        return "credentials cannot be allowed to every origin: name the origins instead of '*'";
    if (has(options->exposed_fields, "*"))
        return "with credentials '*' exposes nothing: name the fields";
    if (has(options->methods, "*")) return "with credentials '*' is no method: name the methods";
    return NULL;
}

const char *torc_cors_check(const torc_cors_options *given, char text[200]) {
    torc_cors_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    if (count_of(options.origins) == 0 && !options.allows_origin)
        return "no origin is allowed: name some, or '*'";
    if (count_of(options.origins) > ORIGINS_MAX)
        return "more than 1000 origins: a function tells better";
    for (size_t i = 0; options.origins && options.origins[i]; i++) {
        const char *wrong = torc_origin_pattern_check(torc_str_of(options.origins[i]));
        if (!wrong) continue;
        snprintf(text, 200, "the origin '%.80s' %s", options.origins[i], wrong);
        return text;
    }
    const char *wrong = options.credentials ? check_credentials(&options) : NULL;
    if (!wrong) wrong = check_list(options.methods, "methods", text);
    if (!wrong) wrong = check_list(options.request_fields, "request_fields", text);
    if (!wrong) wrong = check_list(options.exposed_fields, "exposed_fields", text);
    return wrong;
}

/* ---- life ---- */

static void dispose(torc_middleware *middleware) {
    torc_dealloc(NULL, self_of(middleware));
}

static const torc_middleware_ops ops = {
    .request_received = request_received,
    .response_starting = response_starting,
    .dispose = dispose,
    .name = "cors",
};

static torc_str put(char **at, const char *text) {
    const torc_str own = torc_str_make(*at, strlen(text));

    memcpy(*at, text, own.len);
    *at += own.len;
    return own;
}

static torc_str put_joined(char **at, const char *const *list) {
    const char *start = *at;

    for (size_t i = 0; list && list[i]; i++) {
        if (i) put(at, ", ");
        put(at, list[i]);
    }
    return torc_str_make(start, (size_t)(*at - start));
}

/* Fields that are all allowed are those asked for: "*" would leave out Authorization. */
static const char *const *named_only(const char *const *fields) {
    return has(fields, "*") ? NULL : fields;
}

static void fill(cors *self, const torc_cors_options *options) {
    char *at = (char *)(self->origins + self->origin_count), age[12] = "";

    for (size_t i = 0; i < self->origin_count; i++)
        self->origins[i] = put(&at, options->origins[i]);
    self->methods = put_joined(&at, options->methods ? options->methods : default_methods);
    self->request_fields = put_joined(&at, named_only(options->request_fields));
    self->exposed_fields = put_joined(&at, options->exposed_fields);
    if (options->max_age_s) snprintf(age, sizeof(age), "%u", (unsigned)options->max_age_s);
    self->max_age = put(&at, age);
    self->allows_all = has(options->origins, "*");
    self->credentials = options->credentials;
    self->private_network = options->private_network;
    self->allows_origin = options->allows_origin;
    self->context = options->context;
}

torc_middleware *torc_cors_new(const torc_cors_options *given) {
    torc_cors_options options = {0};
    char text[200];

    TORC_OPTIONS_READ(&options, given);
    const char *wrong = torc_cors_check(&options, text);
    if (wrong) return torc_middleware_refused("CORS", wrong);
    const size_t count = count_of(options.origins);
    size_t bytes = joined_len(options.methods ? options.methods : default_methods) +
                   joined_len(options.request_fields) + joined_len(options.exposed_fields) + 12;
    for (size_t i = 0; i < count; i++) bytes += strlen(options.origins[i]);
    cors *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1,
                                 sizeof(*self) + count * sizeof(torc_str) + bytes);
    if (!self) return NULL;
    self->base.ops = &ops;
    self->origins = (torc_str *)(void *)(self + 1);
    self->origin_count = count;
    fill(self, &options);
    return &self->base;
}
