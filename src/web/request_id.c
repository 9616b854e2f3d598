/* SPDX-License-Identifier: MIT */
/*
 * Request ids.
 *
 *  - An id is given once: a middleware within another finds that of the outer.
 *  - What a peer sent is taken on only from who is trusted, and only if it is harmless in a log, a
 *    field and a URL.
 *  - Random bits are taken from a batch, which is empty until the first request: so that no two
 *    workers, which were forked before it, have the same.
 */
#include <torc/request_id.h>

#include <stdio.h>
#include <time.h>
#include <torc/digest.h>
#include <torc/random.h>
#include <torc/reply.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/options.h"
#include "http/request.h"
#include "reactor/reactor.h"
#include "web/middleware_new.h"

enum {
    RANDOM_BYTES = 16,
    RANDOM_LEN = 32,
    UUID_LEN = 36
};

typedef struct request_id {
    torc_middleware base;
    torc_random random;
    torc_request_id_options options;
    torc_field field; /* without a value; the name is in `name` */
    char name[];
} request_id;

static request_id *self_of(torc_middleware *middleware) {
    return torc_container_of(middleware, request_id, base);
}

torc_str torc_request_id(const torc_request *request) {
    const torc_str *id = torc_request_value(request, &torc_request_id_key);
    return id ? *id : torc_str_make(NULL, 0);
}

/* ---- ids that came ---- */

static bool is_harmless(char byte) {
    return torc_is_alnum(byte) || (byte && strchr("-._~+/=:@", byte));
}

static bool is_id(torc_str text) {
    for (size_t i = 0; i < text.len; i++)
        if (!is_harmless(text.bytes[i])) return false;
    return text.len > 0 && text.len <= TORC_REQUEST_ID_LEN_MAX;
}

static bool is_trusted(const request_id *self, const torc_request *request) {
    const torc_handler *handler = torc_request_handler(request);

    if (self->options.trust != TORC_REQUEST_ID_TRUST_PROXIES)
        return self->options.trust == TORC_REQUEST_ID_TRUST_ALL;
    if (handler->trusted_count == 0) return false;
    const torc_addr peer = torc_request_peer(request);
    return torc_cidr_any_contains(handler->trusted, handler->trusted_count, &peer);
}

static torc_str find(const request_id *self, const torc_request *request) {
    if (!is_trusted(self, request)) return torc_str_make(NULL, 0);
    const torc_str sent = self->field.id != TORC_FIELD_OTHER
                              ? torc_request_field_id(request, self->field.id)
                              : torc_request_field(request, self->name);
    return is_id(sent) ? sent : torc_str_make(NULL, 0);
}

/* ---- ids that are made ---- */

static uint64_t wall_ms(const torc_reactor *reactor) {
    struct timespec now;

    if (reactor->clock->is_moved) return (uint64_t)torc_reactor_wall_seconds(reactor) * 1000;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* RFC 9562 §5.7: 48 bits of time, the version, 12 random bits, the variant, 62 random bits. */
static void add_uuid(torc_buf *to, unsigned char bytes[RANDOM_BYTES], uint64_t ms) {
    static const size_t groups[] = {4, 2, 2, 2, 6};
    const char *from = (const char *)bytes;

    for (int i = 0; i < 6; i++) bytes[i] = (unsigned char)(ms >> (40 - 8 * i));
    bytes[6] = (unsigned char)(0x70 | (bytes[6] & 0x0f));
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
    for (size_t i = 0; i < TORC_COUNT_OF(groups); from += groups[i++]) {
        if (i) torc_buf_add_byte(to, '-');
        torc_buf_add_hex(to, torc_str_make(from, groups[i]));
    }
}

/* Empty without memory, or where the system gives no random bytes. */
static torc_str make(request_id *self, torc_request *request) {
    const bool is_uuid = self->options.kind == TORC_REQUEST_ID_UUID7;
    const size_t len = is_uuid ? UUID_LEN : RANDOM_LEN;
    unsigned char bytes[RANDOM_BYTES];
    char *text = torc_arena_bytes(torc_request_arena(request), len);
    torc_buf id;

    if (!text || torc_random_take(&self->random, bytes, sizeof(bytes)))
        return torc_str_make(NULL, 0);
    torc_buf_init_fixed(&id, text, len);
    if (is_uuid)
        add_uuid(&id, bytes, wall_ms(torc_request_reactor(request)));
    else
        torc_buf_add_hex(&id, torc_str_make((const char *)bytes, sizeof(bytes)));
    return torc_buf_str(&id);
}

static torc_render request_received(torc_middleware *middleware, torc_request *request) {
    request_id *self = self_of(middleware);
    torc_str *id;

    if (torc_request_value(request, &torc_request_id_key)) return TORC_RENDER_NEXT;
    id = torc_arena_alloc(torc_request_arena(request), sizeof(*id));
    if (!id) return TORC_RENDER_NEXT;
    *id = find(self, request);
    if (!id->len) *id = make(self, request);
    if (id->len) (void)!torc_request_set_value(request, &torc_request_id_key, id);
    return TORC_RENDER_NEXT;
}

static void response_starting(torc_middleware *middleware, torc_request *request) {
    const request_id *self = self_of(middleware);
    torc_field field = self->field;

    field.value = torc_request_id(request);
    if (field.value.len && !self->options.is_hidden) torc_response_lend(request, &field, 1);
}

/* ---- life ---- */

static void dispose(torc_middleware *middleware) {
    request_id *self = self_of(middleware);

    torc_secret_wipe(&self->random, sizeof(self->random));
    torc_dealloc(NULL, self);
}

static const torc_middleware_ops ops = {
    .request_received = request_received,
    .response_starting = response_starting,
    .dispose = dispose,
    .name = "request id",
};

torc_middleware *torc_request_id_new(const torc_request_id_options *given) {
    torc_request_id_options options = {0};
    char text[160];

    TORC_OPTIONS_READ(&options, given);
    if (!options.name) options.name = "X-Request-ID";
    const torc_str name = torc_str_of(options.name);
    if (!torc_field_name_is_valid(name) || torc_field_find(name) == TORC_FIELD_CONTENT_LENGTH) {
        snprintf(text, sizeof(text), "'%.80s' is no name of a field for it", options.name);
        return torc_middleware_refused("request id", text);
    }
    request_id *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self) + name.len + 1);
    if (!self) return NULL;
    self->base.ops = &ops;
    self->options = options;
    memcpy(self->name, name.bytes, name.len);
    self->options.name = self->name;
    self->field.id = torc_field_find(name);
    self->field.name = torc_str_make(self->name, name.len);
    return &self->base;
}
