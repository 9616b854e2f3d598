/* SPDX-License-Identifier: MIT */
/*
 * Representations: the whole, ranges of it, or only that the peer has it already.
 *
 *  - What is announced is written: a length is the sum of what follows, and a write that fails
 *    aborts.
 *  - Conditions come before ranges (RFC 9110 §13.2.2).
 */
#include "http/representation.h"

#include <stdio.h>
#include <torc/date.h>
#include <torc/range.h>

#include "base/siphash.h"
#include "http/request_state.h"

enum {
    BOUNDARY_SIZE = 32,
    PART_HEADS_MAX = 64 * 1024
};

static int64_t now_of(const torc_request *request) {
    return torc_reactor_wall_seconds(request->reactor);
}

/* ---- conditions ---- */

/* The date as text; empty: none is known. */
static torc_str format_date(int64_t seconds, char text[TORC_DATE_LEN]) {
    if (seconds == TORC_NO_DATE) return torc_str_make(NULL, 0);
    torc_date_format(seconds, text);
    return torc_str_make(text, TORC_DATE_LEN);
}

static void set_validators(torc_request *request, torc_str etag, torc_str last_modified) {
    if (etag.len) torc_response_put(request, TORC_FIELD_ETAG, etag);
    if (last_modified.len) torc_response_put(request, TORC_FIELD_LAST_MODIFIED, last_modified);
}

static torc_condition check(torc_request *request, const torc_validators *validators) {
    return torc_conditional_check(torc_request_fields(request), torc_request_method(request),
                                  validators, now_of(request));
}

torc_condition torc_request_check(torc_request *request, const torc_validators *validators) {
    char text[TORC_DATE_LEN];

    set_validators(request, validators->etag, format_date(validators->last_modified, text));
    return check(request, validators);
}

/* How long the content may be kept does not hold for its refusal. */
static torc_render refuse(torc_request *request, int status) {
    torc_response_remove(request, "Cache-Control");
    torc_response_remove(request, "Expires");
    return torc_reply_status(request, status, NULL);
}

torc_render torc_reply_condition(torc_request *request, torc_condition condition) {
    if (condition == TORC_CONDITION_FAILED) return refuse(request, 412);
    torc_response_set_status(request, 304, NULL);
    return torc_reply_end(request);
}

/* ---- ranges ---- */

/* End a response, of which something could not be written if there is an error. */
static torc_render end(torc_request *request, torc_err err) {
    return err ? torc_reply_error(request, err) : torc_reply_end(request);
}

static void set_type(torc_request *request, torc_str type, torc_str encoding) {
    if (type.len) torc_response_put(request, TORC_FIELD_CONTENT_TYPE, type);
    if (encoding.len) torc_response_put(request, TORC_FIELD_CONTENT_ENCODING, encoding);
}

/* One range, or the whole, after its head. HEAD has the same head, and nothing is read for it. */
static torc_render send_range(torc_request *request, const torc_representation *self,
                              uint64_t first, uint64_t len) {
    const bool has_body = len > 0 && torc_request_method(request) != TORC_METHOD_HEAD;

    torc_response_set_length(request, len);
    return end(request, has_body ? self->write(self, request, first, len) : TORC_OK);
}

/* What is said of a representation, however much of it is sent. */
static void describe(torc_request *request, const torc_made_representation *made) {
    if (made->cache_control.len)
        torc_response_put(request, TORC_FIELD_CACHE_CONTROL, made->cache_control);
    set_validators(request, made->of->validators.etag, made->last_modified);
}

static torc_render send_whole(torc_request *request, const torc_made_representation *made) {
    const torc_representation *self = made->of;

    if (!made->fields || !torc_response_put_made(request, made->fields)) {
        describe(request, made);
        torc_response_put(request, TORC_FIELD_ACCEPT_RANGES, TORC_STR("bytes"));
        set_type(request, self->content_type, self->content_encoding);
    }
    if (made->bytes.bytes && request->hooks) {
        torc_response_send_whole(request, made->bytes, false);
        return TORC_RENDER_DONE;
    }
    if (made->bytes.bytes && torc_response_send_short_body(request, made->bytes))
        return TORC_RENDER_DONE;
    return send_range(request, self, 0, self->size);
}

static torc_render send_part(torc_request *request, const torc_representation *self,
                             const torc_range *range) {
    char text[TORC_CONTENT_RANGE_SIZE];

    torc_response_set_status(request, 206, NULL);
    torc_response_set(request, "Content-Range", torc_content_range_format(range, self->size, text));
    set_type(request, self->content_type, self->content_encoding);
    return send_range(request, self, range->first, range->len);
}

/* What stands between the parts: the end of each of `heads`, of which there is one more. */
typedef struct parts {
    const torc_representation *of;
    torc_ranges ranges;
    torc_buf heads;
    size_t ends[TORC_RANGES_MAX + 1];
} parts;

