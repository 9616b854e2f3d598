/* SPDX-License-Identifier: MIT */
/*
 * Tokens against requests that other sites forge.
 *
 *  - The cookie has the secret, signed; a token has it under a mask that is random and stands
 *    before it. Both are compared in constant time.
 *  - A secret is made when a page first asks for a token; who asks for none gets no cookie.
 */
#include <torc/csrf.h>

#include <torc/base64.h>
#include <torc/cookie.h>
#include <torc/digest.h>
#include <torc/form.h>
#include <torc/random.h>
#include <torc/reply.h>
#include <torc/signer.h>

#include "base/alloc.h"
#include "base/options.h"
#include "web/middleware_new.h"

enum {
    SECRET_BYTES = 16,
    KEY_BYTES_MIN = 16,
    KEY_BYTES_MAX = 1024,
    TEXT_BYTES_MAX = 256 /* of a cookie's value, or of a token */
};

typedef struct csrf {
    torc_middleware base;
    torc_signer *signer;
    torc_random random;
} csrf;

/* What is known of a request. */
typedef struct state {
    csrf *self;
    bool has_secret; /* the cookie brought it, or it was made */
    bool is_made;    /* the cookie is to be set */
    unsigned char secret[SECRET_BYTES];
} state;

static const char key;

static csrf *self_of(torc_middleware *middleware) {
    return torc_container_of(middleware, csrf, base);
}

static const char *cookie_name(const torc_request *request) {
    return torc_request_is_secure(request) ? "__Host-csrf" : "csrf";
}

/* The bytes that a text stands for, exactly so many; false: it does not. */
static bool decode(torc_str text, unsigned char *bytes, size_t len) {
    torc_buf buf;

    if (text.len > TEXT_BYTES_MAX) return false;
    torc_buf_init_fixed(&buf, bytes, len);
    return !torc_base64_decode(&buf, text, TORC_BASE64_URL_NO_PADDING) && buf.len == len;
}

static void read_cookie(csrf *self, const torc_request *request, state *it) {
    const char *name = cookie_name(request);
    torc_str text, value;

    it->has_secret = torc_request_cookie(request, name, &text) &&
                     torc_cookie_verify(self->signer, torc_str_of(name), text, &value) &&
                     decode(value, it->secret, SECRET_BYTES);
}

/* Whether a token is this secret under its mask. */
static bool fits(const state *it, torc_str token) {
    unsigned char bytes[2 * SECRET_BYTES];

    if (!it->has_secret || !decode(token, bytes, sizeof(bytes))) return false;
    for (size_t i = 0; i < SECRET_BYTES; i++) bytes[SECRET_BYTES + i] ^= bytes[i];
    return torc_secret_equals(torc_str_make((const char *)bytes + SECRET_BYTES, SECRET_BYTES),
                              torc_str_make((const char *)it->secret, SECRET_BYTES));
}

static torc_render refuse(torc_request *request) {
    return torc_reply_status(request, 403, "The form has expired: load the page again.");
}

/* Look for the token in the head, or else in the form. */
static torc_render check(torc_request *request, const state *it) {
    const torc_str sent = torc_request_field(request, "X-CSRF-Token");
    const torc_form_entries *entries;

    if (!it->has_secret) return refuse(request);
    if (sent.bytes) return fits(it, sent) ? TORC_RENDER_NEXT : refuse(request);
    const torc_err err = torc_request_form(request, &entries);
    if (err == TORC_ERR_MEDIA_TYPE) return refuse(request); /* no form, and no token */
    if (err) return torc_reply_error(request, err);
    return fits(it, torc_form_value(entries, "csrf_token")) ? TORC_RENDER_NEXT : refuse(request);
}

static bool is_safe(torc_method method) {
    return method == TORC_METHOD_GET || method == TORC_METHOD_HEAD ||
           method == TORC_METHOD_OPTIONS || method == TORC_METHOD_TRACE;
}

