/* SPDX-License-Identifier: MIT */
/*
 * Security headers: fields that are made once and lent to each response.
 *
 *  - What a response has already is not replaced: a route knows better.
 *  - Strict-Transport-Security is last among the fields, so that without TLS one less is lent
 *    (RFC 6797 §7.2).
 *  - The policy is there with nonces and without. With them it is copied for the request that has
 *    one, and the nonce is written into the copy at `places`.
 */
#include <torc/security_headers.h>

#include <stdio.h>
#include <torc/base64.h>
#include <torc/random.h>
#include <torc/reply.h>

#include "base/alloc.h"
#include "base/options.h"
#include "http/request.h"
#include "web/csp.h"
#include "web/middleware_new.h"

enum {
    NONCE_BYTES = 16,
    NONCES_MAX = 32 /* in a policy */
};

/* The fields, in the order of their sending. */
typedef struct known {
    torc_field_id id;
    size_t place; /* of its option */
    const char *preset;
} known;

#define OPTION(id, member, preset)                                                                 \
    { TORC_FIELD_##id, offsetof(torc_security_headers_options, member), preset }

static const known table[] = {
    OPTION(X_CONTENT_TYPE_OPTIONS, content_type_options, "nosniff"),
    OPTION(REFERRER_POLICY, referrer_policy, "strict-origin-when-cross-origin"),
    OPTION(X_FRAME_OPTIONS, frame_options, "DENY"),
    OPTION(PERMISSIONS_POLICY, permissions_policy, "camera=(), geolocation=(), microphone=()"),
    OPTION(CROSS_ORIGIN_OPENER_POLICY, opener_policy, "same-origin"),
    OPTION(CROSS_ORIGIN_RESOURCE_POLICY, resource_policy, "same-origin"),
    OPTION(CROSS_ORIGIN_EMBEDDER_POLICY, embedder_policy, ""),
    OPTION(STRICT_TRANSPORT_SECURITY, strict_transport_security, "max-age=31536000"),
};

enum {
    FIELDS_MAX = TORC_COUNT_OF(table) + 1 /* and the policy */
};

typedef struct security_headers {
    torc_middleware base;
    torc_field fields[FIELDS_MAX];
    uint32_t count; /* without that of TLS */
    bool has_transport;
    bool has_policy;
    torc_field policy;    /* without nonces */
    torc_str with_nonces; /* empty: it has none */
    uint32_t places[NONCES_MAX], place_count;
    char text[];
} security_headers;

static security_headers *self_of(torc_middleware *middleware) {
    return torc_container_of(middleware, security_headers, base);
}

/* ---- nonces ---- */

static const char nonce_key;

static torc_str make_nonce(torc_arena *arena) {
    unsigned char bytes[NONCE_BYTES];
    torc_buf buf;
    char *text = torc_arena_bytes(arena, TORC_CSP_NONCE_LEN);

    if (!text || torc_random_bytes(bytes, sizeof(bytes))) return torc_str_make(NULL, 0);
    torc_buf_init_fixed(&buf, text, TORC_CSP_NONCE_LEN);
    torc_base64_encode(&buf, torc_str_make((const char *)bytes, sizeof(bytes)),
                       TORC_BASE64_NO_PADDING);
    return torc_buf_str(&buf);
}

torc_str torc_request_csp_nonce(torc_request *request) {
    const char *kept = torc_request_value(request, &nonce_key);
    torc_str nonce;

    if (kept) return torc_str_make(kept, TORC_CSP_NONCE_LEN);
    nonce = make_nonce(torc_request_arena(request));
    if (nonce.len && torc_request_set_value(request, &nonce_key, (char *)(uintptr_t)nonce.bytes))
        return torc_str_make(NULL, 0);
    return nonce;
}

/* ---- responses ---- */

/* The policy of this request, lent; without its nonce when there is no memory for it. */
static torc_field policy_of(const security_headers *self, torc_request *request) {
    const char *nonce = torc_request_value(request, &nonce_key);
    torc_field policy = self->policy;
    torc_str copy;

    if (!nonce || !self->with_nonces.len ||
        torc_arena_copy(torc_request_arena(request), self->with_nonces, &copy))
        return policy;
    for (uint32_t i = 0; i < self->place_count; i++)
        memcpy((char *)(uintptr_t)copy.bytes + self->places[i], nonce, TORC_CSP_NONCE_LEN);
    policy.value = copy;
    return policy;
}

static void response_starting(torc_middleware *middleware, torc_request *request) {
    const security_headers *self = self_of(middleware);
    const bool is_secure = self->has_transport && torc_request_is_secure(request);

    torc_response_lend(request, self->fields, self->count + (is_secure ? 1 : 0));
    if (!self->has_policy) return;
    const torc_field policy = policy_of(self, request);
    torc_response_lend(request, &policy, 1);
}

/* ---- options ---- */

static const char *text_of(const torc_security_headers_options *options, const known *field) {
    const char *text;

    memcpy(&text, (const char *)options + field->place, sizeof(text));
    return text ? text : field->preset;
}

static const char *check_words(const char *value, const char *const *words, const char *name,
                               char text[200]) {
    for (; *words; words++)
        if (strcmp(value, *words) == 0) return NULL;
    snprintf(text, 200, "%s has no value '%.80s'", name, value);
    return text;
}

/* Values that browsers would ignore without a word. */
static const char *check_value(const known *field, const char *value, char text[200]) {
    static const char *const frames[] = {"", "DENY", "SAMEORIGIN", NULL};
    static const char *const resources[] = {"", "same-origin", "same-site", "cross-origin", NULL};
    static const char *const types[] = {"", "nosniff", NULL};
    const char *name = torc_field_name(field->id).bytes;

    if (!torc_field_value_is_valid(torc_str_of(value))) {
        snprintf(text, 200, "%s has a value that no field can have", name);
        return text;
    }
    if (field->id == TORC_FIELD_X_FRAME_OPTIONS) return check_words(value, frames, name, text);
    if (field->id == TORC_FIELD_CROSS_ORIGIN_RESOURCE_POLICY)
        return check_words(value, resources, name, text);
    if (field->id == TORC_FIELD_X_CONTENT_TYPE_OPTIONS)
        return check_words(value, types, name, text);
    if (field->id == TORC_FIELD_STRICT_TRANSPORT_SECURITY && *value && !strstr(value, "max-age=")) {
        snprintf(text, 200, "%s needs max-age=SECONDS", name);
        return text;
    }
    return NULL;
}

static uint32_t find_places(torc_str text, uint32_t *places) {
    uint32_t count = 0;

    for (size_t at = 0; at < text.len;)
        if (text.bytes[at] == '\0') {
            if (places && count < NONCES_MAX) places[count] = (uint32_t)at;
            count++;
            at += TORC_CSP_NONCE_LEN;
        } else {
            at++;
        }
    return count;
}

static const char *check_policy(const torc_csp_directive *directives, char text[200]) {
    char policy[TORC_CSP_BYTES_MAX];
    const char *wrong = torc_csp_check(directives, text);

    if (wrong) return wrong;
    torc_csp_write(directives, true, policy);
    if (find_places(torc_str_make(policy, torc_csp_len(directives, true)), NULL) <= NONCES_MAX)
        return NULL;
    return "more than 32 directives have a nonce";
}

const char *torc_security_headers_check(const torc_security_headers_options *given,
                                        char text[200]) {
    torc_security_headers_options options = {0};
    const char *wrong = NULL;

    TORC_OPTIONS_READ(&options, given);
    for (size_t i = 0; i < TORC_COUNT_OF(table) && !wrong; i++)
        wrong = check_value(&table[i], text_of(&options, &table[i]), text);
    if (!wrong && options.csp) wrong = check_policy(options.csp, text);
    return wrong;
}

/* ---- life ---- */

static void dispose(torc_middleware *middleware) {
    torc_dealloc(NULL, self_of(middleware));
}

static const torc_middleware_ops ops = {
    .response_starting = response_starting,
    .dispose = dispose,
    .name = "security headers",
};

static torc_str put(char **at, torc_str text) {
    const torc_str own = torc_str_make(*at, text.len);

    memcpy(*at, text.bytes, text.len);
    *at += text.len;
    return own;
}

static torc_field field_of(torc_field_id id, torc_str value) {
    return (torc_field){.name = torc_field_name(id), .value = value, .id = id};
}

static void fill_policy(security_headers *self, const torc_security_headers_options *options,
                        char *at) {
    const torc_csp_directive *csp = options->csp;
    const torc_str plain = torc_str_make(at, torc_csp_len(csp, false));

    torc_csp_write(csp, false, at);
    self->has_policy = true;
    self->policy =
        field_of(options->csp_report_only ? TORC_FIELD_CONTENT_SECURITY_POLICY_REPORT_ONLY
                                          : TORC_FIELD_CONTENT_SECURITY_POLICY,
                 plain);
    if (!torc_csp_has_nonce(csp)) return;
    self->with_nonces = torc_str_make(at + plain.len, torc_csp_len(csp, true));
    torc_csp_write(csp, true, at + plain.len);
    self->place_count = find_places(self->with_nonces, self->places);
}

static void fill(security_headers *self, const torc_security_headers_options *options) {
    char *at = self->text;

    for (size_t i = 0; i < TORC_COUNT_OF(table); i++) {
        const char *text = text_of(options, &table[i]);
        if (!*text) continue;
        self->fields[self->count++] = field_of(table[i].id, put(&at, torc_str_of(text)));
        self->has_transport = table[i].id == TORC_FIELD_STRICT_TRANSPORT_SECURITY;
    }
    if (self->has_transport) self->count--;
    if (options->csp) fill_policy(self, options, at);
}

torc_middleware *torc_security_headers_new(const torc_security_headers_options *given) {
    torc_security_headers_options options = {0};
    char text[200];
    size_t bytes = 0;

    TORC_OPTIONS_READ(&options, given);
    const char *wrong = torc_security_headers_check(&options, text);
    if (wrong) return torc_middleware_refused("security headers", wrong);
    for (size_t i = 0; i < TORC_COUNT_OF(table); i++) bytes += strlen(text_of(&options, &table[i]));
    if (options.csp) bytes += torc_csp_len(options.csp, false) + torc_csp_len(options.csp, true);
    security_headers *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self) + bytes);
    if (!self) return NULL;
    self->base.ops = &ops;
    fill(self, &options);
    return &self->base;
}