/* The length of all. */
static uint64_t add_heads(parts *self, torc_str boundary) {
    uint64_t len = 0;

    for (uint32_t i = 0; i <= self->ranges.count; i++) {
        const torc_range *range = i < self->ranges.count ? &self->ranges.items[i] : NULL;
        torc_range_add_part_head(&self->heads, boundary, self->of->content_type, range,
                                 self->of->size);
        self->ends[i] = self->heads.len;
        if (range) len += range->len;
    }
    return len + self->heads.len;
}

static torc_err write_parts(const parts *self, torc_request *request) {
    size_t at = 0;

    for (uint32_t i = 0; i <= self->ranges.count; i++) {
        torc_request_write(request, torc_str_make(self->heads.bytes + at, self->ends[i] - at));
        at = self->ends[i];
        if (i == self->ranges.count) break;
        const torc_range *range = &self->ranges.items[i];
        const torc_err err = self->of->write(self->of, request, range->first, range->len);
        if (err) return err;
    }
    return TORC_OK;
}

/* Several ranges: a multipart body (RFC 9110 §14.6), with a boundary that nobody can guess. */
static torc_render send_parts(torc_request *request, parts *self) {
    const torc_siphash_key random = torc_siphash_key_random();
    char boundary[BOUNDARY_SIZE], type[BOUNDARY_SIZE + 48];
    torc_err err;

    snprintf(boundary, sizeof(boundary), "torc-%016llx", (unsigned long long)random.words[0]);
    snprintf(type, sizeof(type), "multipart/byteranges; boundary=%s", boundary);
    torc_buf_init(&self->heads, &request->reactor->memory, TORC_MEMORY_OUTPUT, PART_HEADS_MAX);
    const uint64_t len = add_heads(self, torc_str_of(boundary));
    err = torc_buf_err(&self->heads);
    if (!err) {
        torc_response_set_status(request, 206, NULL);
        set_type(request, torc_str_of(type), self->of->content_encoding);
        torc_response_set_length(request, len);
        err = write_parts(self, request);
    }
    torc_buf_dispose(&self->heads);
    return end(request, err);
}

static torc_render refuse_range(torc_request *request, const torc_representation *self) {
    char text[TORC_CONTENT_RANGE_SIZE];

    torc_response_set(request, "Content-Range", torc_content_range_format(NULL, self->size, text));
    return refuse(request, 416);
}

/* The ranges that are to be heeded: of GET only (RFC 9110 §14.2). */
static torc_range_outcome ranges_of(torc_request *request, const torc_representation *self,
                                    torc_ranges *ranges) {
    const torc_str asked = torc_request_field_id(request, TORC_FIELD_RANGE);

    if (!asked.bytes || torc_request_method(request) != TORC_METHOD_GET ||
        !torc_conditional_allows_range(torc_request_fields(request), &self->validators,
                                       now_of(request)))
        return TORC_RANGE_WHOLE;
    return torc_range_parse(asked, self->size, ranges);
}

torc_render torc_reply_made(torc_request *request, const torc_made_representation *made) {
    const torc_representation *self = made->of;
    const torc_condition condition = check(request, &self->validators);
    torc_range_outcome outcome = TORC_RANGE_WHOLE;
    parts several;

    if (condition == TORC_CONDITION_PROCEED) {
        outcome = ranges_of(request, self, &several.ranges);
        if (outcome == TORC_RANGE_WHOLE) return send_whole(request, made);
    }
    describe(request, made);
    if (condition != TORC_CONDITION_PROCEED) return torc_reply_condition(request, condition);
    torc_response_put(request, TORC_FIELD_ACCEPT_RANGES, TORC_STR("bytes"));
    if (outcome == TORC_RANGE_UNSATISFIABLE) return refuse_range(request, self);
    if (several.ranges.count == 1) return send_part(request, self, &several.ranges.items[0]);
    several.of = self;
    return send_parts(request, &several);
}

torc_render torc_reply_representation(torc_request *request, const torc_representation *self) {
    char text[TORC_DATE_LEN];
    const torc_made_representation made = {
        .of = self,
        .last_modified = format_date(self->validators.last_modified, text),
    };

    return torc_reply_made(request, &made);
}

/* ---- bytes in memory ---- */

typedef struct version {
    torc_representation base;
    torc_str bytes;
} version;

static torc_err write_bytes(const torc_representation *base, torc_request *request, uint64_t first,
                            uint64_t len) {
    const version *self = torc_container_of(base, version, base);

    torc_request_write(request, torc_str_make(self->bytes.bytes + first, (size_t)len));
    return TORC_OK;
}

torc_render torc_reply_version(torc_request *request, const torc_validators *validators,
                               const char *content_type, torc_str bytes) {
    char text[TORC_DATE_LEN];
    const version self = {
        .base = {.validators = *validators,
                 .content_type = torc_str_of(content_type),
                 .size = bytes.len,
                 .write = write_bytes},
        .bytes = bytes,
    };
    const torc_made_representation made = {
        .of = &self.base,
        .last_modified = format_date(validators->last_modified, text),
        .bytes = bytes,
    };
    return torc_reply_made(request, &made);
}
