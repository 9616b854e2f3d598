/* SPDX-License-Identifier: MIT */
/*
 * Responses in a coding that the peer likes.
 *
 *  - Whether a response could be coded does not depend on the request, but for its method: so all
 *    that could be say Vary, whatever this peer gets.
 *  - A coder is made before the head goes. Where there is no memory for one, the response goes as
 *    it is.
 *  - The stage of a response to HEAD has no coder: nothing passes it.
 */
#include <torc/compress.h>

#include <stdio.h>
#include <torc/accept.h>
#include <torc/body_stage.h>
#include <torc/conditional.h>
#include <torc/reactor.h>
#include <torc/reply.h>

#include "base/alloc.h"
#include "base/options.h"
#include "http/request.h"
#include "web/middleware_new.h"

enum {
    BYTES_MIN = 256,
    TEXT_MAX = 4096 /* of the types */
};

typedef struct compress {
    torc_middleware base;
    size_t coding_count;
    torc_coding codings[TORC_CODINGS];
    torc_str names[TORC_CODINGS]; /* of the same */
    int levels[TORC_CODINGS];     /* by coding */
    uint64_t bytes_min;
    torc_str types; /* a list */
    char text[];
} compress;

static compress *self_of(torc_middleware *middleware) {
    return torc_container_of(middleware, compress, base);
}

/* ---- the stage ---- */

typedef struct coding_stage {
    torc_body_stage base;
    torc_coder *coder;
    bool flushes; /* after each write */
} coding_stage;

static coding_stage *stage_of(torc_body_stage *stage) {
    return torc_container_of(stage, coding_stage, base);
}

static torc_err pass(void *context, torc_str bytes) {
    return torc_body_stage_pass(context, bytes);
}

static torc_err run(torc_body_stage *stage, torc_coder_mode mode, torc_str bytes) {
    torc_coder *coder = stage_of(stage)->coder;

    return coder ? torc_coder_run(coder, mode, bytes, pass, stage) : TORC_OK;
}

static torc_err write_stage(torc_body_stage *stage, torc_str bytes) {
    return run(stage, stage_of(stage)->flushes ? TORC_CODER_FLUSH : TORC_CODER_WRITE, bytes);
}

static torc_err flush_stage(torc_body_stage *stage) {
    return run(stage, TORC_CODER_FLUSH, torc_str_make(NULL, 0));
}

static torc_err end_stage(torc_body_stage *stage) {
    return run(stage, TORC_CODER_END, torc_str_make(NULL, 0));
}

static void dispose_stage(torc_body_stage *stage) {
    torc_coder_free(stage_of(stage)->coder);
}

static const torc_body_stage_ops stage_ops = {
    .write = write_stage, .flush = flush_stage, .end = end_stage, .dispose = dispose_stage};

/* ---- what can be coded ---- */

/* The type as it will be sent, without its parameters. */
static torc_str type_of(const torc_request *request) {
    torc_str type = torc_response_field(request, "Content-Type");
    ptrdiff_t end;

    if (!type.bytes) type = torc_request_handler(request)->default_content_type;
    end = torc_str_find_byte(type, ';');
    return torc_str_trim(end < 0 ? type : torc_str_head(type, (size_t)end));
}

/* Of a list: a type, a kind with an asterisk, or a suffix. */
static bool type_matches(torc_str pattern, torc_str type) {
    const size_t len = pattern.len;

    if (pattern.bytes[0] == '+')
        return type.len > len &&
               torc_str_equals_nocase(torc_str_from(type, type.len - len), pattern);
    if (torc_str_equals(pattern, TORC_STR("*/*"))) return true;
    if (pattern.bytes[len - 1] == '*')
        return type.len >= len && torc_str_equals_nocase(torc_str_head(type, len - 1),
                                                         torc_str_head(pattern, len - 1));
    return torc_str_equals_nocase(type, pattern);
}

static bool is_of_types(torc_str types, torc_str type) {
    torc_str pattern;

    while (torc_list_member_next(&types, &pattern))
        if (type_matches(pattern, type)) return true;
    return false;
}

static bool has_body(int status) {
    return status >= 200 && status != 204 && status != 205 && status != 206 && status != 304;
}

static bool can_be_coded(const compress *self, const torc_request *request) {
    const int64_t length = torc_response_length(request);

    if (!has_body(torc_response_status(request)) || length == 0) return false;
    if (length > 0 && (uint64_t)length < self->bytes_min) return false;
    if (torc_response_field(request, "Content-Encoding").bytes ||
        torc_response_field(request, "Content-Range").bytes ||
        torc_list_has_member(torc_response_field(request, "Cache-Control"),
                             TORC_STR("no-transform")))
        return false;
    return is_of_types(self->types, type_of(request));
}