static torc_render request_received(torc_middleware *middleware, torc_request *request) {
    csrf *self = self_of(middleware);
    state *it = torc_arena_alloc_zero(torc_request_arena(request), 1, sizeof(*it));

    if (!it || torc_request_set_value(request, &key, it))
        return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    it->self = self;
    read_cookie(self, request, it);
    return is_safe(torc_request_method(request)) ? TORC_RENDER_NEXT : check(request, it);
}

static void response_starting(torc_middleware *middleware, torc_request *request) {
    const state *it = torc_request_value(request, &key);
    const torc_str name = torc_str_of(cookie_name(request));
    char secret[TEXT_BYTES_MAX], value[TEXT_BYTES_MAX];
    torc_buf text, cookie;

    if (!it || !it->is_made) return;
    torc_buf_init_fixed(&text, secret, sizeof(secret));
    torc_buf_init_fixed(&cookie, value, sizeof(value));
    torc_base64_encode(&text, torc_str_make((const char *)it->secret, SECRET_BYTES),
                       TORC_BASE64_URL_NO_PADDING);
    if (torc_cookie_sign(self_of(middleware)->signer, name, torc_buf_str(&text), &cookie)) return;
    const torc_cookie set = {
        .name = name,
        .value = torc_buf_str(&cookie),
        .path = TORC_STR("/"),
        .same_site = TORC_SAME_SITE_LAX,
        .is_secure = torc_request_is_secure(request),
        .is_http_only = true,
    };
    torc_response_add_cookie(request, &set);
}

torc_str torc_csrf_token(torc_request *request) {
    state *it = torc_request_value(request, &key);
    unsigned char bytes[2 * SECRET_BYTES];
    char text[TEXT_BYTES_MAX];
    torc_str token = {NULL, 0};
    torc_buf buf;

    if (!it || torc_random_take(&it->self->random, bytes, SECRET_BYTES)) return token;
    if (!it->has_secret) {
        if (torc_random_take(&it->self->random, it->secret, SECRET_BYTES)) return token;
        it->has_secret = it->is_made = true;
    }
    for (size_t i = 0; i < SECRET_BYTES; i++)
        bytes[SECRET_BYTES + i] = (unsigned char)(bytes[i] ^ it->secret[i]);
    torc_buf_init_fixed(&buf, text, sizeof(text));
    torc_base64_encode(&buf, torc_str_make((const char *)bytes, sizeof(bytes)),
                       TORC_BASE64_URL_NO_PADDING);
    (void)!torc_arena_copy(torc_request_arena(request), torc_buf_str(&buf), &token);
    return token;
}

static void dispose(torc_middleware *middleware) {
    csrf *self = self_of(middleware);

    torc_signer_free(self->signer);
    torc_secret_wipe(&self->random, sizeof(self->random));
    torc_dealloc(NULL, self);
}

static const torc_middleware_ops ops = {
    .request_received = request_received,
    .response_starting = response_starting,
    .dispose = dispose,
    .name = "csrf",
};

torc_middleware *torc_csrf_new(const torc_csrf_options *given) {
    torc_csrf_options options = {0};
    unsigned char made[32];

    TORC_OPTIONS_READ(&options, given);
    if (options.key.len == 0) {
        if (torc_random_bytes(made, sizeof(made)))
            return torc_middleware_refused("CSRF", "the system gives no random bytes");
        options.key = torc_str_make((const char *)made, sizeof(made));
    }
    if (options.key.len < KEY_BYTES_MIN || options.key.len > KEY_BYTES_MAX)
        return torc_middleware_refused("CSRF", "a key has from 16 to 1024 bytes");
    csrf *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));
    const torc_err err =
        self ? torc_signer_new(NULL, TORC_DIGEST_SHA256, options.key, &self->signer) : TORC_OK;
    torc_secret_wipe(made, sizeof(made));
    if (!self || err) {
        torc_dealloc(NULL, self);
        return NULL;
    }
    self->base.ops = &ops;
    self->base.on_fiber = true;
    return &self->base;
}
