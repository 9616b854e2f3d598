/* SPDX-License-Identifier: MIT */
/*
 * Entity tags of small bodies, by their digest.
 *
 *  - A tag is 128 bits of SHA-256, so nobody can make two bodies with the same.
 *  - A response that has a tag, or is not to be stored, is left alone.
 *  - What a 412 replaces does not go out: a stage drops it.
 */
#include <torc/etag.h>

#include <torc/base64.h>
#include <torc/body_stage.h>
#include <torc/conditional.h>
#include <torc/date.h>
#include <torc/digest.h>
#include <torc/reactor.h>
#include <torc/reply.h>

#include "base/alloc.h"

enum {
    DEFAULT_MAX = 64 * 1024,
    DIGEST_BYTES = 32,
    TAG_BYTES = 16,
    TAG_LEN = 24 /* 22 of base64, in quotes */
};

typedef struct etag {
    torc_middleware base;
    size_t max;
} etag;

/* The tag of a body, in `text`; false where there is no such digest. */
static bool make_tag(torc_str body, char text[TAG_LEN], torc_str *tag) {
    char digest[DIGEST_BYTES];
    torc_buf buf;

    if (torc_digest_of(TORC_DIGEST_SHA256, body, digest)) return false;
    torc_buf_init_fixed(&buf, text, TAG_LEN);
    torc_buf_add_byte(&buf, '"');
    torc_base64_encode(&buf, torc_str_make(digest, TAG_BYTES), TORC_BASE64_URL_NO_PADDING);
    torc_buf_add_byte(&buf, '"');
    *tag = torc_buf_str(&buf);
    return !torc_buf_err(&buf);
}

static bool is_asked(const torc_request *request) {
    const torc_method method = torc_request_method(request);

    return (method == TORC_METHOD_GET || method == TORC_METHOD_HEAD) &&
           torc_response_status(request) == 200 && !torc_response_field(request, "ETag").bytes &&
           !torc_list_has_member(torc_response_field(request, "Cache-Control"),
                                 TORC_STR("no-store"));
}

/* ---- what is sent instead ---- */

static torc_err drop(torc_body_stage *stage, torc_str bytes) {
    (void)stage;
    (void)bytes;
    return TORC_OK;
}

static const torc_body_stage_ops drop_ops = {.write = drop};

static void drop_body(torc_request *request) {
    torc_body_stage *stage = torc_arena_alloc_zero(torc_request_arena(request), 1, sizeof(*stage));

    /* Without memory the body goes out with that status, which says that it is none. */
    if (!stage) return;
    stage->ops = &drop_ops;
    torc_response_add_stage(request, stage);
}

static void fail_condition(torc_request *request) {
    torc_response_remove(request, "ETag");
    torc_response_remove(request, "Last-Modified");
    torc_response_remove(request, "Content-Type");
    torc_response_set_status(request, 412, NULL);
    drop_body(request);
}

static void say_not_modified(torc_request *request) {
    torc_response_remove(request, "Content-Type");
    torc_response_set_status(request, 304, NULL);
}

/* ---- responses ---- */

static int64_t last_modified_of(const torc_request *request, int64_t now) {
    const torc_str text = torc_response_field(request, "Last-Modified");
    int64_t seconds;

    return text.bytes && !torc_date_parse(text, now, &seconds) ? seconds : TORC_NO_DATE;
}

static void response_starting(torc_middleware *middleware, torc_request *request) {
    const etag *self = torc_container_of(middleware, etag, base);
    const int64_t now = torc_reactor_wall_seconds(torc_request_reactor(request));
    torc_validators validators = {.last_modified = TORC_NO_DATE};
    char text[TAG_LEN];
    torc_str body;

    if (!is_asked(request) || !torc_response_whole(request, self->max, &body)) return;
    if (!make_tag(body, text, &validators.etag)) return;
    validators.last_modified = last_modified_of(request, now);
    torc_response_set(request, "ETag", validators.etag);
    switch (torc_conditional_check(torc_request_fields(request), torc_request_method(request),
                                   &validators, now)) {
    case TORC_CONDITION_NOT_MODIFIED:
        say_not_modified(request);
        break;
    case TORC_CONDITION_FAILED:
        fail_condition(request);
        break;
    case TORC_CONDITION_PROCEED:
        break;
    }
}

static void dispose(torc_middleware *middleware) {
    torc_dealloc(NULL, torc_container_of(middleware, etag, base));
}

static const torc_middleware_ops ops = {
    .response_starting = response_starting,
    .dispose = dispose,
    .name = "etag",
};

torc_middleware *torc_etag_new(size_t body_bytes_max) {
    etag *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    self->base.ops = &ops;
    self->max = body_bytes_max ? body_bytes_max : DEFAULT_MAX;
    return &self->base;
}