/* ---- coding ---- */

/* Whatever the bytes are, the versions are the same only in what they mean (RFC 9110 §8.8.1). */
static void weaken(torc_request *request) {
    const torc_str etag = torc_response_field(request, "ETag");
    char *weak;

    if (!etag.len || torc_str_starts_with(etag, TORC_STR("W/"))) return;
    weak = torc_arena_bytes(torc_request_arena(request), etag.len + 2);
    if (!weak) {
        torc_response_remove(request, "ETag");
        return;
    }
    memcpy(weak, "W/", 2);
    memcpy(weak + 2, etag.bytes, etag.len);
    torc_response_set(request, "ETag", torc_str_make(weak, etag.len + 2));
}

/* Whether the peer knows the version by the weak form of its tag, as that of a coded one. */
static bool is_known_weakly(const torc_request *request) {
    const torc_str etag = torc_response_field(request, "ETag");
    const torc_fields *fields = torc_request_fields(request);
    const torc_field *field;
    uint32_t place = 0;
    torc_str member;

    while ((field = torc_fields_next_id(fields, TORC_FIELD_IF_NONE_MATCH, &place)) != NULL) {
        torc_str rest = field->value;
        while (torc_list_member_next(&rest, &member))
            if (torc_str_starts_with(member, TORC_STR("W/")) &&
                torc_etag_equals_weakly(member, etag))
                return true;
    }
    return false;
}

/* A part of what may be coded when all of it is asked for: it varies, too (RFC 9110 §15.3.7). */
static bool is_part(const compress *self, const torc_request *request) {
    const torc_str type = type_of(request);

    return torc_response_status(request) == 206 &&
           (is_of_types(self->types, type) ||
            torc_str_equals_nocase(type, TORC_STR("multipart/byteranges")));
}

/* A 304 says of the version what the response with it said. */
static void describe_known(torc_request *request) {
    torc_response_add_vary(request, "Accept-Encoding");
    if (is_known_weakly(request)) weaken(request);
}

static coding_stage *make_stage(const compress *self, torc_request *request, torc_coding coding) {
    const int64_t length = torc_response_length(request);
    const torc_encoder_options options = {
        .level = self->levels[coding],
        .size = length > 0 ? (uint64_t)length : 0,
    };
    coding_stage *stage = torc_arena_alloc_zero(torc_request_arena(request), 1, sizeof(*stage));

    if (!stage) return NULL;
    stage->base.ops = &stage_ops;
    stage->flushes = torc_str_equals_nocase(type_of(request), TORC_STR("text/event-stream"));
    if (torc_request_method(request) == TORC_METHOD_HEAD) return stage;
    if (torc_encoder_new(torc_reactor_coders(torc_request_reactor(request)), coding, &options,
                         &stage->coder))
        return NULL;
    return stage;
}

static void response_starting(torc_middleware *middleware, torc_request *request) {
    const compress *self = self_of(middleware);
    coding_stage *stage;
    ptrdiff_t chosen;

    if (torc_response_status(request) == 304) describe_known(request);
    if (is_part(self, request)) torc_response_add_vary(request, "Accept-Encoding");
    if (!can_be_coded(self, request)) return;
    torc_response_add_vary(request, "Accept-Encoding");
    chosen =
        torc_accept_encoding_choose(torc_request_fields(request), self->names, self->coding_count);
    if (chosen < 0) return;
    stage = make_stage(self, request, self->codings[chosen]);
    if (!stage) return;
    torc_response_set(request, "Content-Encoding", self->names[chosen]);
    torc_response_remove(request, "Accept-Ranges");
    weaken(request);
    torc_response_add_stage(request, &stage->base);
}

/* ---- options ---- */

static const torc_coding preferred[] = {TORC_CODING_ZSTD, TORC_CODING_BROTLI, TORC_CODING_GZIP};

const char *torc_compress_types(void) {
    return "text/*, +json, +xml, application/json, application/xml, application/javascript, "
           "application/x-javascript, application/x-ndjson, application/graphql, application/rtf, "
           "application/wasm, application/vnd.ms-fontobject, font/otf, font/ttf, image/bmp, "
           "image/x-icon, image/vnd.microsoft.icon";
}

static const char *check_codings(const char *codings, char text[200]) {
    torc_str rest = torc_str_of(codings), name;
    torc_coding coding;
    bool has_one = false;

    while (torc_list_member_next(&rest, &name)) {
        has_one = true;
        if (!torc_coding_find(name, &coding)) {
            snprintf(text, 200, "there is no coding '%.*s': gzip, br, zstd are",
                     (int)(name.len < 80 ? name.len : 80), name.bytes);
            return text;
        }
        if (!torc_coding_can_encode(coding)) {
            snprintf(text, 200, "the library cannot encode '%s'", torc_coding_name(coding).bytes);
            return text;
        }
    }
    return has_one || !codings ? NULL : "no coding is named: gzip, br, zstd are";
}

static bool is_type_pattern(torc_str pattern) {
    const ptrdiff_t slash = torc_str_find_byte(pattern, '/');

    if (slash < 0) return pattern.len > 1 && pattern.bytes[0] == '+' && torc_is_token(pattern);
    return torc_is_token(torc_str_head(pattern, (size_t)slash)) &&
           torc_is_token(torc_str_from(pattern, (size_t)slash + 1));
}

static const char *check_types(const char *types, char text[200]) {
    torc_str rest = torc_str_of(types), pattern;

    if (rest.len > TEXT_MAX) return "the list of types is longer than 4096 bytes";
    while (torc_list_member_next(&rest, &pattern)) {
        if (is_type_pattern(pattern)) continue;
        snprintf(text, 200, "'%.*s' is no type, as 'text/html', 'text/*' or '+json'",
                 (int)(pattern.len < 80 ? pattern.len : 80), pattern.bytes);
        return text;
    }
    return NULL;
}

/* By coding. */
static void read_levels(const torc_compress_options *options, int levels[TORC_CODINGS]) {
    memset(levels, 0, TORC_CODINGS * sizeof(*levels));
    levels[TORC_CODING_GZIP] = options->gzip_level;
    levels[TORC_CODING_BROTLI] = options->brotli_level;
    levels[TORC_CODING_ZSTD] = options->zstd_level;
}

static const char *check_levels(const torc_compress_options *options, char text[200]) {
    int levels[TORC_CODINGS];

    read_levels(options, levels);
    for (int i = 0; i < TORC_CODINGS; i++) {
        const int max = torc_coding_level_max((torc_coding)i);
        if (levels[i] == 0 || max == 0 || (levels[i] > 0 && levels[i] <= max)) continue;
        snprintf(text, 200, "%s has the levels 1 to %d, not %d",
                 torc_coding_name((torc_coding)i).bytes, max, levels[i]);
        return text;
    }
    return NULL;
}

const char *torc_compress_check(const torc_compress_options *given, char text[200]) {
    torc_compress_options options = {0};
    const char *wrong;

    TORC_OPTIONS_READ(&options, given);
    wrong = check_codings(options.codings, text);
    if (!wrong) wrong = check_types(options.types, text);
    if (!wrong) wrong = check_levels(&options, text);
    return wrong;
}

/* ---- life ---- */

static void add_coding(compress *self, torc_coding coding) {
    for (size_t i = 0; i < self->coding_count; i++)
        if (self->codings[i] == coding) return;
    self->names[self->coding_count] = torc_coding_name(coding);
    self->codings[self->coding_count++] = coding;
}

static void read_codings(compress *self, const char *codings) {
    torc_str rest = torc_str_of(codings), name;
    torc_coding coding;

    for (size_t i = 0; i < TORC_COUNT_OF(preferred) && !codings; i++)
        if (torc_coding_can_encode(preferred[i])) add_coding(self, preferred[i]);
    while (torc_list_member_next(&rest, &name))
        if (torc_coding_find(name, &coding)) add_coding(self, coding);
}

static void dispose(torc_middleware *middleware) {
    torc_dealloc(NULL, self_of(middleware));
}

static const torc_middleware_ops ops = {
    .response_starting = response_starting,
    .dispose = dispose,
    .name = "compress",
};

torc_middleware *torc_compress_new(const torc_compress_options *given) {
    torc_compress_options options = {0};
    char text[200];
    torc_str types;
    compress *self;

    TORC_OPTIONS_READ(&options, given);
    const char *wrong = torc_compress_check(&options, text);
    if (wrong) return torc_middleware_refused("compression", wrong);
    types = torc_str_of(options.types ? options.types : torc_compress_types());
    self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self) + types.len);
    if (!self) return NULL;
    self->base.ops = &ops;
    self->base.is_shallow = options.is_shallow;
    self->bytes_min = options.bytes_min ? options.bytes_min : BYTES_MIN;
    if (types.len) memcpy(self->text, types.bytes, types.len);
    self->types = torc_str_make(self->text, types.len);
    read_codings(self, options.codings);
    read_levels(&options, self->levels);
    return &self->base;
}
